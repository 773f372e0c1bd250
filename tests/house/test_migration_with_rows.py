"""Migrations keep what is there: sales, what points to them, and the guards, on both engines, both ways."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from portal import enable_migrations
from portal.extensions import db
from portal.models import Consultant, Customer, Order, Service, Statement, StatementDifference
from portal.models.guards import missing_guards
from portal.statements.questions import put_question
from tests.commissions.closed import closed
from tests.commissions.shared_sales import SHARES, change, offer, sell
from tests.conftest import Database
from tests.people import Cast
from tests.shop import reverse_sale

COLUMNS = (
    "id, public_id, cycle_id, consultant_id, contract_id, milestone, volume, revenue_cents, occurred_at,"
    " recorded_at, reverses_id, cause"
)
CONTRACTS_TERMS = (
    "SELECT s.id, c.terms_version_id FROM sale s JOIN contract c ON c.id = s.contract_id ORDER BY s.id"
)
NOT_LOST = "SELECT count(*) FROM commission_line l JOIN sale s ON s.id = l.sale_id"


@pytest.fixture
def sold(app: Flask, do: Any, cast: Cast) -> None:
    """Two sales by different terms, paid in a closed cycle, and a part of one taken back after it."""
    terms = do(offer, "Volta", "charger", SHARES)
    first = do(sell, cast.ben, terms, revenue=200_00, volume=50_00)
    do(sell, cast.cem, (terms[0], do(change, terms[0], date(2026, 12, 1), None)), revenue=100_00)
    with app.app_context():
        closed(cast.cycle, cast.ada, cast.fin)
    do(reverse_sale, first, volume=10_00, revenue=40_00)


def asked(database: Database, statement: str) -> list[Any]:
    engine = create_engine(database.owner_url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(statement))]
    engine.dispose()
    return rows


def test_sales_get_the_terms_of_their_contracts_and_stay_as_they_are(
    app: Flask, database: Database, sold: None
) -> None:
    before, lines = asked(database, f"SELECT {COLUMNS} FROM sale ORDER BY id"), asked(database, NOT_LOST)
    numbers = "SELECT id, txid::text FROM sale ORDER BY id" if database.engine == "postgresql" else NOT_LOST
    transactions = asked(database, numbers)

    walked(app, database, down="0005")

    assert asked(database, f"SELECT {COLUMNS} FROM sale ORDER BY id") == before
    assert asked(database, "SELECT id, terms_version_id FROM sale ORDER BY id") == asked(
        database, CONTRACTS_TERMS
    )
    assert len({terms for _, terms in asked(database, CONTRACTS_TERMS)}) == 2
    assert asked(database, NOT_LOST) == lines != [(0,)]
    assert asked(database, numbers) == transactions


def test_who_paid_here_is_vouched_for_by_the_order_and_others_by_their_vendor(
    app: Flask, database: Database, cast: Cast, do: Any
) -> None:
    do(_two_customers, cast)
    marks = "SELECT verified_by FROM customer ORDER BY ref"
    assert asked(database, marks) == [("order",), ("vendor",)]

    walked(app, database, down="0006", up=False)
    assert asked(database, marks) == [("vendor",), ("vendor",)]
    walked(app, database)
    assert asked(database, marks) == [("order",), ("vendor",)]


def _two_customers(uow: Any, cast: Cast) -> None:
    """One who ordered and paid in the shop, one whom the vendor told."""
    service_id, _terms = offer(uow, "Volta", "charger", None)
    service = uow.session.get_one(Service, service_id)
    person = uow.session.get_one(Consultant, cast.dia).person
    about = {"person_id": person.id, "consultant_id": cast.ben}
    order = {"size_thousandths": 1_000, "amount_cents": 100, "currency": "USD", "state": "paid"}
    uow.session.add(Order(public_id="a", service_id=service_id, created_at=uow.clock(), **order, **about))
    for ref, by in (("a", "order"), ("b", "vendor")):
        vouched = {"verified_at": uow.clock(), "verified_by": by, "registered_at": uow.clock()}
        uow.session.add(Customer(public_id=ref, ref=ref, vendor_id=service.vendor_id, **vouched, **about))
    uow.session.flush()


def test_questions_to_vendors_stand_as_reasons_before_and_with_their_answers_after(
    app: Flask, database: Database, cast: Cast, do: Any
) -> None:
    do(_a_question, cast)
    notes = "SELECT choice, note FROM statement_difference"
    questions = "SELECT text, asked_by, answer FROM statement_question"

    walked(app, database, down="0006", up=False)
    before = asked(database, notes)
    walked(app, database)

    assert before == [("ask", "Is it so?")]
    assert asked(database, notes) == [("ask", None)]
    assert asked(database, questions) == [("Is it so?", cast.ada, None)]


def _a_question(uow: Any, cast: Cast) -> None:
    service_id, _terms = offer(uow, "Volta", "charger", None)
    vendor_id = uow.session.get_one(Service, service_id).vendor_id
    sent = {"source": "csv", "content": b"", "sha256": "0" * 64, "received_at": uow.clock()}
    statement = Statement(public_id="s", vendor_id=vendor_id, day=uow.clock().date(), **sent)
    uow.session.add(statement)
    uow.session.flush()
    about = {"kind": "missing", "contract_ref": "K1", "type": "service.signed", "fields": {}, "choice": "ask"}
    difference = StatementDifference(public_id="d", statement_id=statement.id, settled_by=cast.ada, **about)
    uow.session.add(difference)
    uow.session.flush()
    put_question(uow, difference, text="Is it so?", actor_id=cast.ada)


def test_the_guards_of_sales_stand_after_the_way_down_and_after_the_way_up(
    app: Flask, database: Database, sold: None
) -> None:
    walked(app, database, down="0006", up=False)
    still_guarded(database)
    walked(app, database)
    still_guarded(database)


def walked(app: Flask, database: Database, *, down: str = "", up: bool = True) -> None:
    """Go down so far, and up again to the newest, as the owner does."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
        if "migrate" not in app.extensions:
            enable_migrations(app)
        if down:
            downgrade(revision=down)
        if up:
            upgrade()
        db.engine.dispose()


def still_guarded(database: Database) -> None:
    engine = create_engine(database.owner_url)
    with engine.connect() as connection:
        assert missing_guards(connection) == []
    for deed in ("UPDATE sale SET volume = 1", "DELETE FROM sale"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(deed))
    engine.dispose()
