"""The lines that another system found for a cycle, as it writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from portal.arrival import cells
from portal.arrival.faults import Faults
from portal.arrival.files import Column, FileKind
from portal.arrival.tables import read_table
from portal.kernel.errors import BadInput

LONGEST: Final = 64
_CODES: Final = (
    *(
        "consultant",
        "consultant code",
        "consultant id",
        "member",
        "member id",
        "member code",
        "rep",
        "rep id",
    ),
    *("distributor", "distributor id", "associate", "associate id", "id"),
)
_KINDS: Final = ("type", "bonus", "bonus type", "commission type", "bonus name", "earning type")
_AMOUNTS: Final = ("commission", "commission amount", "earned", "earnings", "amount usd", "total", "value")


@dataclass(frozen=True)
class OldLines:
    """Their lines: codes in capital letters, kinds as they are called there, cents."""

    codes: list[str]
    kinds: list[str]
    cents: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.codes)


def read_old_lines(name: str, content: bytes, faults: Faults) -> OldLines:
    """Read the file; columns are found by their headings, others are left alone."""
    table = read_table(_kind(name), content, faults)
    cents = np.array([amount or 0 for amount in table["amount"]], np.int64)
    return OldLines(table["code"], table["kind"], cents)


def heading_of(content: bytes) -> bytes:
    """The first line of a file."""
    return content.partition(b"\n")[0]


def _kind(name: str) -> FileKind:
    columns = (
        Column("code", _code, "", also=_CODES),
        Column("kind", _their_kind, "", also=_KINDS),
        Column("amount", cells.money, "", also=_AMOUNTS),
    )
    return FileKind(name, columns, others_allowed=True)


def _code(text: str) -> str:
    return _short(text.strip().upper())


def _their_kind(text: str) -> str:
    return _short(" ".join(text.lower().split()))


def _short(text: str) -> str:
    if len(text) > LONGEST or not text.isprintable():
        raise BadInput(f"at most {LONGEST} letters on one line are needed")
    return text
