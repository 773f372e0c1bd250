"""A vendor's CSV: its columns, which of them means what, and the lines read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from portal.kernel.days import parse_day
from portal.kernel.errors import BadInput
from portal.kernel.records import read_records
from portal.statements import cells
from portal.statements.lines import TYPES, Line
from portal.statements.service import MOST_LINES

MOST_FAULTS: Final = 100
PREVIEWED: Final = 5
# In a mapping, what is the same in all lines stands behind this sign in place of a column.
ALWAYS: Final = "="
NEEDED: Final = ("type", "contract_ref")

# What columns are often called, so that a first upload is mapped as far as can be.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "type": ("type", "event", "event type", "status"),
    "contract_ref": ("contract ref", "contract", "contract id", "contract number"),
    "occurred_at": ("occurred at", "date", "time", "happened at", "timestamp"),
    "customer_ref": ("customer ref", "customer", "customer id", "customer number"),
    "consultant_code": ("consultant code", "consultant", "seller", "agent"),
    "service_code": ("service code", "service", "product"),
    "period": ("period", "month"),
    "size_thousandths": ("size", "kw", "quantity"),
    "revenue_cents": ("revenue", "amount"),
    "signed_on": ("signed on", "signed"),
    "sold_in": ("state", "sold in"),
    "share": ("share", "refunded share"),
}
FIELDS: Final = tuple(_NAMES)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line, which counts from 1 as an editor does; `column` is empty for all of it."""

    line: int
    column: str
    text: str


@dataclass
class Read:
    """The lines that could be read, and what is wrong with the others; `faulty` counts all faults."""

    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    faulty: int = 0

    def add(self, line: int, column: str, text: str) -> None:
        """Note a fault; the first 100 are kept."""
        self.faulty += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(line, column, text))


def headings(content: bytes) -> list[str]:
    """The columns of a file. Raises `BadInput` for one that is empty, no text, or names a column twice."""
    first = next(iter(read_records(content)), None)
    found = [cell.strip() for cell in first[1]] if first else []
    if not any(found):
        raise BadInput("The file is empty; its first line has to name the columns.", field="file")
    named = [name for name in found if name]
    if len(set(named)) < len(named):
        raise BadInput("Two columns have the same name.", field="file")
    return found


def first_lines(content: bytes) -> list[list[str]]:
    """The first lines below the heading, as they stand in the file."""
    return [row for _line, row in islice(read_records(content), 1, PREVIEWED + 1)]


def guess(columns: Sequence[str], kept: Mapping[str, str]) -> dict[str, str]:
    """Which column means what: as it was last time where that column is there, else by its name."""
    named = {name.lower().replace("_", " "): name for name in columns if name}
    guessed: dict[str, str] = {}
    for wanted, names in _NAMES.items():
        before = kept.get(wanted, "")
        if before and (before in columns or before.startswith(ALWAYS)):
            guessed[wanted] = before
        elif not kept:
            guessed[wanted] = next((named[name] for name in names if name in named), "")
    return {name: column for name, column in guessed.items() if column}


def read_lines(content: bytes, mapping: Mapping[str, str], *, day: date, zone: ZoneInfo) -> Read:
    """The lines of a file about one day of the company, by a mapping from field to column.

    A field that is not mapped is not said; `=…` gives the same to every line. A line without a time is at
    noon of the day.
    """
    read, columns = Read(), headings(content)
    wrong = [name for name in NEEDED if not mapping.get(name)]
    wrong += [name for name, column in mapping.items() if column not in columns and column[:1] != ALWAYS]
    for name in wrong:
        read.add(1, name, "choose a column for it")
    if wrong:
        return read
    rows = _Rows(columns, mapping, _readers(zone), day=day, zone=zone)
    for number, (at, row) in enumerate(islice(read_records(content), 1, None), start=1):
        if number > MOST_LINES:
            read.add(at, "", f"a statement has at most {MOST_LINES} lines")
            break
        values = rows.values(row, at, read)
        if values is not None:
            rows.keep(values, at, read)
    return read


@dataclass(frozen=True)
class _Rows:
    """How the rows of one file become lines."""

    columns: Sequence[str]
    mapping: Mapping[str, str]
    readers: Mapping[str, cells.Reader]
    day: date
    zone: ZoneInfo

    def values(self, row: Sequence[str], at: int, read: Read) -> dict[str, Any] | None:
        """The fields of one row; None where one of them cannot be read."""
        cells_of = dict(zip(self.columns, row, strict=False))
        values: dict[str, Any] = {}
        before = read.faulty
        for name, column in self.mapping.items():
            text = column[1:] if column.startswith(ALWAYS) else cells_of.get(column, "")
            try:
                if text.strip():
                    values[name] = self.readers[name](text)
                elif name in NEEDED:
                    raise BadInput("this is needed")
            except BadInput as refusal:
                read.add(at, column, refusal.message)
        return values if read.faulty == before else None

    def keep(self, values: dict[str, Any], at: int, read: Read) -> None:
        """Add the line, unless it does not belong to the day or lacks what its type needs."""
        noon = datetime.combine(self.day, time(12), self.zone).astimezone(UTC)
        occurred_at = values.setdefault("occurred_at", noon)
        if occurred_at.astimezone(self.zone).date() != self.day:
            read.add(at, "", f"this did not happen on {self.day.isoformat()}")
        elif values["type"] == "service.renewed" and "period" not in values:
            read.add(at, "", "a renewal needs the month it is for")
        else:
            read.lines.append(Line(line=at, **values))


def _readers(zone: ZoneInfo) -> dict[str, cells.Reader]:
    return {
        "type": cells.kind,
        "contract_ref": cells.reference,
        "occurred_at": cells.moment(zone),
        "customer_ref": cells.reference,
        "consultant_code": cells.code(16),
        "service_code": cells.code(64),
        "period": cells.period,
        "size_thousandths": cells.size,
        "revenue_cents": cells.revenue,
        "signed_on": parse_day,
        "sold_in": cells.state,
        "share": cells.share,
    }


ALL_OF_TYPE: Final = tuple(f"{ALWAYS}{name}" for name in TYPES)
