"""Many entries as columns: the same as one by one, and refused where a single row is wrong."""

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np
import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.money import Cents
from portal.ledger import book, bulk
from portal.ledger.accounts import COMMISSION_EXPENSE, pending
from portal.ledger.book import Draft, Move
from portal.models import Account, Entry, Posting, Release
from portal.store import perform
from portal.store.copying import copy_rows
from portal.store.unit_of_work import UnitOfWork
from tests.conftest import Database
from tests.people import Cast

MANY = 20_000
FEW = 300
NOWHERE = 424_242
TABLES = {"entry": Entry, "posting": Posting, "release": Release}
WRONG: dict[str, tuple[str, str, Any]] = {
    "a posting of no entry": ("posting", "entry_id", NOWHERE),
    "a posting from no account": ("posting", "debit_id", NOWHERE),
    "a posting to no account": ("posting", "credit_id", NOWHERE),
    "a posting of nothing": ("posting", "amount_cents", 0),
    "a hold of no entry": ("release", "entry_id", NOWHERE),
    "a hold of nobody": ("release", "consultant_id", NOWHERE),
    "a hold of no cycle": ("release", "cycle_id", NOWHERE),
    "an entry in no month": ("entry", "period_id", 190_001),
    "an entry outside its month": ("entry", "effective_on", np.datetime64("2001-01-01", "D")),
    "an entry by nobody": ("entry", "actor_id", NOWHERE),
    "an entry that undoes what never was": ("entry", "reverses_id", 0),
    "an entry that settles what never was": ("entry", "resolves_id", 0),
}


def table(cast: Cast, count: int) -> bulk.Table:
    every = np.arange(count)
    return bulk.Table(
        keys=lambda some: np.strings.add(b"many-", every[some].astype("S")),
        kinds=np.array([b"test one", b"test other"])[every % 2],
        debit=COMMISSION_EXPENSE,
        credit=bulk.Wallets("pending", np.array([cast.ana, cast.ben, cast.cem])[every % 3]),
        amounts=every + 1,
        cause=("test", 1),
    )


def rows(uow: UnitOfWork, cast: Cast, ids: np.ndarray) -> dict[str, dict[str, Any]]:
    """Columns that are right, for as many new rows of each table."""
    today, count = uow.clock().date(), len(ids)
    accounts = book.account_ids(uow, [COMMISSION_EXPENSE, pending(cast.ana)])
    every = {
        "entry": {
            "key": np.strings.add(b"more-", ids.astype("S")),
            "request_hash": np.zeros(count, "V32"),
            "kind": "test",
            "period_id": book.period(uow, today),
            "effective_on": today,
            "created_at": uow.clock(),
            "actor_id": -1,
            "reverses_id": -1,
            "resolves_id": -1,
        },
        "posting": {
            "entry_id": ids,
            "debit_id": accounts[COMMISSION_EXPENSE],
            "credit_id": accounts[pending(cast.ana)],
            "currency": "USD",
            "amount_cents": 1,
        },
        "release": {
            "entry_id": ids,
            "consultant_id": cast.ana,
            "cycle_id": cast.cycle,
            "amount_cents": 1,
            "clawed_cents": 0,
            "due_on": today,
        },
    }
    return every


def write(
    uow: UnitOfWork, cast: Cast, *, wrong: str | None, everywhere: bool = False, into: str = ""
) -> None:
    ids = bulk.post_table(uow, table(cast, FEW))
    name, column, value = WRONG[wrong] if wrong else (into, "", None)
    columns = rows(uow, cast, ids)[name]
    if wrong:
        right = columns[column]
        columns[column] = np.array(np.broadcast_to(right, FEW), np.asarray(value).dtype)
        columns[column][0 if everywhere else FEW // 2 :: 1 if everywhere else FEW] = value
    copy_rows(uow.session, TABLES[name], columns, count=FEW)


def test_entries_from_columns_are_what_their_drafts_would_be(
    app: Flask, cast: Cast, database: Database
) -> None:
    told: list[int] = []
    with app.app_context():
        perform(lambda uow: bulk.post_table(uow, table(cast, MANY), told=told.append))

        entries = db.session.scalars(select(Entry).order_by(Entry.id)).all()
        moved = db.session.execute(
            select(Account.owner_id, Posting.amount_cents)
            .join(Account, Account.id == Posting.credit_id)
            .order_by(Posting.id)
        ).all()
    owners = (cast.ana, cast.ben, cast.cem)
    for at in (0, 1, 9_999, 10_000, 16_383, 16_384, MANY - 1):
        kind = "test other" if at % 2 else "test one"
        move = Move(COMMISSION_EXPENSE, pending(owners[at % 3]), Cents(at + 1))
        assert (entries[at].key, entries[at].kind) == (f"many-{at}", kind)
        assert entries[at].request_hash == Draft("", kind, [move]).fingerprint()
        assert tuple(moved[at]) == (owners[at % 3], at + 1)
    assert (len(entries), len(moved)) == (MANY, MANY)
    assert told == ([16_384, MANY, 36_384, 2 * MANY] if database.engine == "postgresql" else [])


@pytest.mark.parametrize("everywhere", [False, True], ids=["in one row", "in all rows"])
def test_what_is_wrong_is_refused_by_the_database(app: Flask, cast: Cast, everywhere: bool) -> None:
    with app.app_context():
        for wrong in WRONG:
            with pytest.raises((psycopg.Error, sqlite3.Error)):
                perform(lambda uow, wrong=wrong: write(uow, cast, wrong=wrong, everywhere=everywhere))
                pytest.fail(f"{wrong} was stored")
        assert db.session.scalar(select(Entry.id).limit(1)) is None


def test_what_is_right_is_stored(app: Flask, cast: Cast) -> None:
    """The control: the same rows without the fault."""
    for name in TABLES:
        with app.app_context(), pytest.raises(InterruptedError):
            perform(lambda uow, name=name: (write(uow, cast, wrong=None, into=name), _stop()))


def _stop() -> None:
    raise InterruptedError
