"""Withdrawals: asked for, decided on, called off, returned."""

from __future__ import annotations

import pytest

from portal.kernel.errors import BadInput, Conflict, DomainError, KeyReused, NotEnoughMoney, NotYours
from portal.ledger.releases import claw_back
from portal.payouts import service
from tests.payouts.purses import fund


@pytest.fixture
def app(sqlite_app):
    """The rules do not depend on the engine; races and the state machine run on both."""
    return sqlite_app


@pytest.fixture
def ask(do, user_of):
    """Ask for a withdrawal; its id."""

    def call(consultant, cents, key):
        named = {"consultant_id": consultant, "amount": cents, "key": key, "actor_id": user_of(consultant)}
        return do(lambda uow: service.request_withdrawal(uow, **named).id)

    return call


def test_what_is_asked_for_is_set_aside(ask, ben, purse):
    ask(ben, 120_00, "k1")

    assert purse(ben) == (0, 380_00, 120_00, 0)


def test_more_than_available_is_refused(ask, ben, purse):
    with pytest.raises(NotEnoughMoney, match=r"\$500.00 is available"):
        ask(ben, 500_01, "k1")

    assert purse(ben) == (0, 500_00, 0, 0)


def test_all_that_is_available_may_be_asked_for(ask, ben, purse):
    ask(ben, 500_00, "k1")

    assert purse(ben) == (0, 0, 500_00, 0)


@pytest.mark.parametrize("cents", [0, -5_00, 10_00 - 1, 25_000_00 + 1])
def test_an_amount_outside_the_limits_is_refused(ask, ben, purse, cents):
    with pytest.raises(BadInput):
        ask(ben, cents, "k1")

    assert purse(ben) == (0, 500_00, 0, 0)


def test_the_same_key_gives_the_same_withdrawal(ask, ben, purse):
    assert ask(ben, 120_00, "k1") == ask(ben, 120_00, "k1")
    assert purse(ben) == (0, 380_00, 120_00, 0)


def test_the_same_key_for_another_amount_is_refused(ask, ben, purse):
    ask(ben, 120_00, "k1")

    with pytest.raises(KeyReused):
        ask(ben, 130_00, "k1")
    assert purse(ben) == (0, 380_00, 120_00, 0)


def test_the_key_of_somebody_else_is_refused(ask, ben, do, cast):
    do(fund, cast.cem, 500_00, cycle=cast.cycle)
    ask(ben, 120_00, "k1")

    with pytest.raises(KeyReused):
        ask(cast.cem, 120_00, "k1")


def test_whoever_owes_cannot_withdraw(ask, ben, do, purse):
    do(claw_back, consultant_id=ben, amount=600_00, key="claw", cause=("test", 1))

    with pytest.raises(NotEnoughMoney, match=r"correction of \$100.00"):
        ask(ben, 10_00, "k1")
    assert purse(ben) == (0, 0, 0, 100_00)


def test_cancelling_gives_the_money_back(ask, ben, do, purse, user_of):
    withdrawal = ask(ben, 120_00, "k1")

    do(service.cancel_withdrawal, withdrawal_id=withdrawal, consultant_id=ben, actor_id=user_of(ben))

    assert purse(ben) == (0, 500_00, 0, 0)


def test_nobody_cancels_for_others(ask, ben, do, cast, user_of):
    withdrawal = ask(ben, 120_00, "k1")

    with pytest.raises(NotYours):
        do(
            service.cancel_withdrawal,
            withdrawal_id=withdrawal,
            consultant_id=cast.cem,
            actor_id=user_of(cast.cem),
        )


def test_an_approved_withdrawal_cannot_be_cancelled(ask, ben, do, cast, user_of):
    withdrawal = ask(ben, 120_00, "k1")
    do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)

    with pytest.raises(Conflict):
        do(service.cancel_withdrawal, withdrawal_id=withdrawal, consultant_id=ben, actor_id=user_of(ben))


def test_nobody_decides_on_their_own(ask, ben, do, user_of, purse):
    withdrawal = ask(ben, 120_00, "k1")

    for decide in (service.approve, lambda *a, **k: service.reject(*a, reason="no", **k)):
        with pytest.raises(DomainError, match="Somebody else"):
            do(decide, withdrawal_id=withdrawal, actor_id=user_of(ben))
    assert purse(ben) == (0, 380_00, 120_00, 0)


def test_a_rejection_needs_a_reason_and_gives_the_money_back(ask, ben, do, cast, purse):
    withdrawal = ask(ben, 120_00, "k1")

    with pytest.raises(BadInput):
        do(service.reject, withdrawal_id=withdrawal, actor_id=cast.fin, reason="  ")
    do(service.reject, withdrawal_id=withdrawal, actor_id=cast.fin, reason="The name does not fit.")

    assert purse(ben) == (0, 500_00, 0, 0)


def test_an_approved_withdrawal_can_still_be_rejected(ask, ben, do, cast, purse):
    withdrawal = ask(ben, 120_00, "k1")
    do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)

    do(service.reject, withdrawal_id=withdrawal, actor_id=cast.ada, reason="The account is closed.")

    assert purse(ben) == (0, 500_00, 0, 0)


def test_an_approval_waits_while_a_debt_is_open(ask, ben, do, cast, purse):
    withdrawal = ask(ben, 500_00, "k1")
    do(claw_back, consultant_id=ben, amount=80_00, key="claw", cause=("test", 1))

    with pytest.raises(Conflict, match="correction"):
        do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)
    do(service.reject, withdrawal_id=withdrawal, actor_id=cast.fin, reason="A correction is open.")

    assert purse(ben) == (0, 420_00, 0, 0)


def test_what_is_decided_is_decided_once(ask, ben, do, cast):
    withdrawal = ask(ben, 120_00, "k1")
    do(service.reject, withdrawal_id=withdrawal, actor_id=cast.fin, reason="No.")

    for decide in (service.approve, lambda *a, **k: service.reject(*a, reason="no", **k)):
        with pytest.raises(Conflict):
            do(decide, withdrawal_id=withdrawal, actor_id=cast.ada)
