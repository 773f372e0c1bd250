"""Standard Webhooks: a vendor's message is believed only when key, id, time and body all fit."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta

import pytest

from portal.gateways.errors import Refused
from portal.gateways.vendor_signatures import sign, verify
from portal.kernel.ids import new_signing_secret

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BODY = b'{"type": "service.activated"}'
VERA, OTHER = new_signing_secret(), new_signing_secret()


def headers(
    *, secret: str = VERA, at: datetime = NOW, message_id: str = "msg_1", body: bytes = BODY
) -> dict[str, str]:
    timestamp = int(at.timestamp())
    return {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": sign(secret, message_id, timestamp, body),
    }


def test_a_signature_is_the_one_that_openssl_makes():
    # printf 'msg_1.1614265330.{…}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f -binary | base64
    secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()

    assert (
        sign(secret, "msg_1", 1614265330, b'{"test": 1}') == "v1,ye1v+XOORO1cGv1i1klJC6UwOLDnjUtqKJUqNt8sSfY="
    )


def test_a_rightly_signed_message_gives_its_id():
    assert verify([VERA], headers(), BODY, NOW) == "msg_1"


def test_while_a_key_is_exchanged_both_are_taken_and_then_only_the_new():
    old, new = headers(secret=OTHER), headers(secret=VERA)

    assert verify([OTHER, VERA], old, BODY, NOW) == verify([OTHER, VERA], new, BODY, NOW) == "msg_1"
    with pytest.raises(Refused, match="no signature fits"):
        verify([VERA], old, BODY, NOW)


def test_one_right_signature_among_several_is_enough():
    good = headers()
    several = f"v1a,xyz v1,AAAA {headers(secret=OTHER)['Webhook-Signature']} {good['Webhook-Signature']}"

    assert verify([VERA], {**good, "Webhook-Signature": several}, BODY, NOW) == "msg_1"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"secret": OTHER}, "no signature fits"),
        ({"body": BODY + b" "}, "no signature fits"),
        ({"at": NOW - timedelta(seconds=301)}, "300 seconds"),
        ({"at": NOW + timedelta(seconds=301)}, "300 seconds"),
        ({"message_id": "msg.1"}, "webhook-id: malformed"),
        ({"message_id": "x" * 101}, "webhook-id: malformed"),
        ({"message_id": ""}, "webhook-id: missing"),
    ],
)
def test_a_message_that_does_not_fit_is_refused_with_the_reason(wrong, reason):
    with pytest.raises(Refused, match=reason):
        verify([VERA], headers(**wrong), BODY, NOW)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_either_way_are_still_in_time(seconds):
    assert verify([VERA], headers(at=NOW + timedelta(seconds=seconds)), BODY, NOW) == "msg_1"


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
@pytest.mark.parametrize(
    "value", [None, "", "é", "²", " ", "v1", "v1,", "v2,AAAA", "v1,é", "v1,\ud800", "1_0", "-1", "9" * 20]
)
def test_every_header_is_needed_and_looked_at(name, value):
    changed = {**headers(), name: value}
    if value is None:
        del changed[name]

    with pytest.raises(Refused):
        verify([VERA], changed, BODY, NOW)


def test_an_id_cannot_borrow_from_the_time():
    timestamp = str(int(NOW.timestamp()))
    signature = sign(VERA, "a", 1, f"{timestamp}.rest".encode())

    with pytest.raises(Refused, match="webhook-id"):
        verify(
            [VERA],
            {"webhook-id": "a.1", "webhook-timestamp": timestamp, "webhook-signature": signature},
            b"rest",
            NOW,
        )


def test_without_a_live_key_nothing_is_believed():
    with pytest.raises(Refused):
        verify([], headers(), BODY, NOW)


@pytest.mark.parametrize(
    "secret", ["", "abc", "whsec_", "whsec_%%%", "whsec_" + base64.b64encode(b"short").decode()]
)
def test_a_secret_that_is_none_is_our_own_mistake(secret):
    with pytest.raises(ValueError, match="vendor secret"):
        sign(secret, "msg_1", 1, b"")


def test_secrets_are_256_random_bits():
    assert len(base64.b64decode(VERA.removeprefix("whsec_"))) == 32
    assert VERA != OTHER


def test_two_thousand_mangled_messages_raise_nothing_but_refused():
    dice = random.Random(11)
    refused = 0
    for _ in range(2_000):
        changed = {name: mangled(dice, value) for name, value in headers().items() if dice.random() < 0.97}
        body = BODY if dice.random() < 0.5 else dice.randbytes(dice.randrange(60))
        try:
            assert verify([VERA, OTHER], changed, body, NOW) == "msg_1"
        except Refused:
            refused += 1
    assert 1_000 < refused < 2_000


def mangled(dice: random.Random, text: str) -> str:
    if dice.random() < 0.5:
        return text
    place = dice.randrange(len(text))
    return (
        text[:place]
        + "".join(chr(dice.randrange(1, 0x2FFF)) for _ in range(dice.randrange(3)))
        + text[place + 1 :]
    )
