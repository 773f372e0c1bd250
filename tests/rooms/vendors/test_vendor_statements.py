"""/vendor/statements and /vendor/invoice: a file is mapped, sent and compared; a month is added up."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import select

from jobs import inbox, statements
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Statement, StatementDifference, StatementMapping, TermsVersion
from portal.store import UnitOfWork
from portal.vendors.room import today
from tests.html import Visitor
from tests.people import PASSWORD
from tests.rooms.vendors.conftest import come, compare
from tests.vendors import Vera, activated, send

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
