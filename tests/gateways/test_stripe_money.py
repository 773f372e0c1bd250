"""The real Stripe SDK against the sandbox: refunds, disputes, subscriptions, the customer portal, events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe import Refunding, RefundRejected
from tests.gateways.conftest import until
from tests.gateways.outside import Outside, a_checkout

CARD = {"card": "4242424242424242"}


def paid(outside: Outside, **changes) -> str:
    """A paid session."""
    page = outside.stripe().open_checkout(a_checkout(**changes))
    outside.post(f"/checkout/{page.session_id}/pay", CARD)
    return page.session_id


def act(outside: Outside, session: str, *acts: str) -> None:
    for name in acts:
        assert outside.post(f"/checkout/{session}/{name}")[0] == 303


def kinds(outside: Outside) -> list[str]:
    return [event["type"] for event in reversed(outside.books("event"))]


def refunding(outside: Outside, cents: int, key: str = "refund-a-g1") -> Refunding:
    intent = outside.books("payment_intent")[0]["id"]
    return Refunding(intent_ref=intent, amount_cents=cents, request_id="a", idempotency_key=key)


def test_a_refund_is_made_told_and_found_again(outside):
    paid(outside)

    refund = outside.stripe().refund(refunding(outside, 10_000))

    until(lambda: len(outside.door.calls) == 3)
    told = {event.type: event for event in outside.door.events()}
    made = told["refund.created"]
    assert (made.object_id, made.amount, made.status, made.request_id) == (refund, 10_000, "succeeded", "a")
    assert made.object_ref == made.intent_ref == told["charge.refunded"].intent_ref
    intent = made.intent_ref
    assert outside.stripe().find_refund(intent_ref=intent, request_id="a") == refund
    assert outside.stripe().find_refund(intent_ref=intent, request_id="b") == ""


@pytest.mark.parametrize(
    ("before", "cents", "why"),
    [
        ((), 30_000, "greater than unrefunded"),
        (("refund",), 1, "charge_already_refunded"),
        (("dispute",), 1, "charge_disputed"),
    ],
)
def test_what_cannot_be_refunded_is_refused(outside, before, cents, why):
    act(outside, paid(outside), *before)

    with pytest.raises(RefundRejected, match=why):
        outside.stripe().refund(refunding(outside, cents))


def test_the_same_key_refunds_once_though_its_answer_was_lost(outside):
    paid(outside)
    outside.order("stripe.refunds.create", "drop_after", "ok")

    with pytest.raises(ProviderUnavailable) as lost:
        outside.stripe().refund(refunding(outside, 10_000))
    outside.stripe().refund(refunding(outside, 10_000))

    assert not lost.value.key_is_spent
    assert len(outside.books("refund")) == 1


def test_a_stored_500_is_the_answer_for_that_key_for_ever(outside):
    paid(outside)
    outside.order("stripe.refunds.create", "500_after")

    for _ in range(2):
        with pytest.raises(ProviderUnavailable) as broken:
            outside.stripe().refund(refunding(outside, 10_000))
        assert broken.value.key_is_spent

    assert len(outside.books("refund")) == 1
    assert outside.stripe().find_refund(intent_ref=refunding(outside, 1).intent_ref, request_id="a") != ""


def test_a_dispute_is_opened_and_won_or_lost(outside):
    act(outside, paid(outside), "dispute", "win")
    act(outside, paid(outside, idempotency_key="another"), "dispute", "lose")

    assert kinds(outside)[1:5] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]
    assert [each["status"] for each in outside.books("dispute")] == ["lost", "won"]


def test_a_subscription_renews_fails_is_paid_late_and_ends(outside):
    session = paid(outside, monthly_cents=1_900)
    act(outside, session, "renew", "fail-renewal", "pay-late", "call-off", "end", "renew")

    assert [kind for kind in kinds(outside) if not kind.startswith("invoice_payment")] == [
        "checkout.session.completed",
        "invoice.paid",
        "invoice.paid",
        "customer.subscription.updated",
        "invoice.payment_failed",
        "customer.subscription.updated",
        "invoice.paid",
        "customer.subscription.updated",
        "customer.subscription.updated",
        "customer.subscription.deleted",
    ]
    until(lambda: len(outside.door.calls) == len(outside.books("event")))
    told = {event.type: event for event in outside.door.events()}
    deleted = told["customer.subscription.deleted"]
    assert (deleted.registration_id, deleted.status, bool(deleted.ends_at)) == ("reg1", "canceled", True)
    assert told["invoice.payment_failed"].subscription_ref == deleted.subscription_ref
    assert told["invoice.paid"].paid_until is not None


def test_the_customer_portal_opens_and_ends_a_subscription(outside):
    paid(outside, monthly_cents=1_900)
    customer = outside.books("customer")[0]["id"]

    url = outside.stripe().open_portal(customer_ref=customer, return_url="http://localhost:8000/plan")

    path = url.removeprefix(outside.address)
    assert "It renews on" in outside.get(path)
    assert outside.post(f"{path}/cancel")[0] == 303
    assert "It ends on" in outside.get(path)
    assert outside.books("subscription")[0]["cancel_at_period_end"]
    with pytest.raises(ProviderUnavailable):
        outside.stripe().open_portal(customer_ref="cus_nobody", return_url="http://localhost:8000/plan")


def test_missed_events_are_listed_with_the_body_a_webhook_would_have_had(outside):
    outside.order("webhook", "lost")
    paid(outside)

    (found,) = outside.stripe().events_since(datetime(2026, 1, 1, tzinfo=UTC))

    from portal.gateways.stripe_events import stored_event

    assert outside.door.calls == []
    assert (stored_event(found.body).registration_id, found.type) == ("reg1", "checkout.session.completed")


@pytest.mark.parametrize(
    ("path", "fields", "unknown"),
    [
        ("/stripe/v1/refunds", {"payment_intent": "pi_1", "why": "because"}, "why"),
        (
            "/stripe/v1/billing_portal/sessions",
            {"customer": "cus_1", "flow_data[kind]": "x"},
            "flow_data[kind]",
        ),
        (
            "/stripe/v1/checkout/sessions",
            {"mode": "payment", "line_items[0][cost]": "1"},
            "line_items[0][cost]",
        ),
    ],
)
def test_a_parameter_that_the_sdk_does_not_know_is_refused(outside, path, fields, unknown):
    status, body = outside.post(path, fields, Authorization="Bearer sk_test_1")

    assert (status, unknown in body) == (400, True), body


def test_a_page_that_stripe_does_not_know_told_nothing(outside):
    paid(outside)

    assert outside.stripe().page_event("cs_test_gone") is None
    outside.order("stripe.checkout.get", "500_before", "500_before", "500_before")
    with pytest.raises(ProviderUnavailable):
        outside.stripe().page_event("cs_test_gone")
