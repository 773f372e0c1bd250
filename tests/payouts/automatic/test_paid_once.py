"""P11, P12: each payout is carried out exactly once, whatever the provider does; and how it breaks otherwise.

`CANOPY_SOAK` multiplies the sizes. Real processes that are killed: `test_processes.py` and `make soak`.
"""

from __future__ import annotations

import itertools

import pytest

from jobs import sending
from portal.gateways.payout_adapter import Absent, Rejected, Unknown
from portal.gateways.stripe_connect import StripeConnect
from portal.payouts.automatic import claiming, findings, orders
from tests.payouts.automatic.show import SOAK

CREATE, LIST = "stripe.transfers.create", "stripe.transfers.list"
PAYOUTS, FORGOTTEN, CONTROL = 100 * SOAK, 50 * SOAK, 40


@pytest.fixture
def database(postgresql_database):
    """What is promised for production is tested on its database."""
    return postgresql_database


pytestmark = pytest.mark.postgres


def faulty(show, *, payouts: int, seed: int = 11) -> None:
    show.queue(payouts, people=10)
    show.order_share(CREATE, LIST, percent=40, calls=5 * payouts, seed=seed)


def test_p11_a_provider_that_fails_at_four_of_ten_calls_pays_each_once(show):
    faulty(show, payouts=PAYOUTS)
    before = show.funds()

    show.settle()

    found = show.judged()
    assert found["faults"] == []
    assert found["paid_once"] == PAYOUTS
    assert before - show.funds() == PAYOUTS * 50_00


def test_p11_control_a_new_key_at_each_try_pays_twice(show, monkeypatch):
    number = itertools.count(1)
    monkeypatch.setattr(orders, "key_of", lambda group, _generation: f"{group}_{next(number)}")
    monkeypatch.setattr(StripeConnect, "lookup", lambda _self, _payout: Absent())
    faulty(show, payouts=CONTROL)

    show.settle()

    assert show.judged()["paid_twice"] > 0


def test_p11_control_without_the_look_up_payouts_stay_open_though_they_were_paid(show, monkeypatch):
    monkeypatch.setattr(StripeConnect, "lookup", lambda _self, _payout: Unknown("not asked"))
    faulty(show, payouts=CONTROL)

    show.settle(days=0.05)

    assert show.judged()["unresolved"] > 0


def test_p11_control_an_error_taken_for_a_refusal_gives_money_back_that_was_paid(show, monkeypatch):
    keep = sending.keep_answer

    def hasty(turn, order, answer):
        keep(turn, order, Rejected("error") if isinstance(answer, Unknown) else answer)

    monkeypatch.setattr(sending, "keep_answer", hasty)
    faulty(show, payouts=CONTROL)

    show.settle()

    assert show.judged()["back_and_paid"] > 0


def forgetful(show, *, payouts: int) -> None:
    """Every answer is lost, half of the orders are carried out, and nobody can be asked for 25 hours."""
    show.queue(payouts, people=5)
    show.order(CREATE, *(["drop_after", "drop_before"] * payouts)[:payouts])
    show.order(LIST, *["500_before"] * 3 * payouts)
    for hours in (0, 1, 11, 13):
        show.later(hours=hours)
        show.drain()
    show.order(LIST)


def test_p12_a_key_that_the_provider_forgot_is_not_used_again(show):
    forgetful(show, payouts=FORGOTTEN)
    assert show.states() == {"resolving": FORGOTTEN}

    show.settle()

    found = show.judged()
    assert found["faults"] == []
    assert found["paid_once"] == FORGOTTEN


def test_p12_control_trusting_the_old_key_without_a_look_pays_twice(show, monkeypatch):
    forgetful(show, payouts=CONTROL)
    monkeypatch.setattr(StripeConnect, "lookup", lambda _self, _payout: Absent())
    monkeypatch.setattr(findings, "_same_key_helps", lambda *_: True)
    monkeypatch.setattr(claiming, "_key_is_too_old", lambda *_: False)

    show.settle(days=1)

    assert show.judged()["paid_twice"] > 0
