"""Bank and tax numbers: what a right one looks like. Nothing here is stored or shown."""

from __future__ import annotations

import re
from typing import Final

from portal.kernel.errors import BadInput

_WEIGHTS: Final = (3, 7, 1) * 3
_NO_EIN_PREFIX: Final = frozenset(
    {"00", "07", "08", "09", "17", "18", "19", "28", "29", "49", "69", "70", "78", "79", "89", "96", "97"}
)
_ITIN_GROUPS: Final = frozenset({*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)})


def routing_number(written: str) -> str:
    """Nine digits whose weighted sum (3, 7, 1) is a multiple of ten; raises `BadInput` for others."""
    digits = _digits(written)
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False))
    if not re.fullmatch("[0-9]{9}", digits) or digits == "0" * 9 or total % 10:
        raise BadInput(
            "This is no routing number. It has nine digits; a digit may be wrong.", field="routing"
        )
    return digits


def account_number(written: str) -> str:
    """Four to seventeen digits; raises `BadInput` for anything else."""
    digits = _digits(written)
    if not re.fullmatch("[0-9]{4,17}", digits):
        raise BadInput("An account number has 4 to 17 digits.", field="account")
    return digits


def tax_number(kind: str, written: str) -> str:
    """A social security number (or the ITIN in its place) as 123-45-6789, an EIN as 12-3456789.

    Raises `BadInput` for numbers that were never given out.
    """
    digits = _digits(written)
    if not re.fullmatch("[0-9]{9}", digits):
        raise BadInput("A tax number has nine digits.", field="tax_number")
    if kind == "ein":
        if digits[:2] in _NO_EIN_PREFIX:
            raise BadInput(
                "This is no employer number (EIN). Please check its first digits.", field="tax_number"
            )
        return f"{digits[:2]}-{digits[2:]}"
    if not _is_personal(digits):
        raise BadInput("This is no social security number or ITIN. Please check it.", field="tax_number")
    return f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"


def masked(number: str) -> str:
    """The last four characters, of a short number fewer, so that at least half of it is hidden: `••6789`."""
    return f"••{number[-min(4, len(number) // 2) :]}"


def _is_personal(digits: str) -> bool:
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area.startswith("9"):
        return int(group) in _ITIN_GROUPS
    return area not in ("000", "666") and group != "00" and serial != "0000"


def _digits(written: str) -> str:
    return re.sub(r"[\s-]", "", written)
