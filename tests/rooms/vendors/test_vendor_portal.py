"""/vendor: what people of a vendor see and do, and that nothing of another vendor opens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import inbox
from portal.extensions import db
from portal.models import Audit, Statement, StatementDifference, VendorKey
from portal.statements.service import receive_statement
from portal.store import UnitOfWork, perform
from portal.store.inbox import try_waiting
from portal.vendors.room import today
from tests.html import Visitor
from tests.people import PASSWORD, Cast
from tests.rooms.vendors.conftest import come, state_of
from tests.vendors import Vera, invite_vera

PAGES = ("", "/keys", "/deliveries", "/errors", "/statements", "/invoice", "/simulator", "/invoice.csv")


def test_each_page_opens_for_the_vendor_and_for_nobody_else(
    app: Flask, vera: Vera, cleo: Visitor, visitor: Callable[[], Visitor]
) -> None:
    come(app, vera)
    codes = {}
    for name in ("ana", "fin", "ada"):
        browser = visitor()
        browser.sign_in(f"{name}@example.com", PASSWORD)
        codes[name] = {browser.visit(f"/vendor{page}").status_code for page in PAGES}
    stranger = {visitor().visit(f"/vendor{page}").status_code for page in PAGES}

    assert [cleo.visit(f"/vendor{page}").status_code for page in PAGES] == [200] * len(PAGES)
    assert codes == {"ana": {403}, "fin": {403}, "ada": {403}}
    assert stranger == {303}


def test_the_company_opens_the_same_pages_of_every_vendor(
    app: Flask, vera: Vera, cleo: Visitor, visitor: Callable[[], Visitor]
) -> None:
    codes = {}
    for name in ("ada", "fin", "ana"):
        browser = visitor()
        browser.sign_in(f"{name}@example.com", PASSWORD)
        place = f"/admin/vendors/{vera.public_id}"
        codes[name] = {browser.visit(place + page).status_code for page in PAGES[2:]}
    people = cleo.visit(f"/admin/vendors/{vera.public_id}/people").status_code

    # Only who manages vendors sends events for them.
    assert codes == {"ada": {200}, "fin": {200, 403}, "ana": {403}}
    assert people == cleo.visit(f"/admin/vendors/{vera.public_id}/deliveries").status_code == 403


@pytest.fixture
def other(app: Flask, cast: Cast, vera: Vera) -> dict[str, Any]:
    """Things of another vendor: an event, a key, a statement and a difference of it."""
    owned = invite_vera(app, cast, name="Other Solar")
    event = come(app, owned, dead=True)
    with app.app_context():
        sent = perform(
            lambda uow: (
                receive_statement(
                    uow, vendor_id=owned.vendor_id, day=today(), lines=[], source="csv", content=b"x"
                ).public_id
            )
        )
        perform(lambda uow: _difference(uow))
        found = db.session.scalars(select(StatementDifference.public_id)).one()
    return {"event": event, "key": owned.key.public_id, "statement": sent, "difference": found}


def _difference(uow: UnitOfWork) -> None:
    statement = uow.session.scalars(select(Statement)).one()
    uow.session.add(
        StatementDifference(
            public_id="d" * 20,
            statement_id=statement.id,
            kind="missing",
            contract_ref="K9",
            type="service.activated",
            fields={},
        )
    )


OF_ANOTHER = (
    ("GET", "/deliveries/{event}"),
    ("POST", "/deliveries/{event}/replay"),
    ("POST", "/deliveries/{event}/end"),
    ("POST", "/keys/{key}/revoke"),
    ("GET", "/statements/{statement}"),
    ("GET", "/statements/{statement}/file"),
    ("GET", "/statements/differences/{difference}"),
    ("POST", "/statements/differences/{difference}/answer"),
    ("GET", "/statements/upload/{statement}"),
    ("POST", "/statements/upload/{statement}"),
)


@pytest.mark.parametrize(("verb", "path"), OF_ANOTHER)
def test_nothing_of_another_vendor_opens(
    app: Flask, cleo: Visitor, other: dict[str, Any], verb: str, path: str
) -> None:
    cleo.visit("/vendor/keys")
    ask = cleo.visit if verb == "GET" else cleo.submit

    assert ask("/vendor" + path.format(**other)).status_code == 404
    assert state_of(app, other["event"]) == "dead"
    with app.app_context():
        assert db.session.scalars(select(VendorKey).where(VendorKey.revoked_at.is_not(None))).all() == []


def test_the_company_does_not_reach_one_vendors_things_through_another(
    app: Flask, vera: Vera, other: dict[str, Any], visitor: Callable[[], Visitor]
) -> None:
    ada = visitor()
    ada.sign_in("ada@example.com", PASSWORD)
    place = f"/admin/vendors/{vera.public_id}"
    ada.visit(place)
    paths = [
        *(("GET", path) for _verb, path in OF_ANOTHER if _verb == "GET"),
        ("POST", "/deliveries/{event}/replay"),
        ("POST", "/deliveries/{event}/end"),
        ("GET", "/statements/differences/{difference}"),
        ("POST", "/statements/differences/{difference}"),
    ]
    codes = {
        path: (ada.visit if verb == "GET" else ada.submit)(place + path.format(**other)).status_code
        for verb, path in paths
    }

    assert set(codes.values()) == {404}, codes


def test_every_route_of_the_portal_is_in_the_matrix(app: Flask) -> None:
    """A route about one thing that nobody tried from outside would be a hole that no test sees."""
    tried = {path.split("/")[1] for _verb, path in OF_ANOTHER}
    about_one = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("partner.") and rule.arguments
    ]

    assert {rule.split("/")[2] for rule in about_one} <= tried
    assert len(about_one) == len(OF_ANOTHER)


def test_who_lost_access_sees_nothing(app: Flask, vera: Vera, cleo: Visitor, do: Callable[..., Any]) -> None:
    def leave(uow: UnitOfWork) -> None:
        from portal.models import VendorMember

        uow.session.scalars(select(VendorMember)).one().ended_at = uow.clock()

    do(leave)

    assert {cleo.visit(f"/vendor{page}").status_code for page in PAGES} == {404}


def test_a_body_is_shown_without_what_tells_who_the_customer_is(
    app: Flask, vera: Vera, cleo: Visitor
) -> None:
    event = come(app, vera)

    cleo.visit(f"/vendor/deliveries/{event}")

    assert "R•••" in cleo.words and "K1" in cleo.words
    assert "Rosa" not in cleo.words and "rosa@" not in cleo.words


def test_given_up_and_done_events_are_tried_again_and_change_nothing_twice(
    app: Flask, vera: Vera, cleo: Visitor
) -> None:
    from portal.models import Sale

    done, dead = come(app, vera), come(app, vera, dead=True, ref="K2")
    for event in (done, dead):
        cleo.visit(f"/vendor/deliveries/{event}")
        cleo.submit(f"/vendor/deliveries/{event}/replay")
    assert state_of(app, done) == state_of(app, dead) == "retry"

    with app.app_context():
        inbox.drain()
        assert len(db.session.scalars(select(Sale.id)).all()) == 1


def test_an_event_that_is_wrong_is_ended_by_its_vendor_and_never_wakes(
    app: Flask, vera: Vera, cleo: Visitor, do: Callable[..., Any]
) -> None:
    done, dead = come(app, vera), come(app, vera, dead=True, ref="K2")
    page = f"/vendor/deliveries/{dead}"
    assert "Try it no more" in cleo.visit(page).text

    assert cleo.submit(f"{page}/end").status_code == 303
    cleo.follow()
    assert "changed nothing" in cleo.words and "Try it no more" not in cleo.words
    cleo.visit("/vendor/errors")
    assert "There is no service roof" not in cleo.words
    do(lambda uow: try_waiting(uow, source=f"vendor-{vera.vendor_id}", refs=["K2"]) and None)
    assert state_of(app, dead) == "ignored"
    with app.app_context():
        [noted] = db.session.scalars(select(Audit).where(Audit.action == "event ended by hand")).all()
        assert (noted.thing_id, noted.detail["was"]) == (dead, "dead")

    cleo.visit(f"/vendor/deliveries/{done}")
    assert cleo.submit(f"/vendor/deliveries/{done}/end").status_code == 409
    assert cleo.submit(f"{page}/end").status_code == 409
    assert (state_of(app, done), state_of(app, dead)) == ("done", "ignored")


def test_errors_are_grouped_by_what_is_wrong(app: Flask, vera: Vera, cleo: Visitor) -> None:
    for ref in ("K1", "K2"):
        come(app, vera, dead=True, ref=ref)

    cleo.visit("/vendor/errors")

    assert "service.activated" in cleo.words and "There is no service roof" in cleo.words


def test_deliveries_are_found_by_contract_state_and_day(app: Flask, vera: Vera, cleo: Visitor) -> None:
    come(app, vera)
    come(app, vera, dead=True, ref="K2")

    cleo.visit("/vendor/deliveries?state=dead")
    assert "K2" in cleo.words and "K1" not in cleo.words
    cleo.visit("/vendor/deliveries?ref=K1")
    assert "K1" in cleo.words and "K2" not in cleo.words
    cleo.visit("/vendor/deliveries?day=2020-01-01")
    assert "No event fits" in cleo.words
    assert cleo.visit("/vendor/deliveries?state=odd").status_code == 422


def test_a_key_is_shown_once_and_two_live_at_most(app: Flask, vera: Vera, cleo: Visitor) -> None:
    cleo.visit("/vendor/keys")
    assert "Codes of your services" in cleo.words and "solar" in cleo.words
    made = cleo.submit("/vendor/keys")
    third = cleo.submit("/vendor/keys")
    cleo.submit(f"/vendor/keys/{vera.key.public_id}/revoke")

    assert made.status_code == 201 and made.text.count("whsec_") == 2  # In its field and to be copied.
    assert f"export CANOPY_VENDOR='{vera.public_id}'\nexport CANOPY_SECRET='whsec_" in unescape(made.text)
    assert third.status_code == 409 and "whsec_" not in cleo.visit("/vendor/keys").text
    with app.app_context():
        live = db.session.scalars(select(VendorKey).where(VendorKey.revoked_at.is_(None))).all()
        assert len(live) == 1 and live[0].public_id != vera.key.public_id


def test_keys_ask_for_the_password_again(
    app: Flask, vera: Vera, cleo: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.kernel import clock

    cleo.visit("/vendor/keys")
    monkeypatch.setattr(clock, "_offset", timedelta(minutes=12))

    assert "/login/confirm" in str(cleo.submit("/vendor/keys").location)
