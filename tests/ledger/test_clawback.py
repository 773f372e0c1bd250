"""P15 and P2: whatever is earned, released, taken back and withdrawn, in whatever order, the wallet is what a
small model says, nothing is below 0, no more is taken than was asked, and no balance drifts.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import text

from portal.kernel.money import Cents
from portal.ledger import audit, book, releases, statements
from portal.ledger.accounts import BANK, COMMISSION_EXPENSE, available, pending, receivable, reserved
from portal.ledger.book import Draft, Move
from portal.ledger.releases import claw_back, held_wallets
from portal.payouts.releases import release_due
from portal.store import unit_of_work
from tests.ledger.sizes import SEED, TIMES
from tests.payouts.purses import LONG_AGO, earn, in_days

SEQUENCES = 2_000 * TIMES
ASKED_EACH = 10
LATER = in_days(400)
CENTS = st.integers(1, 200_00)
NET = """
    SELECT COALESCE(SUM(CASE WHEN d.purpose = 'commission_expense' THEN p.amount_cents
                             WHEN c.purpose = 'commission_expense' THEN -p.amount_cents ELSE 0 END), 0)
      FROM posting p JOIN account d ON d.id = p.debit_id JOIN account c ON c.id = p.credit_id
     WHERE :owner IN (CASE d.owner_type WHEN 'consultant' THEN d.owner_id END,
                      CASE c.owner_type WHEN 'consultant' THEN c.owner_id END)
"""
STEPS = st.one_of(
    st.tuples(st.just("earn"), CENTS),
    st.tuples(st.just("earn held"), CENTS),
    st.tuples(st.just("release"), st.just(0)),
    st.tuples(st.just("refund"), CENTS),
    st.tuples(st.just("same refund again"), st.just(0)),
    st.tuples(st.just("withdraw all"), st.just(0)),
)
WORDS = st.lists(STEPS, min_size=1, max_size=7)


@dataclass
class Model:
    """What the wallet should be: holds as [left, is due], what is free, what is owed; and what happened."""

    holds: list[list[int]] = field(default_factory=list)
    free: int = 0
    debt: int = 0
    earned: int = 0
    taken: int = 0
    out: int = 0

    def earn(self, cents: int, *, due: bool) -> None:
        self.holds.append([cents, due])
        self.earned += cents

    def release(self) -> None:
        for hold in [hold for hold in self.holds if hold[1]]:
            owed = min(hold[0], self.debt)
            self.debt -= owed
            self.free += hold[0] - owed
            self.holds.remove(hold)

    def refund(self, cents: int) -> None:
        self.taken += cents
        for hold in sorted(self.holds, key=lambda hold: not hold[1]):
            part = min(cents, hold[0])
            hold[0] -= part
            cents -= part
        part = min(cents, self.free)
        self.free -= part
        self.debt += cents - part

    def withdraw(self) -> None:
        self.out += self.free
        self.free = 0

    def purse(self) -> tuple[int, int, int]:
        return sum(hold[0] for hold in self.holds), self.free, self.debt


def play(uow, owner, cycle, steps):
    """The same steps in the books and in the model; the model."""
    model, last = Model(), None
    for number, (step, cents) in enumerate(steps):
        key = f"step-{owner}-{number}"
        if step in ("earn", "earn held"):
            earn(uow, owner, cents, cycle=cycle, due_on=LONG_AGO if step == "earn" else LATER)
            model.earn(cents, due=step == "earn")
        elif step == "release":
            release_due(uow, today=uow.clock().date())
            model.release()
        elif step == "refund":
            last = (cents, key)
            claw_back(uow, consultant_id=owner, amount=Cents(cents), key=key, cause=("test", owner))
            model.refund(cents)
        elif step == "same refund again" and last is not None:
            claw_back(uow, consultant_id=owner, amount=Cents(last[0]), key=last[1], cause=("test", owner))
        elif step == "withdraw all":
            withdraw(uow, owner, key)
            model.withdraw()
    return model


def withdraw(uow, owner, key):
    """All that is free leaves through the reserve, as a paid withdrawal does."""
    free = book.balance(uow, available(owner))
    if free:
        book.post(uow, Draft(f"{key}-set", "test", [Move(available(owner), reserved(owner), free)]))
        book.post(uow, Draft(f"{key}-paid", "test", [Move(reserved(owner), BANK, free)]))


def purse_of(session, owner):
    found = statements.balances(session, owner)
    return (found.pending, found.available, found.debt), found.reserved


def judge(session, owner, model):
    """From the database alone: the purse is the model's, and all that went in and out comes to it."""
    purse, set_aside = purse_of(session, owner)
    assert purse == model.purse() and min(purse) >= 0 and set_aside == 0
    net = session.execute(text(NET), {"owner": owner}).scalar_one()
    assert net == model.earned - model.taken
    assert purse[0] + purse[1] - purse[2] + model.out == model.earned - model.taken


class Stage:
    """Plays sequences in one transaction, each undone before the next; all invariants after every tenth."""

    def __init__(self, uow, cast):
        self.uow, self.cast, self.number = uow, cast, 0

    def run(self, steps):
        self.number += 1
        step = self.uow.session.begin_nested()
        try:
            model = play(self.uow, self.cast.ben, self.cast.cycle, steps)
            judge(self.uow.session, self.cast.ben, model)
            if self.number % ASKED_EACH == 1:
                assert audit.broken_invariants(self.uow.session) == []
        finally:
            step.rollback()


@contextmanager
def stage_in(app, cast_of):
    with app.app_context():
        cast = cast_of(app)
        with unit_of_work() as uow:
            purses = [make(cast.ben) for make in (pending, available, reserved, receivable)]
            book.hold(uow, *purses, BANK, COMMISSION_EXPENSE)
            yield Stage(uow, cast)


def sequences(number, run):
    """The same sequences at every run; a failing one is made as short as it can be."""
    rules = settings(
        max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    seed(SEED)(rules(given(WORDS)(lambda steps: run(steps))))()


def test_every_sequence_ends_as_the_model_says_and_nothing_drifts(sqlite_app, cast_of):
    with stage_in(sqlite_app, cast_of) as stage:
        sequences(SEQUENCES, stage.run)
    assert stage.number >= SEQUENCES * 9 // 10


@pytest.mark.postgres
def test_so_they_do_on_postgresql(postgresql_database, make_app, cast_of):
    with stage_in(make_app(postgresql_database), cast_of) as stage:
        sequences(SEQUENCES // 20, stage.run)
    assert stage.number >= SEQUENCES // 20 * 9 // 10


def test_without_the_key_a_refund_told_twice_takes_twice(sqlite_app, cast_of, monkeypatch):
    """The control: the look at known keys is taken away."""
    names = iter(range(10**6))

    def forgetful(uow, *, consultant_id, amount, key, cause):
        claw = releases.Claw(consultant_id, amount, f"{key}-{next(names)}", cause)
        releases.claw_back_many(uow, [claw])

    monkeypatch.setattr("tests.ledger.test_clawback.claw_back", forgetful)
    with stage_in(sqlite_app, cast_of) as stage, pytest.raises(AssertionError):
        stage.run([("earn", 100), ("refund", 40), ("same refund again", 0)])


def test_without_the_order_of_holds_money_that_is_free_is_taken_first(sqlite_app, cast_of, monkeypatch):
    """The control: what is held is not looked at, so a refund takes free money while there is held money."""

    def no_holds(uow, consultant_ids):
        return {
            key: 0 if key.purpose == "pending" else balance
            for key, balance in held_wallets(uow, consultant_ids).items()
        }

    monkeypatch.setattr(releases, "held_wallets", no_holds)
    with stage_in(sqlite_app, cast_of) as stage, pytest.raises(AssertionError):
        stage.run([("earn", 100), ("release", 0), ("earn held", 50), ("refund", 40)])


def test_without_the_trigger_a_balance_drifts_and_is_found(sqlite_app, cast_of):
    """P2's control: postings that no longer move balances."""
    with stage_in(sqlite_app, cast_of) as stage:
        stage.uow.session.execute(text("DROP TRIGGER posting_moves_balances"))
        move = [Move(COMMISSION_EXPENSE, available(stage.cast.ben), Cents(1))]
        book.post(stage.uow, Draft("drift", "test", move))
        found = [each.invariant for each in audit.broken_invariants(stage.uow.session)]
    assert "each tracked balance equals the sum of its postings" in found
    assert "the trial balance is 0 in each currency" in found
