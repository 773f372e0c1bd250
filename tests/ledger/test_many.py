"""A close books many entries in few statements, since the guards of the books run once for each."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import event

from portal.extensions import db
from portal.kernel.money import Cents
from portal.ledger import book, statements
from portal.ledger.accounts import COMMISSION_EXPENSE, pending
from portal.ledger.book import Draft, Move
from portal.store import perform
from tests.people import Cast

MANY = 2_000


def test_many_entries_are_booked_in_few_statements(app: Flask, cast: Cast) -> None:
    rows: list[int] = []

    def look(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO posting "):
            rows.append(statement.count("), (") + 1)

    move = Move(COMMISSION_EXPENSE, pending(cast.ana), Cents(1))
    drafts = [Draft(f"test-{number}", "test", [move]) for number in range(MANY)]
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", look)
        perform(lambda uow: book.post_many(uow, drafts))

        assert sum(rows) == MANY and len(rows) <= 10
        assert statements.balances(db.session(), cast.ana).pending == MANY
