"""Signed Stripe events: delivered by the sandbox until taken, and believed only when everything is right."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from portal.gateways.errors import Refused
from portal.gateways.sandbox.delivery import signature
from portal.gateways.stripe_events import read_event
from tests.gateways.conftest import until
from tests.gateways.outside import SECRET, a_checkout

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SESSION = {
    "id": "cs_1",
    "object": "checkout.session",
    "client_reference_id": "reg1",
    "payment_status": "paid",
}
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "created": int(NOW.timestamp()),
    "livemode": False,
    "data": {"object": SESSION},
}


def signed(body: str, *, at: datetime = NOW, secret: str = SECRET) -> str:
    return signature(secret, body, int(at.timestamp()))


def pay(outside, **changes) -> None:
    page = outside.stripe().open_checkout(a_checkout(**changes))
    outside.post(f"/checkout/{page.session_id}/pay", {"card": "4242424242424242"})


def test_the_sandbox_signs_as_the_sdk_does():
    assert signature(SECRET, "{}", 12) == stripe.WebhookSignature.generate_signature_header("{}", SECRET, 12)


def test_a_delivery_is_repeated_until_the_portal_takes_it(outside):
    answers = iter([500, 404])
    outside.door.answers = lambda: next(answers, 202)

    pay(outside)

    until(lambda: len(outside.door.calls) == 3)
    assert len({event.id for event in outside.door.events()}) == 1


def test_a_redirect_is_no_answer(outside):
    answers = iter([302, 200])
    outside.door.answers = lambda: next(answers, 200)

    pay(outside)

    until(lambda: len(outside.door.calls) == 2)
    assert len(outside.door.events()) == 2


def test_a_delivery_ordered_twice_comes_twice(outside):
    outside.order("webhook", "duplicate")

    pay(outside)

    until(lambda: len(outside.door.calls) == 2)
    first, second = outside.door.events()
    assert first == second


def test_a_reordered_delivery_is_overtaken_by_the_next(outside):
    outside.order("webhook", "reorder")

    pay(outside, monthly_cents=2_900)

    until(lambda: len(outside.door.calls) == 3)
    assert [event.type for event in outside.door.events()] == [
        "invoice.paid",
        "invoice_payment.paid",
        "checkout.session.completed",
    ]


def test_what_an_earlier_process_left_is_delivered_by_the_next(outside):
    page = outside.stripe().open_checkout(a_checkout())
    died = outside.app.extensions["sandbox"]
    until(lambda: died.courier.idle)
    with died.store.writing() as books:
        died.pay(books, died.session(books, page.session_id), card="4242424242424242")
    assert outside.door.calls == []

    outside.again().test_client().get("/mailbox")

    until(lambda: len(outside.door.calls) == 1)


def test_a_right_event_is_read():
    body = json.dumps(EVENT)

    event = read_event(body.encode(), signed(body), SECRET, now=NOW)

    assert (event.id, event.registration_id, event.session_id, event.created) == (
        "evt_1",
        "reg1",
        "cs_1",
        NOW,
    )


@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-299, True), (299, True), (301, False)])
def test_time_counts_in_both_directions(seconds, taken):
    body = json.dumps(EVENT)
    header = signed(body, at=NOW + timedelta(seconds=seconds))

    if taken:
        assert read_event(body.encode(), header, SECRET, now=NOW).id == "evt_1"
    else:
        with pytest.raises(Refused, match="300 seconds"):
            read_event(body.encode(), header, SECRET, now=NOW)


@pytest.mark.parametrize(
    "body", ["[]", "null", "3", '"x"', "{}", "", "xx", '{"object": "v2.core.event"}', "NaN"]
)
def test_rightly_signed_nonsense_is_refused(body):
    with pytest.raises(Refused):
        read_event(body.encode(), signed(body), SECRET, now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"id": 5},
        {"created": "soon"},
        {"created": 10**30},
        {"data": {}},
        {"data": {"object": []}},
        {"data": {"object": {**SESSION, "amount_total": 1.5}}},
        {"data": {"object": {**SESSION, "metadata": "x", "client_reference_id": None}}},
        {"data": {"object": {**SESSION, "id": "x" * 300}}},
    ],
)
def test_an_event_of_another_shape_is_refused(change):
    body = json.dumps({**EVENT, **change})

    with pytest.raises(Refused):
        read_event(body.encode(), signed(body), SECRET, now=NOW)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "zzz",
        "t=abc,v1=00",
        f"t={int(NOW.timestamp())}",
        f"t={int(NOW.timestamp())},v1=é",
        f"t={int(NOW.timestamp())},v1=00",
        "t=٣,v1=00",
        f"t={10**30},v1=00",
        signed(json.dumps(EVENT), secret="whsec_other"),
        signed(json.dumps(EVENT) + " "),
        signed(json.dumps(EVENT)).replace("v1", "v0"),
        signed(json.dumps(EVENT)) + f",t={int(NOW.timestamp())}",
    ],
)
def test_a_wrong_header_is_refused(header):
    with pytest.raises(Refused):
        read_event(json.dumps(EVENT).encode(), header, SECRET, now=NOW)


def test_two_thousand_mangled_calls_raise_nothing_but_refused():
    dice = random.Random(7)
    whole = json.dumps(EVENT).encode()
    refused = 0
    for _ in range(2_000):
        body = mangled(dice, whole)
        header = signed(body.decode("latin-1")) if dice.random() < 0.3 else signed(json.dumps(EVENT))
        if dice.random() < 0.6:
            header = mangled(dice, header.encode()).decode("latin-1")
        try:
            read_event(body, header, SECRET, now=NOW)
        except Refused:
            refused += 1
    assert refused > 1_500


def mangled(dice: random.Random, original: bytes) -> bytes:
    """A few bytes changed, left out, doubled or put in."""
    mangled = bytearray(original)
    for _ in range(dice.randrange(4)):
        place = dice.randrange(len(mangled) or 1)
        mangled[place : place + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
    return bytes(mangled)
