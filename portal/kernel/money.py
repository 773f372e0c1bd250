"""Whole cents and whole hundredths of a point: the two roundings, and how amounts are written and read.

There is no float between a sale and a cent. Whoever has to round asks this file, or for whole arrays
`portal.engine.arithmetic`, which does the same.
"""

from __future__ import annotations

import re
from typing import Final, NewType

from portal.kernel.errors import BadInput

Cents = NewType("Cents", int)
Volume = NewType("Volume", int)

LARGEST: Final = 10**12
SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£"}
_WRITTEN: Final = re.compile(r"(-?)[$€£]?([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,20})(?:\.([0-9]{1,2}))?")


def round_half_away(numerator: int, denominator: int) -> int:
    """Divide to the nearest whole number, halves away from zero; `denominator` is above 0."""
    quotient, remainder = divmod(abs(numerator), denominator)
    rounded = quotient + (remainder >= denominator - remainder)
    return rounded if numerator >= 0 else -rounded


def share(amount: int, numerator: int, denominator: int) -> int:
    """Take `numerator / denominator` of an amount, rounded toward zero; `denominator` is above 0."""
    product = amount * numerator
    part = abs(product) // denominator
    return part if product >= 0 else -part


def format_money(cents: int, currency: str = "USD") -> str:
    """Write cents for people: `$1,234.50`, `-$5.00`, `CHF 12.00`."""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"{'-' if cents < 0 else ''}{symbol}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def format_volume(hundredths: int) -> str:
    """Write hundredths of a point for people: `1,234.50`, or `1,234` when whole."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole:,}{f'.{rest:02d}' if rest else ''}"


def parse_money(text: str) -> Cents:
    """Read `1,234.5` or `$1,234.50` as cents.

    Raises BadInput for anything else, for more than two decimals and beyond ten thousand million.
    """
    return Cents(_hundredths(text, "Please write an amount like 1,234.50."))


def parse_volume(text: str) -> Volume:
    """Read `1,234.5` as hundredths of a point; raises BadInput as `parse_money` does."""
    return Volume(_hundredths(text, "Please write a volume like 1,234.50."))


def _hundredths(text: str, hint: str) -> int:
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise BadInput(hint)
    sign, whole, decimals = found.groups()
    number = int(whole.replace(",", "")) * 100 + int((decimals or "").ljust(2, "0"))
    if number > LARGEST:
        raise BadInput("This is more than can be handled.")
    return -number if sign else number
