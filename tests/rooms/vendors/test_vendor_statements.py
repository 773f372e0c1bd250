"""/vendor/statements and /vendor/invoice: a file is mapped, sent and compared; a month is added up."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import select

from jobs import inbox
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Statement, StatementMapping, TermsVersion
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
    assert "Reverse ours: cancel the contract" in ada.words
    address = re.search(r'action="([^"]+)"[^>]*>(?:(?!</form>).)*value="statement"', page, re.S)
    assert address
    assert ada.submit(address[1], {"choice": "statement"}).status_code == 303
    ada.visit(f"{place}/{sent}")
    assert "The statement's word was taken" in ada.words
    cleo.visit(f"/vendor/statements/{sent}")
    assert "Reverse ours: cancel" not in cleo.words
