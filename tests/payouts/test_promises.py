"""Promises 3 and 5 at a tenth of their size, on both engines: nobody withdraws or decides twice.

`CANOPY_SOAK=10` runs them at full size. Each has its control: with the protection taken away the bad happens.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.kernel.ids import new_id
from portal.ledger import book
from portal.models import Account, Entry, PayoutMethod, Withdrawal
from portal.payouts import batches, service
from portal.store import perform
from tests.payouts.purses import give

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
TRIALS, WORKERS = 20 * TIMES, 32
RESOLVED = 200 * TIMES


@pytest.fixture
def at_once(app):
    """Run works at the same moment; `done` or the name of what refused them."""

    def run(works):
        start = Barrier(len(works))

        def one(work):
            with app.app_context():
                start.wait()
                try:
                    perform(lambda uow: work(uow) and None)
                except DomainError as refusal:
                    return type(refusal).__name__
                return "done"

        with ThreadPoolExecutor(len(works)) as threads:
            return list(threads.map(one, works))

    return run


def test_one_balance_is_withdrawn_once_by_thirty_two_browsers(ben, press, do, purse):
    answers = Counter()
    for trial in range(TRIALS):
        if trial:
            do(lambda uow: give(uow, ben, 500_00))
        codes = [code for code, _ in press([{"amount": "500.00", "key": new_id()} for _ in range(WORKERS)])]
        assert codes.count(303) == 1, codes
        answers.update(codes)

    assert answers == {303: TRIALS, 422: TRIALS * (WORKERS - 1)}
    assert purse(ben) == (0, 0, 500_00 * TRIALS, 0)


def test_without_the_lock_the_limit_of_a_day_is_passed(postgresql_app, ben, press, do, monkeypatch):
    """The control: everybody looks before anybody writes, as it would be without the lock."""
    do(lambda uow: give(uow, ben, 5_000_00))
    do(
        lambda uow: setattr(
            uow.session.query(PayoutMethod).filter_by(code="bank").one(), "daily_limit_cents", 50_000
        )
    )
    looked = Barrier(8, timeout=20)
    terms_of = service.terms_of

    def look_only(uow, *keys):
        ids = book.account_ids(uow, keys)
        rows = {
            row.id: row for row in uow.session.scalars(select(Account).where(Account.id.in_(ids.values())))
        }
        return {key: rows[ids[key]] for key in keys}

    def look_together(*values, **named):
        terms = terms_of(*values, **named)
        looked.wait()
        return terms

    monkeypatch.setattr(service.book, "hold", look_only)
    monkeypatch.setattr(service, "terms_of", look_together)
    codes = [code for code, _ in press([{"amount": "500.00", "key": new_id()} for _ in range(8)])]

    assert codes.count(303) > 1


@pytest.fixture
def postgresql_app(app, database):
    if database.engine != "postgresql":
        pytest.skip("SQLite has one writer at a time; there is no lock to take away")
    return app


@pytest.fixture
def asked(ben, do, cast):
    """Withdrawals of Ben's, the second half of them approved."""

    def make(uow):
        give(uow, ben, 10_00 * RESOLVED)
        named = {"consultant_id": ben, "amount": 10_00, "actor_id": cast.ana}
        rows = [service.request_withdrawal(uow, key=f"r{n}", **named).id for n in range(RESOLVED)]
        for row in rows[RESOLVED // 2 :]:
            service.approve(uow, withdrawal_id=row, actor_id=cast.fin)
        return rows

    return do(make)


def resolutions(row, *, ben, cast, approved):
    """Four deeds of which one can win."""
    reject = [
        lambda uow, actor=actor: service.reject(uow, withdrawal_id=row, actor_id=actor, reason="No.")
        for actor in (cast.fin, cast.ada)
    ]
    if approved:
        export = {"withdrawal_ids": [row], "actor_id": cast.ada}
        return [*reject, *[lambda uow: batches.export_batch(uow, **export)] * 2]
    cancel = {"withdrawal_id": row, "consultant_id": ben, "actor_id": cast.ana}
    return [*reject, *[lambda uow: service.cancel_withdrawal(uow, **cancel)] * 2]


def test_of_four_racing_decisions_one_wins(asked, ben, cast, at_once, app, purse):
    outcomes = Counter()
    for number, row in enumerate(asked):
        found = at_once(resolutions(row, ben=ben, cast=cast, approved=number >= RESOLVED // 2))
        assert found.count("done") == 1, found
        outcomes.update(found)

    assert outcomes == {"done": RESOLVED, "Conflict": 3 * RESOLVED}
    with app.app_context():
        states = Counter(db.session.scalars(select(Withdrawal.state)))
        resolved = db.session.scalars(select(Entry.resolves_id).where(Entry.resolves_id.is_not(None))).all()
    assert len(resolved) == len(set(resolved)) == RESOLVED - states["exported"]
    assert sum(purse(ben)) == 500_00 + 10_00 * RESOLVED


def test_without_the_lock_four_decisions_all_believe_that_they_win(
    postgresql_app, asked, ben, cast, at_once, monkeypatch
):
    """The control: everybody reads before anybody writes. What is left is the key of the books."""
    read, believed = Barrier(4, timeout=20), []
    give_back = service.give_back

    def read_only(uow, model, row_id):
        return uow.session.get(model, row_id)

    def believe(uow, withdrawal, **named):
        believed.append(named["state"])
        if len(believed) <= 4:
            read.wait()
        give_back(uow, withdrawal, **named)

    monkeypatch.setattr(service, "lock_row", read_only)
    monkeypatch.setattr(service, "give_back", believe)
    at_once(resolutions(asked[0], ben=ben, cast=cast, approved=False))

    assert len(believed) >= 4, "with the lock one would have come this far"
