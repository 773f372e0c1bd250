"""A CSV file as columns, with every cell read; what cannot be read becomes a fault and None."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from portal.arrival.faults import Faults
from portal.arrival.files import NEEDED, Column, FileKind
from portal.kernel.errors import BadInput
from portal.kernel.records import Unreadable, read_records

_RECORDS_AT_ONCE: Final = 200


@dataclass
class Table:
    """The rows of a file: the line on which each begins, and the columns; None stands for a faulty cell."""

    name: str
    lines: list[int] = field(default_factory=list)
    columns: dict[str, list[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, name: str) -> list[Any]:
        return self.columns[name]


def read_table(kind: FileKind, content: bytes, faults: Faults) -> Table:
    """Read a file; the faults are added to `faults`."""
    table = Table(kind.name, columns={column.name: [] for column in kind.columns})
    before, records = faults.count, _records(kind.name, content, faults)
    first = next(records, None)
    if first is None:
        if faults.count == before:
            faults.add(kind.name, 1, "", "the file is empty; its first line has to name the columns")
        return table
    heading = _heading(kind, first[1])
    if not _is_sound(kind, heading, faults):
        return table
    cells = _cells(table, heading, records, faults)
    for column in kind.columns:
        at = heading.index(column.name) if column.name in heading else None
        found = [""] * len(table) if at is None else cells[at]
        table.columns[column.name] = _read(table, column, found, faults)
    return table


def _heading(kind: FileKind, cells: Sequence[str]) -> list[str]:
    """The names of the columns as we call them."""
    heading = [cell.strip().lower().replace("_", " ") for cell in cells]
    own = {column.name.replace("_", " "): column.name for column in kind.columns}
    heading = [own.get(name, name) for name in heading]
    for column in kind.columns:
        named = next((name for name in column.also if name in heading), None)
        if named is not None and column.name not in heading:
            heading[heading.index(named)] = column.name
    return heading


def _records(name: str, content: bytes, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins, up to one that cannot be read."""
    try:
        yield from read_records(content)
    except Unreadable as refusal:
        faults.add(name, refusal.line, "", refusal.cause)


def _is_sound(kind: FileKind, heading: list[str], faults: Faults) -> bool:
    before = faults.count
    names = [column.name for column in kind.columns]
    for column in kind.columns:
        if column.name not in heading and column.empty is NEEDED:
            also = f"; it may be called {', '.join(column.also)} too" if column.also else ""
            faults.add(kind.name, 1, column.name, f"this column is missing{also}")
    for at, name in enumerate(heading):
        if name in heading[:at] and name in names:
            faults.add(kind.name, 1, name, "this column is there more than once")
        elif name not in names and not kind.others_allowed:
            faults.add(kind.name, 1, name or f"column {at + 1}", "this column is not known here")
    return faults.count == before


def _cells(
    table: Table, heading: list[str], records: Iterator[tuple[int, list[str]]], faults: Faults
) -> list[list[str]]:
    """The cells of each column of all lines that are whole; `table` learns the lines.

    Few records at a time: lists by the million would keep the garbage collector busy.
    """
    columns: list[list[str]] = [[] for _ in heading]
    while some := list(islice(records, _RECORDS_AT_ONCE)):
        whole = [(line, record) for line, record in some if len(record) == len(heading)]
        for line, record in some if len(whole) != len(some) else ():
            if len(record) != len(heading):
                text = f"{len(record)} cells, but the first line names {len(heading)}"
                faults.add(table.name, line, "", text)
        table.lines.extend(line for line, _ in whole)
        for column, cells in zip(columns, zip(*(record for _, record in whole), strict=True), strict=False):
            column.extend(cells)
    return columns


def _read(table: Table, column: Column, cells: Sequence[str], faults: Faults) -> list[Any]:
    """Read each cell; what stands in many cells, such as a day or a kind, is read once."""
    values: dict[str, Any] = {}
    refusals: dict[str, str] = {}
    for cell in dict.fromkeys(cells):
        try:
            values[cell] = _value(column, cell)
        except BadInput as refusal:
            values[cell], refusals[cell] = None, refusal.message
    if refusals:
        for line, cell in zip(table.lines, cells, strict=True):
            if cell in refusals:
                faults.add(table.name, line, column.name, refusals[cell])
    return list(map(values.__getitem__, cells))


def _value(column: Column, cell: str) -> Any:
    if not cell or cell.isspace():
        if column.empty is NEEDED:
            raise BadInput("this must not be empty")
        return column.empty
    if "\n" in cell or "\r" in cell:
        raise BadInput("there is a line break inside the cell")
    return column.read(cell)
