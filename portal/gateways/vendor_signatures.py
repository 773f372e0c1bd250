"""Standard Webhooks: who sent these bytes, and when. HMAC-SHA256 over `id.timestamp.body`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from portal.gateways.errors import Refused

TOLERANCE_SECONDS = 300
ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

_PREFIX = "whsec_"
_KEY_BYTES = 32
_MOST_SIGNATURES = 10
# A dot would let one signature stand for two readings of `id.timestamp.body`.
MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the signature header, `v1,<base64>`.

    `timestamp` is in whole seconds since 1970. Raises `ValueError` for a secret that is not `whsec_` and
    256 bits in base64.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The message id, when one of our live `secrets` signed this id, time and body within 300 s of `now`.

    `headers` are looked up without regard to case. Raises `Refused` for everything that is wrong with the
    message, `ValueError` for a secret of ours that is none.
    """
    named = {name.lower(): value for name, value in headers.items()}
    message_id = _matching(named, ID_HEADER, MESSAGE_ID)
    timestamp = int(_matching(named, TIMESTAMP_HEADER, _TIMESTAMP))
    offered = _offered(named.get(SIGNATURE_HEADER, ""))
    expected = [sign(secret, message_id, timestamp, body).encode() for secret in secrets]
    if not _any_equal(expected, offered):
        raise Refused(f"{SIGNATURE_HEADER}: no signature fits this body and a live key")
    if abs(int(now.timestamp()) - timestamp) > TOLERANCE_SECONDS:
        raise Refused(f"{TIMESTAMP_HEADER}: more than {TOLERANCE_SECONDS} seconds from our clock")
    return message_id


def _matching(headers: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> str:
    value = headers.get(name, "")
    if not value:
        raise Refused(f"{name}: missing")
    if not pattern.fullmatch(value):
        raise Refused(f"{name}: malformed")
    return value


def _offered(header: str) -> list[bytes]:
    if not header:
        raise Refused(f"{SIGNATURE_HEADER}: missing")
    parts = header.split(" ")
    if not header.isascii() or len(parts) > _MOST_SIGNATURES:
        raise Refused(f"{SIGNATURE_HEADER}: malformed")
    signatures = [part.encode() for part in parts if part.startswith("v1,")]
    if not signatures:
        raise Refused(f"{SIGNATURE_HEADER}: holds no v1 signature")
    return signatures


def _any_equal(expected: list[bytes], offered: list[bytes]) -> bool:
    """Every pair is compared, each in constant time, so that the time taken tells nothing."""
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in offered]
    return any(matches)


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        raise ValueError("A vendor secret begins with whsec_.")
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("A vendor secret is base64 after whsec_.") from error
    if len(key) != _KEY_BYTES:
        raise ValueError("A vendor secret holds 256 bits.")
    return key
