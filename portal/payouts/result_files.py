"""Reading what the bank sends back: CSV with reference, amount, currency, outcome, reason. No guesses.

A bank's own format is read by whoever stands in `READERS` for the bytes it begins with.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from portal.kernel.errors import BadInput, DomainError
from portal.kernel.money import parse_money

MOST_BYTES = 900 * 1024
MOST_LINES = 20_000
LONGEST_CELL = 500
NEEDED = ("reference", "amount", "currency", "outcome")
# Where the file still has them, they are compared with what was exported.
ACCOUNT_COLUMNS = ("account_holder", "routing_number", "account_number", "account_type")
_PACKED = {b"PK": "a workbook or a zip file", b"\x1f\x8b": "a packed file", b"BZ": "a packed file"}
_OUTCOMES = {"paid": "paid", "failed": "failed", "returned": "failed"}


@dataclass(frozen=True)
class ResultRow:
    """One line as it was written; `cents` is None where the amount cannot be read.

    `outcome` is paid, failed or unread; `account` are the bank columns, where the file has them.
    """

    line: int
    reference: str
    amount: str
    cents: int | None
    currency: str
    outcome: str
    reason: str
    account: tuple[tuple[str, str], ...] = ()


Reader = Callable[[bytes], list[ResultRow]]

# Added where the house is put together, as the writers of these formats are.
READERS: dict[bytes, Reader] = {}


def read_result(content: bytes) -> list[ResultRow]:
    """All lines of a bank's result file, the control line left out.

    Raises `BadInput`, field `file`, for what is no such file: too big, packed, not UTF-8, columns missing.
    """
    for beginning, read in READERS.items():
        if content.startswith(beginning) and len(content) <= MOST_BYTES:
            return read(content)
    text = _text(content)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        names = {name.strip().lower(): name for name in reader.fieldnames or ()}
        missing = [name for name in NEEDED if name not in names]
        if missing:
            _refuse(f"The file needs the columns {', '.join(NEEDED)}; {', '.join(missing)} is missing.")
        return list(_rows(reader, names))
    except csv.Error as broken:
        raise BadInput(f"This is no CSV file: {broken}.", field="file") from broken


def _rows(reader: csv.DictReader[str], names: dict[str, str]) -> Iterator[ResultRow]:
    for number, cells in enumerate(reader, start=2):
        if number > MOST_LINES + 1:
            _refuse(f"The file has more than {MOST_LINES:,} lines. Please send it in parts.")
        row = {name: _cell(cells.get(column)) for name, column in names.items()}
        if row["reference"].upper() == "CONTROL" or not any(row.values()):
            continue
        yield _row(number, row)


def _row(number: int, row: dict[str, str]) -> ResultRow:
    account = tuple((name, row[name]) for name in ACCOUNT_COLUMNS if name in row)
    return ResultRow(
        line=number,
        reference=row["reference"],
        amount=row["amount"],
        cents=cents_of(row["amount"]),
        currency=row["currency"],
        outcome=_OUTCOMES.get(row["outcome"].lower(), "unread"),
        reason=row.get("reason", ""),
        account=account,
    )


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        _refuse(f"The file is larger than {MOST_BYTES // 1024} KB. Please send it in parts.")
    for beginning, what in _PACKED.items():
        if content.startswith(beginning):
            _refuse(f"This is {what}. Please send the result as a plain CSV file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse("The file is not written in UTF-8. Please save it as CSV (UTF-8).")
    if "\x00" in text:
        _refuse("The file holds what is no text. Please send a plain CSV file.")
    if not text.strip():
        _refuse("The file is empty.")
    return text


def _cell(value: str | list[str] | None) -> str:
    text = (value if isinstance(value, str) else "").strip()
    if len(text) > LONGEST_CELL:
        _refuse(f"A cell of the file is longer than {LONGEST_CELL} letters.")
    return text


def cents_of(written: str) -> int | None:
    """An amount of a file, None where it cannot be read."""
    try:
        return parse_money(written)
    except DomainError:
        return None


def _refuse(words: str) -> None:
    raise BadInput(words, field="file")
