"""Identifiers that may be seen from outside: random, so that nobody can count or guess them."""

from __future__ import annotations

import base64
import secrets

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_LETTER_OF_BYTE = _LETTERS.encode() * 8
_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> str:
    """A public id: 20 letters, 100 random bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(20))


def new_ids(count: int) -> list[str]:
    """Many public ids, as random as one by one."""
    letters = secrets.token_bytes(20 * count).translate(_LETTER_OF_BYTE).decode()
    return [letters[start : start + 20] for start in range(0, len(letters), 20)]


def new_code() -> str:
    """A code that people read aloud and type: 8 letters without look-alikes."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(8))


def payout_reference(number: int) -> str:
    """The reference on a payout line: `PO-`, the number in base 30, a letter that finds one wrong letter."""
    body = ""
    rest = number
    while rest or not body:
        rest, digit = divmod(rest, len(_CODE_LETTERS))
        body = _CODE_LETTERS[digit] + body
    body = body.rjust(5, _CODE_LETTERS[0])
    return f"PO-{body}-{_check_letter(body)}"


def _check_letter(body: str) -> str:
    weighted = sum(place * _CODE_LETTERS.index(letter) for place, letter in enumerate(body, start=1))
    return _CODE_LETTERS[weighted % 29]


def new_signing_secret() -> str:
    """A key that signs messages: `whsec_` and 256 random bits in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
