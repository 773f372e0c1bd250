"""Passwords: how they are kept (argon2id) and which ones are refused."""

from __future__ import annotations

import re
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _

from portal.kernel.errors import BadInput
from portal.models.person import NO_PASSWORD

SHORTEST = 12
LONGEST = 200

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb",
    "q1w2e3r4t5y6u7i8o9p0",
)
_COMMON = (
    "password",
    "passwort",
    "letmein",
    "welcome",
    "iloveyou",
    "admin",
    "changeme",
    "login",
    "secret",
    "dragon",
)
_LEET = str.maketrans("013457@$!", "oieastasi")
# So much must be left of a password when everything that can be guessed is taken out.
_OWN_LETTERS = 6


def hash_password(password: str) -> str:
    """The argon2id hash (19 MiB, two passes, one lane) with its salt and parameters."""
    return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; without a hash it is no, after the same time."""
    known = None if password_hash == NO_PASSWORD else password_hash
    try:
        return _hasher.verify(known or _nobody(), password) and known is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def check_password(password: str, *, about: tuple[str, ...] = ()) -> None:
    """Refuse what can be guessed.

    `about` are names and addresses of the person and the company, which must not carry the password.
    Raises `BadInput` with the reason.
    """
    if len(password) < SHORTEST:
        raise BadInput(_("Please use at least %(count)s characters.", count=SHORTEST), field="password")
    if len(password) > LONGEST:
        raise BadInput(_("Please use at most %(count)s characters.", count=LONGEST), field="password")
    if _own_part(password, about) < _OWN_LETTERS:
        message = _("This is easy to guess. Three or four words that do not belong together are better.")
        raise BadInput(message, field="password")


def _own_part(password: str, about: tuple[str, ...]) -> int:
    """How many characters are left without names, common words, rows of the keyboard and repetitions."""
    rest = password.casefold()
    for guess in sorted([*_words(about), *_COMMON], key=len, reverse=True):
        rest = _without(rest, guess)
    rest = _without_rows(rest)
    shortened = re.sub(r"(.+?)\1+", r"\1", rest)
    return len(shortened) if len(set(shortened)) > 3 else 0


def _without(text: str, guess: str) -> str:
    """Take a word out, also where digits and signs stand for its letters."""
    while (start := text.translate(_LEET).find(guess.translate(_LEET))) >= 0:
        text = text[:start] + text[start + len(guess) :]
    return text


def _words(about: tuple[str, ...]) -> set[str]:
    return {word for text in about for word in re.split(r"[\W_]+", text.casefold()) if len(word) >= 3}


def _without_rows(text: str) -> str:
    """Take out runs of four and more neighbours, such as `4567` or `rewq`."""
    kept = ""
    while text:
        run = next((length for length in range(len(text), 3, -1) if _is_row(text[:length])), 0)
        kept += "" if run else text[0]
        text = text[run or 1 :]
    return kept


def _is_row(text: str) -> bool:
    return any(text in row or text[::-1] in row for row in _ROWS)


@cache
def _nobody() -> str:
    return hash_password("a password that belongs to nobody")
