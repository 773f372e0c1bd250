"""/vendor/statements and /vendor/invoice: a file is mapped, sent and compared; a month is added up."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from jobs import inbox, statements
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.vendor_events import VendorEvent
from portal.models import ContractFact, Statement, StatementDifference, StatementMapping, TermsVersion
from portal.statements.service import receive_statement
from portal.store import UnitOfWork, perform
from portal.vendors.room import today
from tests.html import Visitor
from tests.people import PASSWORD, Cast
from tests.rooms.vendors.conftest import come, compare
from tests.statements.world import ZONE
from tests.vendors import Vera, activated, body_of, send

HEADER = "Event,Contract,Client,Seller,kW,When\n"


def upload(cleo: Visitor, text: str, day: str) -> str:
    """Choose a file; the page where its columns are named."""
    cleo.visit("/vendor/statements")
    file = (io.BytesIO(text.encode()), "day.csv")
    answer = cleo.submit(
        "/vendor/statements/upload", {"day": day, "file": file}, content_type="multipart/form-data"
    )
    assert answer.status_code == 303, cleo.words
    return str(answer.location)


MAPPED = {
    "type": "Event", "contract_ref": "Contract", "customer_ref": "Client",
    "consultant_code": "Seller", "size_thousandths": "kW", "occurred_at": "When",
}  # fmt: skip


def test_a_file_is_mapped_looked_at_sent_and_compared_and_the_mapping_is_kept(
    app: Flask, vera: Vera, cleo: Visitor
) -> None:
    with app.app_context(), app.test_request_context():
        day = today().isoformat()
    text = HEADER + f"activated,K1,C1,{vera.ben},8.4,{day}\n"
    page = upload(cleo, text, day)
    cleo.visit(page)
    before = cleo.words
    faulty = cleo.submit(page, MAPPED | {"size_thousandths": "Client"})
    looked = cleo.submit(page, MAPPED)
    sent = cleo.submit(page, MAPPED | {"send": "1"})
    compare(app)
    cleo.follow()
    again = upload(cleo, text + f"activated,K2,C2,{vera.ben},x,{day}\n", day)
    cleo.visit(again)

    assert "Send the statement" in before
    assert faulty.status_code == 422 and "a size is a number above 0" in faulty.text
    assert looked.status_code == 200 and sent.status_code == 303
    cleo.visit(str(sent.location))
    assert "missing here" in cleo.words and "K1" in cleo.words
    with app.app_context():
        assert db.session.scalars(select(StatementMapping.columns)).one()["contract_ref"] == "Contract"
    cleo.visit(again)
    assert "3 kW a size is a number above 0" in cleo.words


def test_columns_chosen_before_a_fault_was_seen_are_there_for_the_file_that_was_put_right(
    app: Flask, vera: Vera, cleo: Visitor
) -> None:
    with app.app_context(), app.test_request_context():
        day = today().isoformat()
    header = "A,B,C,D,E,F\n"
    mapped = dict(zip(MAPPED, "ABCDEF", strict=True))
    page = upload(cleo, header + f"activated,K1,C1,{vera.ben},wide,{day}\n", day)
    cleo.visit(page)
    looked = cleo.submit(page, mapped | {"period": "no such column"})

    cleo.visit(upload(cleo, header + f"activated,K1,C1,{vera.ben},8.4,{day}\n", day))

    assert looked.status_code == 422 and "Send the statement" in cleo.words
    with app.app_context():
        assert db.session.scalars(select(StatementMapping.columns)).one() == mapped


def test_a_day_to_come_is_refused_at_its_field(app: Flask, vera: Vera, cleo: Visitor) -> None:
    with app.app_context(), app.test_request_context():
        day = today() + timedelta(days=1)
    cleo.visit("/vendor/statements")
    file = (io.BytesIO(HEADER.encode()), "day.csv")

    answer = cleo.submit(
        "/vendor/statements/upload",
        {"day": day.isoformat(), "file": file},
        content_type="multipart/form-data",
    )

    assert answer.status_code == 422 and 'id="day-error"' in answer.text
    assert "a day that has begun" in cleo.words


def test_every_page_names_the_same_days_without_a_statement(
    app: Flask, vera: Vera, cleo: Visitor, visitor: Callable[[], Visitor], do: Callable[..., Any]
) -> None:
    now = utc_now()
    come(app, vera)

    def earlier(uow: UnitOfWork) -> None:
        fact = uow.session.scalars(select(ContractFact)).one()
        for ago in (2, 5, 9, 12, 13, 16):
            told = {"key": f"k{ago}", "occurred_at": now - timedelta(days=ago), "recorded_at": now}
            about = {"contract_id": fact.contract_id, "type": fact.type, "milestone": fact.milestone}
            uow.session.add(ContractFact(**told, **about))
        day, sent = now.date() - timedelta(days=30), {"source": "csv", "content": b"x"}
        receive_statement(uow, vendor_id=vera.vendor_id, day=day, lines=[], **sent)

    do(earlier)
    ada = visitor()
    ada.sign_in("ada@example.com", PASSWORD)
    seen = []
    for browser, page in (
        (cleo, "/vendor"), (cleo, "/vendor/statements"), (ada, "/admin"),
        (ada, f"/admin/vendors/{vera.public_id}/statements"),
    ):  # fmt: skip
        browser.visit(page)
        seen += re.findall(r"No statement yet (?:of Vera \w+ )?for (\d+) days", browser.words)

    assert seen == ["5"] * 4


def test_finance_finds_the_vendors_and_what_they_sent(
    app: Flask, vera: Vera, cast: Cast, visitor: Callable[[], Visitor]
) -> None:
    fin, ana = visitor(), visitor()
    fin.sign_in("fin@example.com", PASSWORD)
    ana.sign_in("ana@example.com", PASSWORD)
    home = fin.visit("/admin").text
    listed = fin.visit("/admin/vendors").text
    place = f"/admin/vendors/{vera.public_id}/statements"
    rooms = fin.visit(place).text

    assert 'href="/admin/vendors"' in home and f'href="{place}"' in listed
    assert "/admin/vendors/new" not in listed and 'href="/admin/vendors"' in rooms
    assert all(f"{vera.public_id}/{room}" in rooms for room in ("deliveries", "invoice"))
    assert fin.visit("/admin/vendors/new").status_code == 403
    assert ana.visit("/admin/vendors").status_code == 403


def test_the_only_event_that_told_a_size_is_not_offered_to_be_taken_back(
    app: Flask, vera: Vera, visitor: Callable[[], Visitor]
) -> None:
    sized = activated(vera, type="service.signed", occurred_at=utc_now() - timedelta(minutes=2))
    come_as(app, vera, sized)
    later = replace(sized, type="service.activated", size_thousandths=0, occurred_at=utc_now())
    come_as(app, vera, later)

    def send_statement(uow: UnitOfWork) -> None:
        day, sent = sized.occurred_at.astimezone(ZONE).date(), {"source": "csv", "content": b"x"}
        receive_statement(uow, vendor_id=vera.vendor_id, day=day, lines=[], **sent)

    with app.app_context():
        perform(send_statement)
    compare(app)
    with app.app_context():
        found = {row.type: row.public_id for row in db.session.scalars(select(StatementDifference))}
    ada, place = visitor(), f"/admin/vendors/{vera.public_id}/statements/differences"
    ada.sign_in("ada@example.com", PASSWORD)
    ada.visit(f"{place}/{found['service.signed']}")
    said = ada.words
    refused = ada.submit(f"{place}/{found['service.signed']}", {"choice": "reverse"})
    ada.visit(f"{place}/{found['service.activated']}")
    other = ada.words
    done = ada.submit(f"{place}/{found['service.activated']}", {"choice": "reverse"})
    with app.app_context():
        inbox.drain()
    ada.visit(f"{place}/{found['service.signed']}")

    assert "No other event told the size" in said and "Take ours back:" not in said
    assert refused.status_code == 422 and "nobody knows the size" in refused.text
    assert "Take ours back:" in other and done.status_code == 303
    assert "Take ours back:" in ada.words


def come_as(app: Flask, vera: Vera, event: VendorEvent) -> None:
    body = json.dumps(body_of(event)).encode()
    assert send(app.test_client(), vera, body, event_id=event.type.replace(".", "-")).status_code == 202
    with app.app_context():
        inbox.drain()


def test_an_empty_file_is_refused_at_its_field(vera: Vera, cleo: Visitor) -> None:
    cleo.visit("/vendor/statements")
    file = (io.BytesIO(b""), "day.csv")

    answer = cleo.submit(
        "/vendor/statements/upload", {"day": "2026-11-16", "file": file}, content_type="multipart/form-data"
    )

    assert answer.status_code == 422 and "The file is empty" in cleo.words


def test_the_invoice_shows_the_revenue_less_the_vendors_share(
    app: Flask, vera: Vera, cleo: Visitor, do: Callable[..., Any]
) -> None:
    def share(uow: UnitOfWork) -> None:
        terms = uow.session.scalars(select(TermsVersion)).one()
        terms.shares = {"vendor": 2_500, "company": 5_500, "consultant": 2_000, "upline": []}

    do(share)
    come(app, vera)

    cleo.visit("/vendor/invoice")
    assert "$620.00" in cleo.words and "$155.00" in cleo.words and "$465.00" in cleo.words
    rows = cleo.visit("/vendor/invoice.csv").text.splitlines()
    assert len(rows) == 2 and rows[1].endswith(",sale,vendor,620.00,155.00,465.00")


def test_parts_of_a_milestone_come_to_the_vendors_share_of_the_whole(
    app: Flask, vera: Vera, cleo: Visitor, do: Callable[..., Any]
) -> None:
    def share(uow: UnitOfWork) -> None:
        terms = uow.session.scalars(select(TermsVersion)).one()
        terms.shares = {"vendor": 5_000, "company": 3_000, "consultant": 2_000, "upline": []}
        terms.revenue_flat_cents, terms.revenue_per_unit_cents = 99, 0

    do(share)
    come(app, vera)
    for number, part in enumerate(("0.3333", "0.6667", "1")):
        sold = activated(vera, contract_ref="K1")
        told = {
            "type": "service.refunded",
            "occurred_at": utc_now().isoformat(),
            "customer": {"ref": sold.customer_ref},
            "contract": {"ref": "K1"},
            "refund": {"share": part},
        }
        body = json.dumps(told).encode()
        assert send(app.test_client(), vera, body, event_id=f"back-{number}").status_code == 202
        with app.app_context():
            inbox.drain()

    rows = cleo.visit("/vendor/invoice.csv").text.splitlines()[1:]
    shares = [row.split(",")[-3:-1] for row in rows]
    assert [revenue for revenue, _share in shares] == ["0.99", "-0.33", "-0.33", "-0.33"]
    assert [share for _revenue, share in shares] == ["0.50", "-0.17", "-0.16", "-0.17"]
    cleo.visit("/vendor/invoice")
    assert "Older" in cleo.words and "Newer" not in cleo.words


def test_the_company_settles_with_one_press_in_the_list(
    app: Flask, vera: Vera, cleo: Visitor, visitor: Callable[[], Visitor]
) -> None:
    with app.app_context(), app.test_request_context():
        day = today().isoformat()
    come(app, vera)
    page = upload(cleo, HEADER + f"changed,K1,C1,,9,{day}\n", day)
    cleo.visit(page)
    cleo.submit(page, MAPPED | {"send": "1"})
    compare(app)
    with app.app_context():
        sent = db.session.scalars(select(Statement.public_id)).one()
    ada, place = visitor(), f"/admin/vendors/{vera.public_id}/statements"
    ada.sign_in("ada@example.com", PASSWORD)
    page = ada.visit(f"{place}/{sent}").text

    assert "Book it as the vendor says" in ada.words
    assert "Take ours back" in ada.words
    address = re.search(r'action="([^"]+)"[^>]*>(?:(?!</form>).)*value="statement"', page, re.S)
    assert address
    assert ada.submit(address[1], {"choice": "statement"}).status_code == 303
    ada.visit(f"{place}/{sent}")
    assert "The statement's word was taken" in ada.words
    cleo.visit(f"/vendor/statements/{sent}")
    assert "Take ours back" not in cleo.words and "Settle several" not in cleo.words


def test_the_company_settles_several_after_a_look_at_what_they_move(
    app: Flask, vera: Vera, cleo: Visitor, visitor: Callable[[], Visitor]
) -> None:
    with app.app_context(), app.test_request_context():
        day = today().isoformat()
    lines = [f"activated,L{number},D{number},{vera.ben},8.4,{day},solar\n" for number in range(3)]
    page = upload(cleo, HEADER.strip() + ",Service\n" + "".join(lines), day)
    cleo.visit(page)
    cleo.submit(page, MAPPED | {"send": "1", "service_code": "Service"})
    compare(app)
    with app.app_context():
        sent = db.session.scalars(select(Statement.public_id)).one()
        first = db.session.scalars(select(StatementDifference.public_id)).first()
    path = f"/admin/vendors/{vera.public_id}/statements/{sent}/several"
    ana, ada = visitor(), visitor()
    ana.sign_in("ana@example.com", PASSWORD)
    ada.sign_in("ada@example.com", PASSWORD)
    closed = [ana.visit(path).status_code, cleo.visit(path).status_code]
    ada.visit(path)
    offered = ada.words
    nothing = ada.submit(path, {"which": "named", "choice": "keep", "note": "x"})
    unsaid = ada.submit(path, {"which": "named", "choice": "keep", "chosen": first})
    kept = ada.submit(path, {"which": "named", "choice": "keep", "chosen": first, "note": "A test."})
    looked = ada.words
    ada.visit(path)
    ada.submit(path, {"which": "missing", "choice": "statement"})

    assert "Volume it moves 552" in ada.words and "Revenue it moves +$1,860.00" in ada.words
    assert closed == [403, 403] and "All 3 that are missing here" in offered
    assert nothing.status_code == 422 and "choose at least one" in nothing.text
    assert unsaid.status_code == 422 and "Please write why" in unsaid.text
    assert kept.status_code == 200 and "Nothing is booked by this" in looked and "A test." in looked
    with app.app_context():
        assert set(db.session.scalars(select(StatementDifference.choice))) == {None}

    about = {"which": "named", "choice": "keep", "chosen": first, "note": "A test."}
    done = ada.submit(path, about | {"sure": "1"})
    ada.follow()
    waiting = ada.words
    with app.app_context():
        statements.settle_chosen()
    ada.visit(path.removesuffix("/several"))

    assert done.status_code == 303 and "1 difference is being settled" in waiting
    assert "being settled" in waiting and "Ours was kept, Ada" in ada.words and "A test." in ada.words
