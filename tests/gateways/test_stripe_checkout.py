"""The real Stripe SDK against the sandbox: pages are opened, paid, declined, expire, and fail."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe

from portal.gateways.errors import ProviderUnavailable
from tests.gateways.conftest import until
from tests.gateways.outside import Outside, a_checkout

CARD = "4242 4242 4242 4242"


def kinds(outside: Outside) -> list[str]:
    return [event.type for event in outside.door.events()]


def told(outside: Outside, *wanted: str) -> bool:
    return sorted(kinds(outside)) == sorted(wanted)


def test_a_test_card_pays_and_the_portal_is_told(outside):
    page = outside.stripe().open_checkout(a_checkout())

    status, target = outside.post(f"/checkout/{page.session_id}/pay", {"card": CARD})

    assert (status, target) == (303, f"http://localhost:8000/join/done?session={page.session_id}")
    until(lambda: told(outside, "checkout.session.completed"))
    (event,) = outside.door.events()
    assert event.registration_id == "reg1"
    assert event.session_id == event.object_id == page.session_id
    assert (event.amount, event.currency, event.paid, event.livemode) == (29_900, "usd", True, False)
    assert event.payment_ref.startswith("pi_")
    assert event.subscription_ref == ""


def test_a_monthly_price_makes_a_subscription_with_a_first_invoice(outside):
    page = outside.stripe().open_checkout(a_checkout(monthly_cents=2_900))

    outside.post(f"/checkout/{page.session_id}/pay", {"card": CARD})

    until(lambda: told(outside, "checkout.session.completed", "invoice.paid", "invoice_payment.paid"))
    completed, invoice, link = sorted(outside.door.events(), key=lambda event: event.type)
    assert (completed.amount, invoice.amount) == (32_800, 32_800)
    assert completed.payment_ref == invoice.payment_ref == invoice.object_id
    assert completed.subscription_ref == invoice.subscription_ref != ""
    assert (invoice.registration_id, invoice.billing_reason) == ("reg1", "subscription_create")
    assert (link.payment_ref, link.intent_ref[:3]) == (invoice.object_id, "pi_")


def test_a_subscription_renews_on_request_for_its_monthly_price(outside):
    page = outside.stripe().open_checkout(a_checkout(monthly_cents=2_900))
    outside.post(f"/checkout/{page.session_id}/pay", {"card": CARD})

    outside.post(f"/checkout/{page.session_id}/renew")

    until(lambda: len(outside.door.calls) == 6)
    renewal = next(event for event in outside.door.events() if event.billing_reason == "subscription_cycle")
    assert (renewal.amount, renewal.registration_id, renewal.paid) == (2_900, "reg1", True)
    invoices = [event for event in outside.door.events() if event.type == "invoice.paid"]
    assert len({event.payment_ref for event in invoices}) == 2


def test_a_declined_card_pays_nothing_and_can_be_followed_by_a_good_one(outside):
    page = outside.stripe().open_checkout(a_checkout())

    status, body = outside.post(f"/checkout/{page.session_id}/pay", {"card": "4000000000000002"})

    assert status == 402
    assert "Your card was declined." in body
    assert outside.books("event") == []
    assert outside.post(f"/checkout/{page.session_id}/pay", {"card": CARD})[0] == 303


def test_paying_twice_is_one_payment(outside):
    page = outside.stripe().open_checkout(a_checkout())
    outside.post(f"/checkout/{page.session_id}/pay", {"card": CARD})

    status, target = outside.post(f"/checkout/{page.session_id}/pay", {"card": CARD})

    assert (status, target) == (303, f"/sandbox/checkout/{page.session_id}")
    assert len(outside.books("event")) == 1


def test_a_bank_payment_completes_unpaid_and_arrives_later(outside):
    page = outside.stripe().open_checkout(a_checkout())
    outside.post(f"/checkout/{page.session_id}/bank")
    until(lambda: told(outside, "checkout.session.completed"))
    assert not outside.door.events()[0].paid

    outside.post(f"/checkout/{page.session_id}/arrive")

    until(lambda: len(outside.door.calls) == 2)
    arrived = outside.door.events()[1]
    assert (arrived.type, arrived.paid) == ("checkout.session.async_payment_succeeded", True)
    assert arrived.payment_ref == outside.door.events()[0].payment_ref


def test_a_page_expires_after_a_day_and_cannot_be_paid(outside):
    page = outside.stripe().open_checkout(a_checkout())
    outside.shift[0] = timedelta(hours=24, seconds=1)

    assert "has expired" in outside.get(f"/checkout/{page.session_id}")

    outside.post(f"/checkout/{page.session_id}/pay", {"card": CARD})
    assert [event["type"] for event in outside.books("event")] == ["checkout.session.expired"]
    outside.shift[0] = timedelta(0)


def test_the_api_expires_an_open_session_and_only_an_open_one(outside):
    page = outside.stripe().open_checkout(a_checkout())
    sessions = outside.stripe()._client.v1.checkout.sessions

    assert sessions.expire(page.session_id).status == "expired"

    with pytest.raises(stripe.InvalidRequestError):
        sessions.expire(page.session_id)
    assert sessions.retrieve(page.session_id).status == "expired"


def test_events_can_be_listed_page_by_page_and_fetched(outside):
    for number in range(3):
        page = outside.stripe().open_checkout(a_checkout(idempotency_key=f"key-{number}"))
        outside.post(f"/checkout/{page.session_id}/pay", {"card": CARD})
    events = outside.stripe()._client.v1.events

    listed = list(events.list({"limit": 2, "type": "checkout.session.completed"}).auto_paging_iter())

    assert [event.id for event in listed] == [event["id"] for event in outside.books("event")]
    assert events.retrieve(listed[0].id).data.object["object"] == "checkout.session"
    assert list(events.list({"types": ["invoice.paid"]}).data) == []


def test_the_same_key_gives_the_same_page(outside):
    first = outside.stripe().open_checkout(a_checkout())

    assert outside.stripe().open_checkout(a_checkout()) == first
    assert len(outside.books("session")) == 1


def test_the_same_key_with_other_parameters_is_refused(outside):
    outside.stripe().open_checkout(a_checkout())

    with pytest.raises(ProviderUnavailable, match="HTTP 400") as refused:
        outside.stripe().open_checkout(a_checkout(once_cents=100))

    assert refused.value.key_is_spent
    assert isinstance(refused.value.__cause__, stripe.IdempotencyError)


@pytest.mark.parametrize(
    ("fault", "pages_made", "key_is_spent"),
    [
        ("drop_before", 0, False),
        ("drop_after", 1, False),
        ("500_before", 0, True),
        ("500_after", 1, True),
        ("429", 0, False),
        ({"hang": 1.5}, 1, False),
    ],
)
def test_every_fault_is_one_error_that_says_which_key_to_use(outside, fault, pages_made, key_is_spent):
    outside.order("stripe.checkout.create", fault)

    with pytest.raises(ProviderUnavailable) as unavailable:
        outside.stripe(timeout_seconds=0.8).open_checkout(a_checkout())

    until(lambda: len(outside.books("session")) == pages_made)
    assert unavailable.value.key_is_spent is key_is_spent
    if key_is_spent:
        with pytest.raises(ProviderUnavailable):
            outside.stripe().open_checkout(a_checkout())
        outside.stripe().open_checkout(a_checkout(idempotency_key="registration-reg1-2"))
    else:
        outside.stripe().open_checkout(a_checkout())
        assert len(outside.books("session")) == 1


def test_the_sdk_tries_again_after_a_drop_and_gets_the_one_page(outside):
    outside.order("stripe.checkout.create", "drop_after", "drop_before")

    page = outside.stripe(retries=2).open_checkout(a_checkout())

    assert [session["id"] for session in outside.books("session")] == [page.session_id]


def test_a_provider_that_is_not_there_is_unavailable():
    from portal.gateways.stripe import StripeGateway

    gateway = StripeGateway("sk_test_sandbox", base_url="http://127.0.0.1:9", retries=0)

    with pytest.raises(ProviderUnavailable, match="APIConnectionError"):
        gateway.open_checkout(a_checkout())


def test_a_proxy_of_the_surroundings_is_not_asked_for_the_sandbox(outside, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert outside.stripe().open_checkout(a_checkout()).session_id.startswith("cs_test_")


def test_nothing_to_pay_is_a_mistake_of_ours(outside):
    with pytest.raises(ValueError, match="nothing to pay"):
        outside.stripe().open_checkout(a_checkout(once_cents=0))


@pytest.mark.parametrize(
    "change",
    [
        {"favourite_colour": "green"},
        {
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 100,
                        "product_data": {"name": "Pack", "colour": "green"},
                    },
                }
            ]
        },
        {"mode": "subscription"},
        {"success_url": "nowhere"},
        {"line_items": []},
        {"customer_email": "nobody"},
        {"expires_at": 12},
    ],
)
def test_the_sandbox_refuses_what_stripe_would_refuse(outside, change):
    from portal.gateways.stripe import _session_parameters

    with pytest.raises(stripe.InvalidRequestError):
        outside.stripe()._client.v1.checkout.sessions.create({**_session_parameters(a_checkout()), **change})

    assert outside.books("session") == []


def test_a_call_without_a_test_key_is_refused(outside):
    from portal.gateways.stripe import StripeGateway

    gateway = StripeGateway("sk_live_1", base_url=f"{outside.address}/stripe", retries=0)

    with pytest.raises(ProviderUnavailable, match="HTTP 401"):
        gateway.open_checkout(a_checkout())
