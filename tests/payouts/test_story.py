"""Any story of earning, taking back, asking, deciding and paying leaves the books in order.

Hypothesis makes the stories; a model of a few lines says what each wallet must hold.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.ledger import audit, statements
from portal.ledger.releases import claw_back
from portal.models import Withdrawal
from portal.payouts import batches, service
from portal.payouts.releases import release_due
from portal.store import perform
from tests.payouts.purses import earn

FIRST_DAY = date(2026, 1, 1)
cents = st.integers(min_value=1, max_value=60_00)
larger = st.integers(min_value=5_00, max_value=90_00)


class Wallet:
    """What one wallet must hold."""

    def __init__(self):
        self.holds, self.free, self.debt = [], 0, 0

    def take(self, amount):
        for hold in sorted(self.holds, key=lambda hold: hold["due"]):
            part = min(amount, hold["left"])
            hold["left"] -= part
            amount -= part
        part = min(amount, self.free)
        self.free -= part
        self.debt += amount - part

    def put(self, amount):
        part = min(amount, self.debt)
        self.debt -= part
        self.free += amount - part

    @property
    def held(self):
        return sum(hold["left"] for hold in self.holds)


class Story(RuleBasedStateMachine):
    """One application for all stories; each begins with two fresh consultants."""

    app = None
    cast = None
    stories = 0
    asked = Bundle("asked")
    exported = Bundle("exported")

    def __init__(self):
        super().__init__()
        Story.stories += 1
        self.person = perform_in(self.app, lambda uow: _fresh(uow, Story.stories))
        self.wallet, self.today, self.keys = Wallet(), FIRST_DAY, 0
        self.state, self.amount = {}, {}
        self.earns(150_00, 0)
        self.a_day_passes(0)

    def do(self, work):
        return perform_in(self.app, work)

    def key(self):
        self.keys += 1
        return f"story-{Story.stories}-{self.keys}"

    @rule(amount=larger, days=st.integers(0, 3))
    def earns(self, amount, days):
        due = self.today + timedelta(days)
        self.do(lambda uow: earn(uow, self.person, amount, cycle=self.cast.cycle, due_on=due))
        self.wallet.holds.append({"due": due, "left": amount})

    @rule(amount=larger, twice=st.booleans())
    def is_clawed_back(self, amount, twice):
        key = self.key()
        for _ in range(1 + twice):
            self.do(
                lambda uow: claw_back(
                    uow, consultant_id=self.person, amount=amount, key=key, cause=("story", 1)
                )
            )
        self.wallet.take(amount)

    @rule(days=st.integers(0, 2))
    def a_day_passes(self, days):
        self.today += timedelta(days)
        while self.do(lambda uow: release_due(uow, today=self.today, limit=3)):
            pass
        for hold in sorted(self.wallet.holds, key=lambda hold: hold["due"]):
            if hold["due"] <= self.today:
                self.wallet.put(hold["left"])
        self.wallet.holds = [hold for hold in self.wallet.holds if hold["due"] > self.today]

    @rule(target=asked, amount=cents, twice=st.booleans())
    def asks(self, amount, twice):
        key, refused, row = self.key(), False, 0
        named = {"consultant_id": self.person, "amount": amount, "key": key, "actor_id": self.cast.ada}
        for _ in range(1 + twice):
            try:
                row = self.do(lambda uow: service.request_withdrawal(uow, **named).id)
            except DomainError:
                refused = True
        assert refused == (amount < 10_00 or amount > self.wallet.free or self.wallet.debt > 0)
        if refused:
            return multiple()
        self.wallet.free -= amount
        self.state[row], self.amount[row] = "requested", amount
        return row

    @rule(target=asked, amount=st.integers(10_00, 60_00), settled=st.sampled_from(["no", "paid", "void"]))
    def goes_to_the_bank(self, amount, settled):
        """The usual way in one step, so that stories come far."""
        if amount > self.wallet.free or self.wallet.debt:
            return multiple()
        row = self.asks(amount, False)
        self.is_approved(row)
        made = self.is_exported([row])
        if settled != "no":
            self.is_settled(made, settled == "void", False)
        return row

    @rule(row=asked)
    def is_approved(self, row):
        fine = self.state.get(row) == "requested" and self.wallet.debt == 0
        if self.decides(
            row, fine, lambda uow: service.approve(uow, withdrawal_id=row, actor_id=self.cast.fin)
        ):
            self.state[row] = "approved"

    @rule(row=asked)
    def is_rejected(self, row):
        fine = self.state.get(row) in ("requested", "approved")
        if self.decides(
            row,
            fine,
            lambda uow: service.reject(uow, withdrawal_id=row, actor_id=self.cast.fin, reason="No."),
        ):
            self.goes_back(row, "rejected")

    @rule(row=asked)
    def is_called_off(self, row):
        fine = self.state.get(row) == "requested"
        named = {"withdrawal_id": row, "consultant_id": self.person, "actor_id": self.cast.ada}
        if self.decides(row, fine, lambda uow: service.cancel_withdrawal(uow, **named)):
            self.goes_back(row, "cancelled")

    @rule(row=asked)
    def comes_back_from_the_bank(self, row):
        fine = self.state.get(row) in ("exported", "paid")
        named = {"withdrawal_id": row, "actor_id": self.cast.fin, "reason": "No account."}
        if self.decides(row, fine, lambda uow: service.return_withdrawal(uow, **named)):
            self.goes_back(row, "returned")

    @rule(target=exported, rows=st.lists(asked, min_size=1, max_size=3))
    def is_exported(self, rows):
        rows = list(set(rows))
        fine = all(self.state.get(row) == "approved" for row in rows)
        named = {"withdrawal_ids": rows, "actor_id": self.cast.ada}
        batch = self.decides(rows, fine, lambda uow: batches.export_batch(uow, **named))
        if not fine:
            return multiple()
        self.state.update(dict.fromkeys(rows, "exported"))
        return (batch, rows)

    @rule(made=consumes(exported), void=st.booleans(), again=st.booleans())
    def is_settled(self, made, void, again):
        batch, rows = made
        settle = batches.void_batch if void else batches.confirm_batch
        done = self.decides(batch, True, lambda uow: settle(uow, batch_id=batch, actor_id=self.cast.fin))
        for row in rows:
            if done and self.state[row] == "exported":
                self.state[row] = "approved" if void else "paid"
        if again:
            self.decides(
                batch, False, lambda uow: batches.confirm_batch(uow, batch_id=batch, actor_id=self.cast.fin)
            )

    def decides(self, _row, fine, work):
        """Do it; it succeeds exactly when the model says so. The id of what it gave, or 0."""
        try:
            done = self.do(lambda uow: work(uow).id)
        except DomainError:
            assert not fine
            return 0
        assert fine
        return done

    def goes_back(self, row, state):
        self.state[row] = state
        self.wallet.put(self.amount[row])

    @invariant()
    def the_books_agree(self):
        with self.app.app_context():
            found = statements.balances(db.session, self.person)
            states = dict(
                db.session.query(Withdrawal.id, Withdrawal.state).filter_by(consultant_id=self.person).all()
            )
            assert audit.broken_invariants(db.session()) == []
        on_the_way = ("requested", "approved", "exported")
        reserved = sum(self.amount[row] for row, state in self.state.items() if state in on_the_way)
        assert states == self.state
        assert (found.pending, found.available, found.reserved, found.debt) == (
            self.wallet.held,
            self.wallet.free,
            reserved,
            self.wallet.debt,
        )


@pytest.fixture
def the_books(app, cast):
    Story.app, Story.cast = app, cast


def test_no_story_breaks_the_books(the_books, database):
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples={"sqlite": 12, "postgresql": 4}[database.engine],
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def perform_in(app, work):
    with app.app_context():
        return perform(work)


def _fresh(uow, number):
    from tests.people import add_consultant

    return add_consultant(uow, f"Story{number}")
