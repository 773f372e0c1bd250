"""CSV files as people save them: UTF-8, with commas, semicolons or tabs between the cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from portal.kernel.errors import BadInput

DELIMITERS: Final = ",;\t"


class Unreadable(BadInput):
    """A file that is no text, or a line of it that is no CSV; lines count from 1, as an editor does."""

    def __init__(self, cause: str, *, line: int) -> None:
        super().__init__(f"Line {line}: {cause}.", field="file")
        self.line, self.cause = line, cause


def read_records(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not empty, with the line on which it begins.

    What stands between the cells is what the first line has most of. Raises `Unreadable`.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = content[: error.start].count(b"\n") + 1
        raise Unreadable("this is not UTF-8 text; please save the file as “CSV UTF-8”", line=at) from None
    lines = io.StringIO(text, newline="")
    delimiter = max(DELIMITERS, key=lines.readline().count)
    lines.seek(0)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"the line cannot be read: {error}", line=line) from None
