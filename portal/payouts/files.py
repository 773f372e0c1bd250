"""The file of a batch: one line for each withdrawal and a control line, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

_FORMULA = "=+-@\t\r\n＝＋－＠"


@dataclass(frozen=True)
class Line:
    """One payment: who gets how many cents, under a reference that the bank gives back."""

    reference: str
    name: str
    amount_cents: int
    currency: str


def batch_file(lines: Sequence[Line], *, currency: str) -> bytes:
    """The lines as CSV (UTF-8, CRLF), ended by a control line with their number and sum."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["reference", "name", "amount", "currency"])
    for line in lines:
        writer.writerow([line.reference, guarded(line.name), written(line.amount_cents), line.currency])
    total = sum(line.amount_cents for line in lines)
    writer.writerow(["CONTROL", len(lines), written(total), currency])
    return text.getvalue().encode()


def guarded(cell: str) -> str:
    """The cell as text: an apostrophe before whatever a spreadsheet would calculate."""
    return f"'{cell}" if cell.lstrip(" \N{NO-BREAK SPACE}\"'").startswith(tuple(_FORMULA)) else cell


def written(cents: int) -> str:
    """An amount for machines: `1234.50`."""
    return f"{cents // 100}.{cents % 100:02d}"
