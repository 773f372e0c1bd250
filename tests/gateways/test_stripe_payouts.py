"""The real Stripe SDK pays people at the sandbox: onboarding, transfers, look-ups, reversals, events."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from portal.gateways.errors import ProviderUnavailable, Refused
from portal.gateways.payout_adapter import Absent, Accepted, Found, Payout, Rejected, RetryLater, Unknown
from portal.gateways.stripe_connect import AccountRequest, StripeConnect, parse_event
from tests.gateways.conftest import until


def connect(outside, **options) -> StripeConnect:
    options = {"timeout_seconds": 0.6, **options}
    return StripeConnect("sk_test_sandbox", base_url=f"{outside.address}/stripe", **options)


def an_account(outside, *, ready: bool = True, key: str = "d1") -> str:
    account = connect(outside).open_account(AccountRequest("d1", "ben@example.com", "US", key))
    if ready:
        outside.post(f"/connect/accounts/{account}/details")
    return account


def a_payout(account: str, **changes) -> Payout:
    fields = {
        "group": "po_abc",
        "generation": 1,
        "amount_cents": 50_00,
        "currency": "USD",
        "destination": account,
        "payee": "Ben",
        "reference": "PO-1",
    }
    return Payout(**{**fields, **changes})


def told(outside) -> list[tuple[str, str]]:
    bodies = [json.loads(body) for body, _ in outside.door.calls]
    return [(body["type"], body.get("account", "")) for body in bodies]


def test_a_transfer_is_made_once_for_its_key_and_found_by_its_group(outside):
    payout = a_payout(an_account(outside))

    first = connect(outside).send(payout, "po_abc_g1")
    again = connect(outside).send(payout, "po_abc_g1")

    assert isinstance(first, Accepted) and again == first
    assert connect(outside).lookup(payout) == Found(first.ref, "sent")
    (made,) = outside.books("transfer")
    assert (made["amount"], made["transfer_group"]) == (50_00, "po_abc")
    assert made["metadata"] == {"payout": "po_abc", "generation": "1"}


@pytest.mark.parametrize(
    ("fault", "paid"),
    [("drop_before", 0), ("drop_after", 1), ("500_before", 0), ("500_after", 1), ({"hang": 1.0}, 1)],
)
def test_a_lost_answer_is_unknown_and_the_look_up_tells(outside, fault, paid):
    payout = a_payout(an_account(outside))
    outside.order("stripe.transfers.create", fault)

    assert isinstance(connect(outside).send(payout, "po_abc_g1"), Unknown)

    assert len(outside.books("transfer")) == paid
    assert isinstance(connect(outside).lookup(payout), Found if paid else Absent)


def test_a_stored_500_is_the_answer_of_its_key_for_a_day(outside):
    payout = a_payout(an_account(outside))
    outside.order("stripe.transfers.create", "500_after")

    assert isinstance(connect(outside).send(payout, "po_abc_g1"), Unknown)
    assert isinstance(connect(outside).send(payout, "po_abc_g1"), Unknown)
    outside.shift[0] = timedelta(hours=25)
    assert isinstance(connect(outside).send(payout, "po_abc_g1"), Accepted)

    found = connect(outside).lookup(payout)
    assert isinstance(found, Found) and len(found.others) == 1


def test_a_busy_stripe_carried_nothing_out(outside):
    payout = a_payout(an_account(outside))
    outside.order("stripe.transfers.create", "429")

    answer = connect(outside).send(payout, "po_abc_g1")

    assert isinstance(answer, RetryLater) and not answer.for_all and not answer.key_is_spent
    assert isinstance(connect(outside).send(payout, "po_abc_g1"), Accepted)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"destination": "acct_nobody"}, "resource_missing"),
        ({"amount_cents": 0}, "parameter_invalid_integer"),
    ],
)
def test_what_stripe_refuses_before_it_begins_is_rejected(outside, changes, code):
    payout = a_payout(an_account(outside), **changes)

    assert connect(outside).send(payout, "po_abc_g1") == Rejected(code)


def test_an_account_that_is_not_ready_is_refused(outside):
    payout = a_payout(an_account(outside, ready=False))

    assert connect(outside).send(payout, "k") == Rejected("insufficient_capabilities_for_transfer")


def test_too_little_on_the_platform_stops_everybody_and_spends_the_key(outside):
    payout = a_payout(an_account(outside))
    outside.post("/connect/funds", {"cents": "4999"})

    answer = connect(outside).send(payout, "po_abc_g1")
    outside.post("/connect/funds", {"cents": "999999"})
    again = connect(outside).send(payout, "po_abc_g1")

    assert isinstance(answer, RetryLater) and answer.for_all and answer.key_is_spent
    assert again == RetryLater(answer.after_seconds, again.reason, for_all=True, key_is_spent=True)
    assert isinstance(connect(outside).send(payout, "po_abc_g2"), Accepted)


def test_another_content_under_the_same_key_is_for_a_person(outside):
    payout = a_payout(an_account(outside))
    connect(outside).send(payout, "po_abc_g1")

    answer = connect(outside).send(a_payout(payout.destination, amount_cents=60_00), "po_abc_g1")

    assert isinstance(answer, Unknown) and answer.by_hand


def test_a_transfer_that_is_not_what_was_ordered_is_for_a_person(outside):
    payout = a_payout(an_account(outside))
    connect(outside).send(payout, "po_abc_g1")

    found = connect(outside).lookup(a_payout(payout.destination, amount_cents=60_00))

    assert isinstance(found, Unknown) and found.by_hand


def test_nothing_can_be_asked_when_nobody_answers(outside):
    payout = a_payout(an_account(outside))
    outside.order("stripe.transfers.list", "500_before", "drop_before")

    assert isinstance(connect(outside).lookup(payout), Unknown)
    with pytest.raises(ProviderUnavailable):
        connect(outside).transfers(datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))


def test_a_reversal_brings_the_money_back_once(outside):
    payout = a_payout(an_account(outside))
    sent = connect(outside).send(payout, "po_abc_g1")
    before = connect(outside).balance_cents("USD")

    assert isinstance(connect(outside).reverse(payout, sent.ref, "back-1"), Accepted)
    assert isinstance(connect(outside).reverse(payout, sent.ref, "back-2"), Accepted)

    assert connect(outside).balance_cents("USD") == before + 50_00
    assert connect(outside).lookup(payout) == Found(sent.ref, "returned")
    until(lambda: ("transfer.reversed", "") in told(outside))


def test_money_that_left_the_account_cannot_be_reversed_yet(outside):
    account = an_account(outside)
    payout = a_payout(account)
    sent = connect(outside).send(payout, "po_abc_g1")
    outside.post(f"/connect/accounts/{account}/pay-out")

    answer = connect(outside).reverse(payout, sent.ref, "back-1")

    assert isinstance(answer, RetryLater) and not answer.for_all


def test_a_window_of_transfers_is_read_to_its_end(outside):
    account = an_account(outside)
    for number in range(105):
        connect(outside).send(a_payout(account, group=f"po_{number}"), f"k{number}")
    now = datetime.now(UTC)

    found = connect(outside).transfers(now - timedelta(hours=1), now + timedelta(hours=1))

    assert len({transfer.group for transfer in found}) == 105
    assert {(transfer.amount_cents, transfer.currency, transfer.state) for transfer in found} == {
        (50_00, "USD", "sent")
    }


def test_onboarding_opens_an_account_once_and_tells_when_it_is_ready(outside):
    account = an_account(outside, ready=False)
    assert an_account(outside, ready=False) == account
    assert not connect(outside).account_state(account).ready
    link = connect(outside).account_link(
        account, return_url="http://localhost:8000/back", refresh_url="http://localhost:8000/again"
    )

    path = link.removeprefix(outside.address)
    assert "Set up payouts" in outside.get(path)
    assert outside.post(path, {"done": "no"}) == (303, "http://localhost:8000/back")
    assert outside.post(path, {"done": "yes"}) == (303, "http://localhost:8000/back")

    assert connect(outside).account_state(account).ready
    assert outside.post(path, {"done": "yes"}) == (303, "http://localhost:8000/again")
    until(lambda: len(outside.door.calls) == 2)
    bank, event = (parse_event(body) for body, _ in outside.door.calls)
    assert (bank.transition, bank.account, bool(bank.bank)) == ("bank", account, True)
    assert (event.transition, event.account, event.ready) == ("account", account, True)
    assert event.bank == bank.bank == connect(outside).account_state(account).bank
    outside.post(f"/connect/accounts/{account}/bank")
    until(lambda: len(outside.door.calls) == 5)
    made, gone, after = (parse_event(body) for body, _ in outside.door.calls[2:])
    assert (made.bank, gone.gone, after.bank) == (after.bank, bank.bank, made.bank) != bank.bank


def test_the_bank_takes_a_payout_and_sends_it_back(outside):
    account = an_account(outside)
    connect(outside).send(a_payout(account), "k")
    outside.door.calls.clear()
    outside.post(f"/connect/accounts/{account}/pay-out")
    (payout,) = outside.books("payout")
    outside.post(f"/connect/payouts/{payout['id']}/bounce")
    outside.post(f"/connect/payouts/{payout['id']}/bounce")

    until(lambda: {kind for kind, _ in told(outside)} >= {"payout.paid", "payout.failed"})
    events = {event.transition: event for event in (parse_event(body) for body, _ in outside.door.calls)}
    assert events["arrived"].amount_cents == 50_00
    assert (events["failed"].ref, events["failed"].account) == (payout["id"], account)
    assert events["failed"].reason == "account_closed"


def test_the_companys_own_payout_is_nobodys(outside):
    body = json.dumps({"type": "payout.paid", "data": {"object": {"id": "po_1", "amount": 1, "created": 1}}})

    assert parse_event(body.encode()).transition == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"type": "payout.paid"}', b'{"type": []}'])
def test_what_is_no_event_is_refused(body):
    with pytest.raises(Refused):
        parse_event(body)


def test_the_sandbox_refuses_what_the_sdk_does_not_know(outside):
    form = {"amount": "100", "currency": "usd", "destination": "acct_1", "transfer_groop": "po_1"}

    status, body = outside.post("/stripe/v1/transfers", form, Authorization="Bearer sk_test_1")

    assert status == 400 and "transfer_groop" in body
