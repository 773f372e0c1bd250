"""The real Stripe SDK against the sandbox: what Stripe keeps, and whose name a list is asked for in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.gateways.errors import ProviderUnavailable
from portal.gateways.sandbox.balance import charge_fee
from portal.kernel.provider_events import MoneyMove
from tests.gateways.outside import Outside, a_checkout
from tests.gateways.test_stripe_money import act, paid, refunding


def moves(outside: Outside, kind: str, thing: str) -> list[tuple[int, int]]:
    ref = outside.books(thing)[0]["id"]
    return [(move.amount_cents, move.fee_cents) for move in outside.stripe().money_moves(kind, ref)]


@pytest.mark.parametrize(("cents", "fee"), [(50, 31), (1_500, 74), (5_000, 175), (29_900, 897)])
def test_a_card_costs_three_percent_less_a_tenth_and_thirty_cents(cents, fee):
    assert charge_fee(cents) == fee


def test_the_fee_of_a_payment_is_told_with_its_intent(outside):
    paid(outside)

    (move,) = outside.stripe().money_moves("payment", refunding(outside, 1).intent_ref)

    kept = outside.books("balance_transaction")[0]
    assert move == MoneyMove(kept["id"], 29_900, 897, "usd")
    assert kept["net"] == 29_003


def test_a_refund_gives_no_fee_back_and_a_won_dispute_gives_its_own(outside):
    session = paid(outside)
    outside.stripe().refund(refunding(outside, 10_000))
    assert moves(outside, "refund", "refund") == [(-10_000, 0)]
    act(outside, session, "fail-refund")
    assert moves(outside, "refund", "refund") == [(-10_000, 0), (10_000, 0)]

    act(outside, session, "dispute")
    assert moves(outside, "dispute", "dispute") == [(-29_900, 1_500)]
    act(outside, session, "win")
    assert moves(outside, "dispute", "dispute") == [(-29_900, 1_500), (29_900, -1_500)]


def test_the_balance_is_the_sum_of_its_lines(outside):
    client = outside.stripe()._client
    before = client.v1.balance.retrieve().available[0].amount
    act(outside, paid(outside), "refund-part", "dispute", "lose")

    after = client.v1.balance.retrieve().available[0].amount

    assert after - before == sum(line["net"] for line in outside.books("balance_transaction"))


def test_what_stripe_does_not_know_or_say_is_no_fee(outside):
    assert outside.stripe().money_moves("payment", "pi_nobody") == []
    outside.order("stripe.disputes.get", "500_before")
    with pytest.raises(ProviderUnavailable):
        outside.stripe().money_moves("dispute", "dp_1")


def test_only_what_can_be_expanded_is_expanded(outside):
    paid(outside)
    intents, ref = outside.stripe()._client.v1.payment_intents, outside.books("payment_intent")[0]["id"]

    plain = intents.retrieve(ref)
    whole = intents.retrieve(ref, {"expand": ["latest_charge"]})

    assert plain.latest_charge == whole.latest_charge.id
    assert isinstance(whole.latest_charge.balance_transaction, str)
    with pytest.raises(Exception, match="cannot be expanded"):
        intents.retrieve(ref, {"expand": ["colour"]})


def test_charges_are_listed_as_the_events_that_would_have_told_them(outside):
    for number in range(3):
        page = outside.stripe().open_checkout(a_checkout(idempotency_key=f"key-{number}"))
        outside.post(f"/checkout/{page.session_id}/pay", {"card": "4242424242424242"})

    found = list(outside.stripe().charges_since(datetime.now(UTC) - timedelta(hours=1)))

    assert {each.type for each in found} == {"charge.succeeded"}
    assert {each.object_ref for each in found} == {each["id"] for each in outside.books("payment_intent")}
    assert list(outside.stripe().charges_since(datetime.now(UTC) + timedelta(hours=1))) == []
