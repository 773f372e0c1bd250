"""What is wrong with files, named by file, line and column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MOST: Final = 200


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: the line counts from 1, as an editor does; `column` is a heading, empty for a whole line."""

    file: str
    line: int
    column: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{place}: {self.text}"


@dataclass
class Faults:
    """All faults are counted, the first `most` of each file are kept."""

    most: int = MOST
    count: int = 0
    _kept: dict[str, list[Fault]] = field(default_factory=dict)

    def add(self, file: str, line: int, column: str, text: str) -> None:
        """Note a fault."""
        self.count += 1
        kept = self._kept.setdefault(file, [])
        if len(kept) < self.most:
            kept.append(Fault(file, line, column, text))

    def shown(self) -> list[Fault]:
        """The first faults, file by file and line by line."""
        return [fault for file in sorted(self._kept) for fault in sorted(self._kept[file])][: self.most]

    @property
    def rest(self) -> int:
        """How many there are beyond those that are shown."""
        return self.count - len(self.shown())
