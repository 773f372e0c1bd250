"""A question to the vendor about a difference: asked, answered on the vendor's page, read, and settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import AccountUser, Audit, StatementDifference, StatementQuestion
from portal.statements.lines import Line
from portal.statements.service import receive_statement
from portal.store import UnitOfWork, perform
from portal.vendors.room import today
from tests.html import Visitor
from tests.people import PASSWORD, Cast
from tests.rooms.vendors.conftest import compare, hire
from tests.vendors import Vera, invite_vera

QUESTION = "Which day was it?"


@dataclass
class Asked:
    """A difference that Ada asked about: what it is called, and its pages on both sides."""

    public_id: str
    company: str
    vendor: str = "/vendor/statements/differences/"


@pytest.fixture
def ada(visitor: Callable[[], Visitor]) -> Visitor:
    browser = visitor()
    browser.sign_in("ada@example.com", PASSWORD)
    return browser


@pytest.fixture
def asked(app: Flask, vera: Vera, ada: Visitor) -> Asked:
    """A line that no event told of, and the question about it."""

    def send(uow: UnitOfWork) -> None:
        line = Line(line=1, type="service.cancelled", contract_ref="K9", occurred_at=utc_now())
        sent = {"source": "csv", "content": b"x"}
        receive_statement(uow, vendor_id=vera.vendor_id, day=today(), lines=[line], **sent)

    with app.app_context(), app.test_request_context():
        perform(send)
    compare(app)
    with app.app_context():
        found = db.session.scalars(select(StatementDifference.public_id)).one()
    page = f"/admin/vendors/{vera.public_id}/statements/differences/{found}"
    ask(ada, page, QUESTION)
    return Asked(found, page, f"/vendor/statements/differences/{found}")


def ask(ada: Visitor, page: str, question: str) -> None:
    ada.visit(page)
    assert ada.submit(page, {"choice": "ask", "note": question}).status_code == 303


def answer(cleo: Visitor, asked: Asked, text: str) -> int:
    cleo.visit(asked.vendor)
    return cleo.submit(f"{asked.vendor}/answer", {"answer": text}).status_code


def test_the_vendor_answers_from_the_home_page_and_the_company_reads_it(
    app: Flask, vera: Vera, cleo: Visitor, ada: Visitor, asked: Asked
) -> None:
    home = cleo.visit("/vendor").text
    offered = cleo.words
    cleo.visit(asked.vendor)
    question = cleo.words
    sent = answer(cleo, asked, "  The 16th.\r\nWe sent it twice. ")
    ada.visit(asked.company)
    beside = ada.words
    ada.visit(asked.company.split("/differences")[0])
    listed = ada.words
    ada.visit("/admin")

    assert asked.vendor in home and "A question about K9" in offered and QUESTION in offered
    assert QUESTION in question and "Your answer" in question and "Settle" not in question
    assert sent == 303 and "Cleo answered" in beside and "The 16th. We sent it twice." in beside
    assert "Take the statement" in beside or "Keep ours" in beside
    assert "open answered" in listed and "the vendor answered 1" in ada.words
    cleo.visit("/vendor")
    assert "A question about" not in cleo.words
    cleo.visit(asked.vendor)
    assert "Cleo answered" in cleo.words and "Send the answer" not in cleo.words
    with app.app_context():
        cleos = select(AccountUser.id).where(AccountUser.email == "cleo@example.com")
        noted = select(Audit.actor_id).where(Audit.action == "question answered")
        assert db.session.scalars(noted).all() == db.session.scalars(cleos).all()
        assert db.session.scalars(select(StatementQuestion.answer)).one() == "The 16th.\nWe sent it twice."
        assert db.session.scalars(select(StatementDifference.settled_at)).one() is None


def test_asked_again_it_waits_for_the_vendor_again_and_settled_it_keeps_all_that_was_said(
    cleo: Visitor, ada: Visitor, asked: Asked
) -> None:
    ask(ada, asked.company, "Which day was it, and for whom?")
    cleo.visit(asked.vendor)
    once = cleo.words
    answer(cleo, asked, "The 16th, for Rosa.")
    ask(ada, asked.company, "Are you sure?")
    cleo.visit("/vendor")
    again = cleo.words
    answer(cleo, asked, "Yes.")
    ada.visit(asked.company)
    ada.submit(asked.company, {"choice": "keep", "note": "It never was."})
    ada.visit(asked.company)

    assert "and for whom?" in once and QUESTION not in once
    assert "Are you sure?" in again
    for said in ("and for whom?", "The 16th, for Rosa.", "Are you sure?", "Yes.", "It never was."):
        assert said in ada.words
    assert answer(cleo, asked, "Too late.") == 409


def test_an_answer_is_refused_at_its_field_and_after_the_first(
    app: Flask, cleo: Visitor, asked: Asked
) -> None:
    empty = answer(cleo, asked, " \x00 ")
    words = cleo.words
    long = answer(cleo, asked, "a" * 501)
    longest = answer(cleo, asked, "a\r\n" * 249 + "aa")
    twice = answer(cleo, asked, "Another.")

    assert (empty, long, longest, twice) == (422, 422, 303, 409) and "Please write an answer" in words
    with app.app_context():
        assert db.session.scalars(select(StatementQuestion.answer)).one().startswith("a\na\n")


def test_nobody_else_reads_or_answers_it(
    app: Flask, vera: Vera, asked: Asked, ada: Visitor, cast: Cast, visitor: Callable[[], Visitor]
) -> None:
    hire(app, invite_vera(app, cast, name="Other Solar").vendor_id, "Otto")
    otto, ana = visitor(), visitor()
    otto.sign_in("otto@example.com", PASSWORD)
    ana.sign_in("ana@example.com", PASSWORD)
    codes = {}
    for name, home, browser in (
        ("otto", "/vendor/statements", otto),
        ("ana", "/team", ana),
        ("ada", "/admin", ada),
    ):
        read = browser.visit(asked.vendor).status_code
        assert browser.visit(home).status_code == 200
        codes[name] = (read, browser.submit(f"{asked.vendor}/answer", {"answer": "Mine."}).status_code)

    assert codes == {"otto": (404, 404), "ana": (403, 403), "ada": (403, 403)}
    with app.app_context():
        assert db.session.scalars(select(StatementQuestion.answer)).one() is None
