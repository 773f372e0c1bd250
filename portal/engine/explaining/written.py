"""Numbers and names as they stand in an explanation."""

from __future__ import annotations

from portal.engine.arithmetic import MONEY_UNIT
from portal.engine.printed import text_of

__all__ = ["exactly", "percent", "rate", "text_of"]


def rate(ten_thousandths: int) -> str:
    """A rate as the plan writes it: `0.1250`."""
    return f"{ten_thousandths // 10_000}.{ten_thousandths % 10_000:04d}"


def percent(ten_thousandths: int) -> str:
    """A rate for people: `12.5 %`."""
    whole, rest = divmod(ten_thousandths, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


def exactly(numerator: int, denominator: int) -> str:
    """Cents before rounding as a decimal of the currency; six places at most are needed below a cent."""
    places = len(str(MONEY_UNIT)) - 1
    scaled, rest = divmod(numerator * 10**places, denominator)
    whole, part = divmod(scaled, 100 * 10**places)
    digits = f"{part:0{places + 2}d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{digits}{'…' if rest else ''}"
