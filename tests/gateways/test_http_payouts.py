"""A provider described by data pays over HTTP; what is not certain is unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.gateways.errors import ProviderUnavailable
from portal.gateways.http_payouts import BadDescription, HttpPayouts, check
from portal.gateways.payout_adapter import Absent, Accepted, Found, Payout, Rejected, RetryLater, Unknown

ORDER = Payout(
    "po_abc", 1, 50_00, "USD", "acct-9", "Ben", "PO-1", {"routing": "021000021", "type": "checking"}
)


def described(outside, **changes):
    url = f"{outside.address}/http-provider/payouts"
    return {
        "url": url,
        "token": "test-token",
        "account": "canopy-test",
        "fields": {
            "reference": "reference",
            "amount": "amount",
            "currency": "currency",
            "destination": "destination",
            "account": "account",
        },
        "ref": "id",
        "status": "status",
        "lookup_url": f"{url}?reference={{reference}}",
        "list_url": f"{url}?since={{since}}&until={{until}}",
        "reverse_url": f"{url}/{{ref}}/reverse",
        **changes,
    }


def provider(outside, **changes) -> HttpPayouts:
    return HttpPayouts(described(outside, **changes), insecure=True, timeout_seconds=0.6)


def paid(outside) -> list[dict]:
    return outside.books("http_payout")


def test_an_order_is_carried_out_once_for_its_key_and_found(outside):
    first = provider(outside).send(ORDER, "k1")
    again = provider(outside).send(ORDER, "k1")

    assert isinstance(first, Accepted) and again == first
    assert provider(outside).lookup(ORDER) == Found(first.ref, "sent")
    (made,) = paid(outside)
    assert (made["reference"], made["amount"], made["destination"]) == ("po_abc", 50_00, "acct-9")


@pytest.mark.parametrize(
    ("fault", "times"),
    [("drop_before", 0), ("drop_after", 1), ("500_before", 0), ("500_after", 1), ({"hang": 1.0}, 1)],
)
def test_a_lost_answer_is_unknown_and_the_look_up_tells(outside, fault, times):
    outside.order("http.send", fault)

    assert isinstance(provider(outside).send(ORDER, "k1"), Unknown)

    assert len(paid(outside)) == times
    assert isinstance(provider(outside).lookup(ORDER), Found if times else Absent)


@pytest.mark.parametrize(
    ("changes", "order", "answer"),
    [
        ({"token": "wrong"}, ORDER, RetryLater),
        ({"account": "somebody"}, ORDER, Rejected),
        ({"amount_in": "units"}, ORDER, Rejected),
        ({"ref": "nothing.there"}, ORDER, Unknown),
    ],
)
def test_answers_are_taken_for_what_they_are(outside, changes, order, answer):
    assert isinstance(provider(outside, **changes).send(order, "k1"), answer)


def test_a_busy_provider_carried_nothing_out(outside):
    outside.order("http.send", "429")

    assert isinstance(provider(outside).send(ORDER, "k1"), RetryLater)
    assert paid(outside) == []


def test_another_order_under_the_same_key_is_for_a_person(outside):
    provider(outside).send(ORDER, "k1")
    other = Payout("po_other", 1, 60_00, "USD", "acct-9", "Ben", "PO-2")

    answer = provider(outside).send(other, "k1")

    assert isinstance(answer, Unknown) and answer.by_hand


def test_a_second_payment_is_seen_and_what_came_back_does_not_count(outside):
    first = provider(outside).send(ORDER, "k1")
    second = provider(outside).send(ORDER, "k2")
    assert provider(outside).lookup(ORDER) == Found(first.ref, "sent", (second.ref,))

    assert isinstance(provider(outside).reverse(ORDER, second.ref, "back"), Accepted)

    assert provider(outside).lookup(ORDER) == Found(first.ref, "sent")


def test_the_list_of_a_window_is_read_in_our_words(outside):
    sent = provider(outside).send(ORDER, "k1")
    now = datetime.now(UTC)

    (line,) = provider(outside).transfers(now - timedelta(hours=1), now + timedelta(hours=1))

    assert (line.ref, line.group, line.amount_cents, line.currency) == (sent.ref, "po_abc", 50_00, "USD")
    assert provider(outside).transfers(now + timedelta(hours=1), now + timedelta(hours=2)) == []
    assert provider(outside, list_url="").transfers(now, now) is None


def test_a_provider_that_cannot_be_asked_leaves_the_question_to_people(outside):
    blind = provider(outside, lookup_url="")

    assert not blind.capabilities.can_lookup
    assert blind.lookup(ORDER) == Unknown("This provider cannot be asked.", by_hand=True)


def test_a_list_that_does_not_come_is_no_empty_list(outside):
    outside.order("http.list", "500_before")
    outside.order("http.lookup", "drop_before")
    now = datetime.now(UTC)

    assert isinstance(provider(outside).lookup(ORDER), Unknown)
    with pytest.raises(ProviderUnavailable):
        provider(outside).transfers(now, now)


def test_fields_go_where_the_provider_wants_them(outside):
    fields = {
        "reference": "meta.ref",
        "amount": "money.value",
        "destination": "to.account",
        "routing": "to.routing",
        "payee": "to.name",
    }

    body = provider(outside, fields=fields, amount_in="units")._body(ORDER)

    assert body == {
        "meta": {"ref": "po_abc"},
        "money": {"value": "50.00"},
        "to": {"account": "acct-9", "routing": "021000021", "name": "Ben"},
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://pay.example.com"},
        {"lookup_url": "ftp://pay.example.com"},
        {"token": ""},
        {"fields": {"reference": "r"}},
        {"fields": {"reference": "r", "amount": "a", "destination": "d", "secret": "s"}},
        {"states": {"lost": ["x"]}},
        {"lookup_url": "https://pay.example.com/all"},
        {"list_url": "https://pay.example.com/all?since={since}"},
        {"reverse_url": "https://pay.example.com/reverse"},
    ],
)
def test_a_description_that_cannot_be_used_is_refused(changes):
    fine = {
        "url": "https://pay.example.com",
        "token": "t",
        "ref": "id",
        "fields": {"reference": "r", "amount": "a", "destination": "d"},
    }
    check(fine)

    with pytest.raises(BadDescription):
        check({**fine, **changes})
