"""/admin/vendors: vendors, services, terms, keys, and what arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Audit, Inbox, TermsVersion, VendorKey
from portal.store import UnitOfWork, perform
from tests.html import Visitor
from tests.people import PASSWORD, Cast
from tests.vendors import Vera, activated, invite_vera, registered, send


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


@pytest.fixture
def ada(cast: Cast, visitor: Callable[[], Visitor]) -> Iterator[Visitor]:
    browser = visitor()
    browser.sign_in("ada@example.com", PASSWORD)
    yield browser


def page_of(vera: Vera) -> str:
    return f"/admin/vendors/{vera.public_id}"


def test_only_those_who_manage_vendors_come_in_and_finance_reads_the_list(
    cast: Cast, vera: Vera, visitor: Any
) -> None:
    codes = {}
    for name in ("ana", "fin", "ada"):
        browser = visitor()
        browser.sign_in(f"{name}@example.com", PASSWORD)
        codes[name] = [browser.visit(path).status_code for path in ("/admin/vendors", page_of(vera))]

    assert codes == {"ana": [403, 403], "fin": [200, 403], "ada": [200, 200]}


def test_a_vendor_is_added_and_opens_with_nothing_in_it(app: Flask, ada: Visitor) -> None:
    ada.visit("/admin/vendors/new")
    added = ada.submit("/admin/vendors/new", {"name": "Sun & Sons", "core": "y"})
    ada.visit(added.headers["Location"].removesuffix("/new-service"))

    assert "Sun & Sons Core vendor" in ada.words
    assert "No service yet" in ada.words
    assert "No live key" in ada.words
    with app.app_context():
        assert db.session.scalars(select(Audit.action)).all() == ["vendor added"]


def test_a_name_that_is_taken_is_said_at_its_field(ada: Visitor, vera: Vera) -> None:
    ada.visit("/admin/vendors/new")

    answer = ada.submit("/admin/vendors/new", {"name": "Vera Solar"})

    assert answer.status_code == 422
    assert "There is a vendor called Vera Solar already." in ada.words


def test_a_service_is_added_with_its_terms(app: Flask, ada: Visitor, vera: Vera) -> None:
    ada.visit(page_of(vera))
    terms = {
        "code": "battery",
        "name": "Battery",
        "unit": "kWh",
        "summary": "Keeps the sun for the evening.",
        "valid_from": "2026-03-01",
        "volume_flat": "12.50",
        "volume_per_unit": "3",
        "revenue_flat_cents": "1,000.00",
        "revenue_per_unit_cents": "0.01",
        "cooling_off_days": "30",
        "kind": "milestone",
    }
    ada.visit(f"{page_of(vera)}/new-service")
    ada.submit(f"{page_of(vera)}/new-service", terms)
    ada.follow()
    listed = ada.words
    ada.visit(f"{page_of(vera)}/services/battery")

    assert "Battery battery 12.50 + 3 a kWh $1,000.00 + $0.01 a kWh" in listed
    assert "Signed from Mar 1, 2026 in force" in ada.words
    assert "Cooling-off 30 days" in ada.words
    with app.app_context():
        newest = db.session.scalars(select(TermsVersion).order_by(TermsVersion.id.desc())).first()
        assert newest is not None
        assert (newest.volume_flat, newest.revenue_per_unit_cents) == (12_50, 1)
        assert newest.milestones == {"activated": 10_000}
        assert newest.service.summary == "Keeps the sun for the evening."


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"valid_from": "2026-01-01"}, "Terms that begin on this day are there already."),
        ({"volume_flat": "-1"}, "This must be 0 or more"),
        ({"volume_flat": "many"}, "Please write a volume like 1,234.50."),
        ({"revenue_flat_cents": "1.234"}, "Please write an amount like 1,234.50."),
        ({"cooling_off_days": "9999"}, "The cooling-off is 0 to 365 days."),
        ({"valid_from": ""}, "Please choose a day."),
    ],
)
def test_terms_that_cannot_be_are_said_in_the_form(
    app: Flask, ada: Visitor, vera: Vera, wrong: dict[str, str], said: str
) -> None:
    right = {
        "kind": "milestone",
        "confirm_past": "y",
        "valid_from": "2026-06-01",
        "volume_flat": "1",
        "cooling_off_days": "14",
    }
    ada.visit(f"{page_of(vera)}/services/solar")

    answer = ada.submit(f"{page_of(vera)}/services/solar", right | wrong)

    assert answer.status_code == 422
    assert said in ada.words
    with app.app_context():
        assert db.session.scalar(select(func.count(TermsVersion.id))) == 1


def test_a_new_key_is_shown_once_and_there_are_never_three(app: Flask, ada: Visitor, vera: Vera) -> None:
    ada.visit(page_of(vera))
    made = ada.submit(f"{page_of(vera)}/keys")
    with app.app_context():
        secrets = db.session.scalars(select(VendorKey.secret).order_by(VendorKey.id)).all()
    third = ada.submit(f"{page_of(vera)}/keys")
    later = ada.visit(page_of(vera))

    assert made.status_code == 201
    assert secrets[1] in made.text
    assert "Copy this key now" in made.text
    assert third.status_code == 409
    assert "Two keys are live. Revoke one of them first." in third.text
    assert secrets[1] not in later.text
    assert len(secrets) == 2


def test_a_secret_is_not_readable_in_the_database(app: Flask, vera: Vera) -> None:
    with app.app_context():
        stored = db.session.connection().exec_driver_sql("SELECT secret FROM vendor_key").scalar_one()

    assert vera.key.secret.removeprefix("whsec_") not in stored


def test_a_revoked_key_is_gone_from_the_page(ada: Visitor, vera: Vera) -> None:
    ada.visit(page_of(vera))
    ada.submit(f"{page_of(vera)}/keys/{vera.key.public_id}/revoke")
    ada.follow()

    assert "No live key" in ada.words
    assert ada.submit(f"{page_of(vera)}/keys/{'a' * 20}/revoke").status_code == 404


def test_what_arrived_is_shown_with_its_reason_and_dead_events_are_tried_again(
    app: Flask, ada: Visitor, vera: Vera
) -> None:
    client = app.test_client()
    send(client, vera, activated(vera), event_id="e1")
    send(client, vera, registered(vera, consultant_code="NOBODY22", customer_ref="C2"), event_id="e2")
    dead = _give_up(app, "e2")
    ada.visit(page_of(vera))
    before = ada.words

    ada.submit(f"{page_of(vera)}/events/{dead}/replay")
    again = ada.submit(f"{page_of(vera)}/events/{dead}/replay")

    assert "given up There is no consultant with the code NOBODY22. Try again" in before
    assert before.count("1 time") == 2
    assert again.status_code == 409
    with app.app_context():
        row = db.session.get_one(Inbox, dead)
        assert (row.state, row.attempts) == ("retry", 0)


def test_another_vendors_events_cannot_be_replayed(app: Flask, ada: Visitor, vera: Vera, cast: Cast) -> None:
    other = invite_vera(app, cast, name="Other Solar")
    send(app.test_client(), vera, registered(vera), event_id="e1")
    dead = _give_up(app, "e1")
    ada.visit(page_of(other))

    assert ada.submit(f"{page_of(other)}/events/{dead}/replay").status_code == 404


def test_the_list_reconciles_events_with_sales(app: Flask, ada: Visitor, vera: Vera) -> None:
    from jobs import inbox

    client = app.test_client()
    for number in range(3):
        send(client, vera, activated(vera, contract_ref=f"K{number}"), event_id=f"e{number}")
    with app.app_context():
        inbox.drain()

    ada.visit("/admin/vendors")

    assert "Vera Solar 3 0 0 3 0 552" in ada.words


def test_the_page_of_a_vendor_needs_the_same_queries_for_one_event_and_for_many(
    app: Flask, ada: Visitor, vera: Vera
) -> None:
    from sqlalchemy import event

    statements: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    counts = []
    for number in range(2):
        send(app.test_client(), vera, registered(vera), event_id=f"e{number}")
        statements.clear()
        ada.visit(page_of(vera))
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_unknown_addresses_are_404(ada: Visitor, vera: Vera) -> None:
    paths = [f"/admin/vendors/{'a' * 20}", f"{page_of(vera)}/services/wind"]

    assert [ada.visit(path).status_code for path in paths] == [404, 404]


def _give_up(app: Flask, event_id: str) -> int:
    def write(uow: UnitOfWork) -> int:
        row = uow.session.scalars(select(Inbox).where(Inbox.event_id == event_id)).one()
        row.state, row.attempts, row.done_at = "dead", 8, utc_now()
        row.last_error = "There is no consultant with the code NOBODY22."
        return row.id

    with app.app_context():
        return perform(write)
