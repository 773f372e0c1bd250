"""Whole numbers in arrays: sums and shares that either are exact or are refused, never wrapped around.

All arrays are int64. The two roundings are those of `portal.kernel.money`, for many numbers at once. A
product that does not fit into 63 bits is computed with Python's whole numbers, in just the places that
need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from portal.engine.refusal import Refused

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.signedinteger[Any]]

MAX: Final = 2**63 - 1
RATE_UNIT: Final = 10_000
MONEY_UNIT: Final = 100 * RATE_UNIT  # hundredths of a point times cents per point times a rate, to cents
_LOW: Final = 2**32 - 1


def frozen(values: ArrayLike, dtype: Any = np.int64) -> NDArray[Any]:
    """A read-only array of whole numbers; raises TypeError for others, OverflowError if they do not fit."""
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iub":
        raise TypeError(f"whole numbers are needed, not {given.dtype}")
    if given.size and not np.iinfo(dtype).min <= int(given.min()) <= int(given.max()) <= np.iinfo(dtype).max:
        raise OverflowError(f"{int(given.min())} to {int(given.max())} do not fit into {np.dtype(dtype)}")
    return read_only(np.ascontiguousarray(given, dtype=dtype).reshape(-1))


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """The same array, seen in a way that it cannot be written."""
    view = array.view()
    view.flags.writeable = False
    return view


def narrowest(least: int, most: int) -> type[np.signedinteger[Any]]:
    """The narrowest of one, four and eight bytes that holds all whole numbers from `least` to `most`."""
    for kind in (np.int8, np.int32):
        if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max:
            return kind
    return np.int64


def narrowed(values: NDArray[np.integer[Any]]) -> Whole:
    """The same whole numbers as narrow as they can be."""
    least, most = (int(values.min()), int(values.max())) if values.size else (0, 0)
    return values.astype(narrowest(least, most))


def magnitude(values: Ints) -> int:
    """Sum up the sizes of all values, exactly."""
    return total(np.abs(values.astype(np.int64)))


def total(values: Ints) -> int:
    """Sum up all values, exactly."""
    if _largest(values) * values.size <= MAX:
        return int(values.sum())
    high, low = values >> 32, values & _LOW
    return (int(high.sum()) << 32) + int(low.sum())


def _largest(values: Ints) -> int:
    return max(-int(values.min()), int(values.max())) if values.size else 0


def bounded(values: Ints, what: str) -> Ints:
    """Give the values back if no sum over any of them can pass 2**63 - 1; raises Refused otherwise."""
    if _largest(values) * values.size > MAX and (int(values.min()) < -MAX or magnitude(values) > MAX):
        raise too_large(what)
    return values


def bounded_together(columns: Sequence[Ints], what: str) -> None:
    """Raise Refused if the sum over all numbers of several arrays, or some of them, could pass 2**63 - 1."""
    if sum(_largest(column) * column.size for column in columns) > MAX:
        fits(sum(magnitude(column) for column in columns), what)


def fits(number: int, what: str) -> int:
    """Give a number back if it is at most 2**63 - 1 in size; raises Refused otherwise."""
    if abs(number) > MAX:
        raise too_large(what)
    return number


def too_large(what: str) -> Refused:
    """The refusal for a number that does not fit."""
    return Refused([f"{what}: passes 2**63 - 1 hundredths"])


def added(left: Ints, right: Ints, what: str) -> Ints:
    """Add up two arrays; raises Refused where a sum passes 2**63 - 1."""
    result: Ints = left + right
    if _largest(left) + _largest(right) <= MAX:
        return result
    wrapped = ((left ^ result) & (right ^ result)) < 0
    if wrapped.any() or (result < -MAX).any():
        raise too_large(what)
    return result


def summed(size: int, places: Ints, values: Ints) -> Ints:
    """Add up bounded values by place, into an array of `size`."""
    result = np.zeros(size, np.int64)
    np.add.at(result, places, values)
    return result


def share(amount: Ints, numerator: Ints | np.int64, denominator: Ints | np.int64) -> Ints:
    """Take `numerator / denominator` of amounts, rounded toward zero; denominators are above 0."""
    quotient, _ = _divided(np.abs(amount), np.abs(numerator), denominator)
    return np.where((amount < 0) != (numerator < 0), -quotient, quotient)


def rounded_share(amount: Ints, numerator: Ints | np.int64, denominator: int) -> Ints:
    """Take `numerator / denominator` of amounts, rounded half away from zero.

    Neither is negative, and the denominator is even.
    """
    if not amount.size:
        return amount
    if int(amount.max()) * int(numerator.max()) <= MAX - denominator:
        product = amount * numerator
        product += denominator // 2
        product //= denominator
        return product
    quotient, remainder = _divided(amount, numerator, np.int64(denominator))
    rounded: Ints = quotient + (remainder >= denominator - remainder)
    return rounded


def smallest_yielding(yield_: Ints, denominator: int, numerator: Ints) -> Ints:
    """The smallest volume of which `volume x numerator / denominator` is at least the yield, unrounded."""
    quotient, remainder = _divided(yield_, np.int64(denominator), numerator)
    return quotient + (remainder > 0)


def product(first: Ints, second: int, what: str) -> Ints:
    """Multiply numbers that are not negative; raises Refused where a product passes 2**63 - 1."""
    fits(_largest(first) * second, what)
    result: Ints = first * second
    return result


def _divided(first: Ints, second: Any, divisor: Any) -> tuple[Ints, Ints]:
    """Quotient and remainder of `first x second / divisor`, none of them negative."""
    first, second, divisor = np.broadcast_arrays(first, second, divisor)
    if not first.size or int(first.max()) * int(second.max()) <= MAX:
        return np.divmod(first * second, divisor)
    wide = first > MAX // np.maximum(second, 1)
    quotient, remainder = np.divmod(np.where(wide, 0, first) * second, divisor)
    first, second, divisor = (part[wide].astype(object) for part in (first, second, divisor))
    large, rest = first * second // divisor, first * second % divisor
    if (large >= MAX).any():
        raise too_large("an amount")
    quotient[wide], remainder[wide] = large.astype(np.int64), rest.astype(np.int64)
    return quotient, remainder
