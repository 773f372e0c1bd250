"""Corrections by hand: a reason, two people, and one entry that keeps the order of who pays what."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict, DomainError, KeyReused
from portal.ledger import audit, statements
from portal.ledger.releases import claw_back
from portal.models import AccountUser, Adjustment, Consultant, Entry, Outbox
from portal.payouts import adjustments
from portal.payouts.adjustments import Proposal
from portal.store import perform
from tests.payouts.purses import earn, fund

REASON = "The vendor reported the size too small."


@pytest.fixture(autouse=True)
def books_are_in_order(app):
    yield
    with app.app_context():
        assert audit.broken_invariants(db.session) == []


@pytest.fixture
def purse(app):
    def read(consultant_id):
        with app.app_context():
            found = statements.balances(db.session, consultant_id)
            return found.pending, found.available, found.debt

    return read


def correction(cast, cents, *, key="a", kind="correction", who=None, reason=REASON):
    return Proposal(who or cast.ben, kind, cents, reason, key)


def booked(do, cast, cents, **more):
    row = do(lambda uow: adjustments.propose(uow, correction(cast, cents, **more), actor_id=cast.ada).id)
    do(lambda uow: adjustments.approve(uow, adjustment_id=row, actor_id=cast.fin) and None)
    return row


def user_of(uow, consultant_id):
    joined = select(AccountUser.id).join(Consultant, Consultant.person_id == AccountUser.person_id)
    return uow.session.scalar(joined.where(Consultant.id == consultant_id))


def test_nothing_is_booked_before_another_person_agrees(app, cast, do, purse):
    row = do(lambda uow: adjustments.propose(uow, correction(cast, 25_00), actor_id=cast.ada).id)
    assert purse(cast.ben) == (0, 0, 0)

    do(lambda uow: adjustments.approve(uow, adjustment_id=row, actor_id=cast.fin) and None)

    assert purse(cast.ben) == (0, 25_00, 0)
    with app.app_context():
        found = db.session.get_one(Adjustment, row)
        entry = db.session.get_one(Entry, found.entry_id)
        assert (entry.key, entry.actor_id) == (f"adj:{found.public_id}", cast.fin)
        fact = db.session.scalars(select(Outbox).where(Outbox.name == "adjustment.booked")).one()
        assert fact.body == {"adjustment_id": row}


def test_neither_the_maker_nor_the_owner_decides_and_the_owner_proposes_nothing(cast, do):
    row = do(lambda uow: adjustments.propose(uow, correction(cast, 25_00), actor_id=cast.ada).id)

    for decide in (adjustments.approve, adjustments.reject):
        more = {"decision": "no"} if decide is adjustments.reject else {}
        for actor in (lambda _: cast.ada, lambda uow: user_of(uow, cast.ben)):
            with pytest.raises(DomainError):
                do(lambda uow, d=decide, a=actor, m=more: d(uow, adjustment_id=row, actor_id=a(uow), **m))
    with pytest.raises(DomainError):
        do(
            lambda uow: adjustments.propose(
                uow, correction(cast, 1, key="b"), actor_id=user_of(uow, cast.ben)
            )
        )


def test_what_is_given_pays_an_open_debt_first(cast, do, purse):
    do(claw_back, consultant_id=cast.ben, amount=10_00, key="claw", cause=("run", 1))

    booked(do, cast, 25_00)

    assert purse(cast.ben) == (0, 15_00, 0)


def test_what_is_taken_comes_from_what_is_held_then_from_what_is_free_then_as_debt(cast, do, purse):
    do(fund, cast.ben, 20_00, cycle=cast.cycle)
    do(earn, cast.ben, 10_00, cycle=cast.cycle)

    booked(do, cast, -5_00)
    assert purse(cast.ben) == (5_00, 20_00, 0)
    booked(do, cast, -15_00, key="b")
    assert purse(cast.ben) == (0, 10_00, 0)
    booked(do, cast, -25_00, key="c")
    assert purse(cast.ben) == (0, 0, 15_00)


def test_a_debt_is_written_off_and_never_more_than_is_owed(cast, do, purse):
    do(claw_back, consultant_id=cast.ben, amount=10_00, key="claw", cause=("run", 1))

    booked(do, cast, 4_00, kind="write_off")
    assert purse(cast.ben) == (0, 0, 6_00)
    with pytest.raises(Conflict):
        booked(do, cast, 6_01, kind="write_off", key="b")


def test_a_decision_stands_and_a_refusal_needs_its_reason(cast, do, purse):
    row = do(lambda uow: adjustments.propose(uow, correction(cast, 25_00), actor_id=cast.ada).id)
    with pytest.raises(BadInput):
        do(adjustments.reject, adjustment_id=row, actor_id=cast.fin, decision=" ")
    do(lambda uow: adjustments.reject(uow, adjustment_id=row, actor_id=cast.fin, decision="Not so.") and None)

    for decide in (adjustments.approve, adjustments.reject):
        more = {"decision": "no"} if decide is adjustments.reject else {}
        with pytest.raises(Conflict):
            do(decide, adjustment_id=row, actor_id=cast.fin, **more)
    assert purse(cast.ben) == (0, 0, 0)


def test_the_same_form_sent_twice_proposes_once(cast, do):
    first, again = (
        do(lambda uow: adjustments.propose(uow, correction(cast, 25_00), actor_id=cast.ada).id)
        for _ in range(2)
    )

    assert first == again
    with pytest.raises(KeyReused):
        do(adjustments.propose, correction(cast, 26_00), actor_id=cast.ada)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cents": 0},
        {"cents": 100_000_01},
        {"cents": -100_000_01},
        {"cents": -1, "kind": "write_off"},
        {"cents": 1, "kind": "gift"},
        {"cents": 1, "reason": "short"},
        {"cents": 1, "reason": "x" * 501},
    ],
)
def test_what_cannot_be_is_refused(app, cast, wrong):
    proposal = correction(cast, **wrong)
    with app.app_context(), pytest.raises(BadInput):
        perform(lambda uow: adjustments.propose(uow, proposal, actor_id=cast.ada))
