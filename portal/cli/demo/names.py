"""Invented people: names that sound like the United States of today, addresses at example.com."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from random import Random

FIRST, LAST = (part.split() for part in Path(__file__).with_name("names.txt").read_text().split("\n\n"))
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class Invented:
    """Draws names, addresses and public ids, the same ones for the same seed; no address twice."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._numbers = count(1)
        self._taken: set[str] = set()

    def name(self) -> str:
        """A first and a last name."""
        return f"{self._rng.choice(FIRST)} {self._rng.choice(LAST)}"

    def email(self, name: str) -> str:
        """An address that nobody else has."""
        plain = re.sub(r"[^a-z]+", ".", name.lower())
        while (email := f"{plain}{next(self._numbers)}@example.com") in self._taken:
            pass
        return self.reserve(email)

    def reserve(self, email: str) -> str:
        """Keep an address from being drawn."""
        self._taken.add(email)
        return email

    def public_id(self) -> str:
        """What `new_id` makes, but the same for the same seed."""
        return "".join(self._rng.choices(_LETTERS, k=20))
