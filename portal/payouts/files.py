"""The files of a batch: a line for each withdrawal and a control line, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import xlsxwriter

_FORMULA = "=+-@\t\r\n＝＋－＠"
HEAD = (
    "reference",
    "name",
    "account_holder",
    "routing_number",
    "account_number",
    "account_type",
    "amount",
    "currency",
)


@dataclass(frozen=True)
class Line:
    """One payment: who gets how many cents where, under a reference that the bank gives back."""

    reference: str
    name: str
    amount_cents: int
    currency: str
    holder: str = ""
    routing: str = ""
    account: str = ""
    account_type: str = ""


@dataclass(frozen=True)
class Contents:
    """What goes into the files of a batch; `settings` are its method's, `cycle` the one it pays out."""

    batch: str
    lines: Sequence[Line]
    currency: str
    at: datetime
    settings: dict[str, Any] = field(default_factory=dict)
    cycle: str = ""

    @property
    def sum_cents(self) -> int:
        return sum(line.amount_cents for line in self.lines)


@dataclass(frozen=True)
class Arrival:
    """When the bank pays a file, and from when on what did not come back has arrived."""

    settles_on: date
    arrives_by: date


Writer = Callable[[Contents], bytes]


def csv_file(contents: Contents) -> bytes:
    """The lines as CSV (UTF-8, CRLF), ended by a control line with their number and sum.

    Where all of them pay out one cycle, a last column names it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    cycle = [contents.cycle] if contents.cycle else []
    writer.writerow([*HEAD, *(["cycle"] if cycle else [])])
    for line in contents.lines:
        cells = _cells(line)
        writer.writerow([*map(guarded, cells), written(line.amount_cents), line.currency, *cycle])
    total = written(contents.sum_cents)
    writer.writerow(["CONTROL", len(contents.lines), "", "", "", "", total, contents.currency, *cycle])
    return text.getvalue().encode()


def xlsx_file(contents: Contents) -> bytes:
    """The same as a workbook: every text is a text cell, amounts are numbers, nothing is a formula."""
    bytes_of_it = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(bytes_of_it, options) as book:
        book.set_properties({"created": contents.at.replace(tzinfo=None)})
        sheet = book.add_worksheet("Payouts")
        money = book.add_format({"num_format": "#,##0.00"})
        for column, title in enumerate(HEAD):
            sheet.write_string(0, column, title)
        for row, line in enumerate(contents.lines, start=1):
            for column, cell in enumerate(_cells(line)):
                sheet.write_string(row, column, cell)
            sheet.write_number(row, 6, _number(line.amount_cents), money)
            sheet.write_string(row, 7, line.currency)
        last = len(contents.lines) + 1
        sheet.write_string(last, 0, "CONTROL")
        sheet.write_number(last, 1, len(contents.lines))
        sheet.write_number(last, 6, _number(contents.sum_cents), money)
        sheet.write_string(last, 7, contents.currency)
    return bytes_of_it.getvalue()


# What a method of each kind exports. A bank's own format is added where the house is put together.
WRITERS: dict[str, Writer] = {"csv": csv_file, "xlsx": xlsx_file}
ARRIVALS: dict[str, Callable[[datetime], Arrival]] = {}
FORMATS: dict[str, tuple[str, ...]] = {"file": ("csv", "xlsx"), "nacha": ("nacha", "csv", "xlsx")}


def guarded(cell: str) -> str:
    """The cell as text: an apostrophe before whatever a spreadsheet would calculate."""
    return f"'{cell}" if cell.lstrip(" \N{NO-BREAK SPACE}\"'").startswith(tuple(_FORMULA)) else cell


def written(cents: int) -> str:
    """An amount for machines: `1234.50`."""
    return f"{cents // 100}.{cents % 100:02d}"


def _number(cents: int) -> Fraction:
    return Fraction(cents, 100)


def _cells(line: Line) -> tuple[str, ...]:
    return (line.reference, line.name, line.holder, line.routing, line.account, line.account_type)
