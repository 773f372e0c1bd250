"""Amounts, rates and the two roundings, for the naive reading of the rules."""

from __future__ import annotations


def hundredths(text):
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    whole, _, decimals = digits.partition(".")
    return sign * (int(whole) * 100 + int(decimals.ljust(2, "0")))


def rate_of(text):
    whole, _, decimals = text.partition(".")
    return int(whole) * 10_000 + int(decimals.ljust(4, "0"))


def cents(numerator, denominator):
    """To the nearest, half away from zero."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size


def toward_zero(numerator, denominator):
    size = abs(numerator) // denominator
    return size if numerator >= 0 else -size


def written(number):
    whole, rest = divmod(abs(number), 100)
    return f"{'-' if number < 0 else ''}{whole}.{rest:02d}"
