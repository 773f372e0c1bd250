"""Promises 4 and 14 at a tenth of their size: a form counts once, a batch is paid once and as it was written.

`CANOPY_SOAK=10` runs them at full size. Each has its control: with the protection taken away the bad happens.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import audit, book
from portal.ledger.accounts import COMMISSION_EXPENSE, available
from portal.ledger.book import Draft, Move
from portal.models import PayoutBatch, Withdrawal
from portal.payouts import batches, queries, results, selections, service
from portal.payouts.approval import approve_selection
from portal.payouts.candidates import Criteria
from portal.payouts.result_files import read_result
from portal.payouts.stored import content_of
from portal.store import perform
from tests.payouts.purses import give
from tests.people import add_consultant

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
KEYS, COPIES = 100 * TIMES, 10
BATCHES, LINES = 20 * TIMES, 50


@pytest.fixture
def app(sqlite_app):
    """The races that depend on the engine are in test_promises.py."""
    return sqlite_app


def test_a_form_sent_ten_times_works_once(ben, press, do, purse, app):
    do(lambda uow: give(uow, ben, 20_000_00))
    for number in range(KEYS):
        form = {"amount": "10.00", "key": new_id()}
        answers = press([form] * COPIES)
        assert len(set(answers)) == 1 and answers[0][0] == 303
        if number % 10 == 0:
            assert press([form | {"amount": "11.00"}])[0][0] == 409
    with app.app_context():
        assert len(db.session.scalars(select(Withdrawal.id)).all()) == KEYS
    assert purse(ben)[2] == 10_00 * KEYS


def test_without_the_key_a_form_sent_ten_times_works_ten_times(ben, press, do, purse, monkeypatch):
    """The control: the key of the form is not kept."""
    reserve = service._reserve

    def forget_key(*values, key, **named):
        return reserve(*values, key=new_id(), **named)

    monkeypatch.setattr(service, "_reserve", forget_key)
    answers = press([{"amount": "10.00", "key": new_id()}] * COPIES)

    assert len(set(answers)) == COPIES
    assert purse(ben)[2] == 10_00 * COPIES


@pytest.fixture
def crowd(app, cast):
    """Fifty consultants with a bank account and a tax form each."""

    def write(uow):
        return [add_consultant(uow, f"P{number}", sponsor=cast.ana) for number in range(LINES)]

    with app.app_context():
        return app, cast, perform(write)


def made_and_approved(house, cast, people):
    """The ids of fifty approved withdrawals."""

    def make(uow):
        drafts = [
            Draft(
                f"gift-{new_id()}",
                "gift",
                [Move(COMMISSION_EXPENSE, available(person), Cents(20_00 + number))],
            )
            for number, person in enumerate(people)
        ]
        book.post_many(uow, drafts)
        found = selections.find(uow, Criteria(minimum=10_00), actor_id=cast.ada).id
        selections.make(uow, selection_id=found, actor_id=cast.ada)
        assert approve_selection(uow, selection_id=found, actor_id=cast.fin) == []
        return list(uow.session.scalars(select(Withdrawal.id).where(Withdrawal.selection_id == found)))

    with house.app_context():
        return perform(make)


def race_to_export(house, ids, actors):
    start = Barrier(len(actors))

    def one(actor):
        with house.app_context():
            start.wait()
            try:
                return perform(lambda uow: batches.export_batch(uow, withdrawal_ids=ids, actor_id=actor).id)
            except DomainError:
                return None

    with ThreadPoolExecutor(len(actors)) as threads:
        return [made for made in threads.map(one, actors) if made is not None]


def edited_answer(content, number):
    """The bank's answer: one line bounced in every second batch, one line altered in each."""
    rows = list(csv.DictReader(io.StringIO(content.decode())))[:-1]
    for row in rows:
        row |= {"outcome": "paid", "reason": ""}
    if number % 2:
        rows[3] |= {"outcome": "failed", "reason": "R03"}
    edit = ({"amount": "9999.00"}, {"reference": "PO-ZZZZZ-Z"}, {"account_number": "11112222"})[number % 3]
    rows[7] |= edit
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def test_batches_are_exported_once_stay_the_same_and_take_no_altered_line(crowd):
    house, cast, people = crowd
    imported = Counter()
    for number in range(BATCHES):
        ids = made_and_approved(house, cast, people)
        (batch,) = race_to_export(house, ids, [cast.fin, cast.ada])
        with house.app_context():
            files = [
                content_of(queries.file_of(db.session(), batch, format=name)) for name in ("csv", "xlsx")
            ]
            answer = read_result(edited_answer(files[0], number))
            for _ in range(2):
                done = perform(
                    lambda uow, batch=batch, answer=answer: results.import_result(
                        uow, answer, batch_id=batch, actor_id=cast.fin
                    )
                )
                imported.update(vars(done))
            again = [
                content_of(queries.file_of(db.session(), batch, format=name)) for name in ("csv", "xlsx")
            ]
            assert again == files
    with house.app_context():
        states = Counter(db.session.scalars(select(Withdrawal.state)))
        assert audit.broken_invariants(db.session) == []
        assert len(db.session.scalars(select(PayoutBatch.id)).all()) == BATCHES
    bounced, altered = BATCHES // 2, BATCHES
    assert states == {
        "paid": BATCHES * LINES - bounced - altered,
        "returned": bounced,
        "exported": altered,
    }
    assert imported["problems"] == altered and imported["returned"] == bounced


def test_without_the_look_at_its_state_a_withdrawal_is_in_two_batches(crowd, monkeypatch):
    """The control: the export believes that all is approved. The check of the books is what finds it."""
    house, cast, people = crowd
    ids = made_and_approved(house, cast, people)
    locked = batches._locked
    monkeypatch.setattr(
        batches,
        "_locked",
        lambda *values: {row: ("approved", method) for row, (_, method) in locked(*values).items()},
    )

    assert len(race_to_export(house, ids, [cast.fin, cast.ada])) == 2
    with house.app_context():
        broken = [one.invariant for one in audit.broken_invariants(db.session)]
        assert broken == ["no withdrawal is in two live batches or in a batch of another sum"]
        empty = select(PayoutBatch.id).where(PayoutBatch.id.not_in(select(Withdrawal.batch_id)))
        perform(lambda uow: batches.void_batch(uow, batch_id=uow.session.scalar(empty), actor_id=cast.fin).id)
