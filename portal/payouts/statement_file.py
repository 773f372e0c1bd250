"""A wallet's statement as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from portal.ledger.accounts import CURRENCY
from portal.ledger.running import Line
from portal.payouts.files import guarded, written

HEAD = (
    *("date_utc", "booking", "entry", "currency"),
    *("available_change", "available", "on_its_way_change", "on_its_way"),
    *("set_aside_change", "set_aside", "owed_change", "owed"),
)


def statement_file(lines: Sequence[Line], *, name_of: Callable[[str], str]) -> bytes:
    """The lines as CSV (UTF-8, CRLF), in their order; `name_of` says what a kind of entry is called."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    for line in lines:
        about = (f"{line.at:%Y-%m-%dT%H:%M:%SZ}", guarded(name_of(line.kind)), line.entry_id, CURRENCY)
        writer.writerow([*about, *_sums(line)])
    return text.getvalue().encode()


def _sums(line: Line) -> list[str]:
    pairs = (
        (line.change.available, line.after.available),
        (line.change.pending, line.after.pending),
        (line.change.reserved, line.after.reserved),
        (line.change.debt, line.after.debt),
    )
    return [_signed(cents) for pair in pairs for cents in pair]


def _signed(cents: int) -> str:
    return f"-{written(-cents)}" if cents < 0 else written(cents)
