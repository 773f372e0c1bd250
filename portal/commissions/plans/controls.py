"""A form of a plan as a page shows it: parts, fields and rows, each with what was typed and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from portal.commissions.plans.fields import PARTS
from portal.commissions.plans.forms import ON, row_count
from portal.commissions.plans.shape import CELLS, MODES, TABLES, Field, Part
from portal.engine.fields import inside

_FAULT: Final = re.compile(r'((?:[A-Za-z0-9_-]+|\[[0-9]+\]|\["(?:[^"\\]|\\.)*"\]|\.)+): (.*)', re.S)
ROOT: Final = "plan"


@dataclass(frozen=True)
class Cell:
    """One input: its name in the form, what was typed, and what is wrong with it."""

    name: str
    value: str
    error: str = ""


@dataclass(frozen=True)
class Line:
    """A row of a table or a list; `key` names a row of a table; `fixed`: a reader cannot change it."""

    cells: tuple[Cell, ...]
    key: Cell | None = None
    fixed: str = ""
    number: int = 0


@dataclass(frozen=True)
class Control:
    """One field on the page."""

    field: Field
    cell: Cell
    kind: str
    lines: tuple[Line, ...] = ()
    there: bool = False

    @property
    def several(self) -> bool:
        """Whether it has rows instead of one value."""
        return self.field.kind in (*TABLES, "rates", "tiers")


@dataclass(frozen=True)
class Row:
    """A rank or a service."""

    name: str
    title: str
    controls: tuple[Control, ...]
    key: Cell | None = None
    error: str = ""
    number: int = 0


@dataclass(frozen=True)
class PartForm:
    """A part on the page; `errors` counts everything that is wrong in it."""

    part: Part
    name: str
    on: bool
    controls: tuple[Control, ...]
    rows: tuple[Row, ...]
    error: str
    errors: int
    marks: tuple[str, ...] = ()


@dataclass
class Faults:
    """What the engine refuses, by place, and the form, by name; what was asked for is not left over."""

    by_place: dict[str, str]
    by_name: Mapping[str, str]
    asked: set[str] = field(default_factory=set)
    found: int = 0

    @staticmethod
    def of(faults: Iterable[str], problems: Mapping[str, str]) -> Faults:
        """Split lines such as `plan.pool.rate: is missing`; several at one place become one."""
        by_place: dict[str, str] = {}
        for line in faults:
            found = _FAULT.fullmatch(line)
            place, text = (found[1], found[2]) if found else (ROOT, line)
            by_place[place] = f"{by_place[place]}; {text}" if place in by_place else text
        return Faults(by_place, problems)

    def at(self, place: str, name: str) -> str:
        """What is wrong here, in a sentence; nothing if it is right."""
        self.asked.add(place)
        error = self.by_name.get(name) or sentence(self.by_place.get(place, ""))
        self.found += bool(error)
        return error

    def left_over(self) -> list[str]:
        """What stands at places that no field shows."""
        return [f"{place}: {text}" for place, text in self.by_place.items() if place not in self.asked]


def sentence(text: str) -> str:
    """A fault of the engine beside its field: `is missing` becomes `This is missing.`"""
    if not text:
        return ""
    spoken = f"This {text}" if re.match(r"(is|must|has|passes|field)\b", text) else text[0].upper() + text[1:]
    return spoken if spoken.endswith(".") else f"{spoken}."


def controls_of(typed: Mapping[str, str], faults: Faults, *, packs: Iterable[str]) -> list[PartForm]:
    """All parts of the form; tables have a row for each of these packs, and an empty one for another."""
    page = _Page(typed, faults, tuple(packs))
    return [page.part(part) for part in PARTS]


@dataclass(frozen=True)
class _Page:
    typed: Mapping[str, str]
    faults: Faults
    packs: tuple[str, ...]

    def part(self, part: Part) -> PartForm:
        """One part with everything in it."""
        before = self.faults.found
        place = inside(ROOT, part.key) if part.key else ROOT
        error = self.faults.at(place, part.key) if part.key else ""
        rows = self._rows(part, place) if part.rows else ()
        prefix = f"{part.key}." if part.key else ""
        controls = () if part.rows else self._controls(part.fields, prefix, place)
        return PartForm(
            part=part,
            name=part.key,
            on=not part.optional or self.typed.get(part.key) == ON,
            controls=controls,
            rows=rows,
            error=error,
            errors=self.faults.found - before,
            marks=() if part.rows else self._marks(part.fields, prefix),
        )

    def _rows(self, part: Part, place: str) -> tuple[Row, ...]:
        named = part.rows == "names"
        rows = []
        for at in range(row_count(self.typed, part.key) + named):
            name = f"{part.key}#{at}"
            code = self.typed.get(f"{name}.key", "")
            here = inside(place, code) if named else f"{place}[{at}]"
            key = self._cell(f"{name}.key", here) if named else None
            error = "" if named else self.faults.at(here, name)
            controls = self._controls(part.fields, f"{name}.", here)
            title = code if named else self.typed.get(f"{name}.name", "")
            rows.append(Row(name, title, controls, key, error, at))
        return tuple(rows)

    def _marks(self, fields: tuple[Field, ...], prefix: str) -> tuple[str, ...]:
        """Objects within the part that are there, so that empty ones stay."""
        subs = dict.fromkeys(field.path.rpartition(".")[0] for field in fields if "." in field.path)
        return tuple(prefix + sub for sub in subs if self.typed.get(prefix + sub) == ON)

    def _controls(self, fields: tuple[Field, ...], prefix: str, place: str) -> tuple[Control, ...]:
        mode = self.typed.get(f"{prefix}mode", "")
        return tuple(
            self._control(field, prefix + field.path, place)
            for field in fields
            if mode not in MODES or mode in field.modes or self._is_typed(prefix + field.path)
        )

    def _is_typed(self, name: str) -> bool:
        return bool(self.typed.get(name)) or row_count(self.typed, name) > 0

    def _control(self, field: Field, name: str, place: str) -> Control:
        for step in field.path.split("."):
            place = inside(place, step)
            if step != field.path.split(".")[-1]:
                self.faults.asked.add(place)
        cell, there = self._cell(name, place), name in self.typed
        if field.kind in TABLES:
            return Control(field, cell, CELLS[field.kind], self._table(name, place), there)
        if field.kind == "rates":
            return Control(field, cell, "rate", self._listed(name, place), there)
        if field.kind == "tiers":
            return Control(field, cell, "tiers", self._tiers(name, place), there)
        return Control(field, cell, field.kind)

    def _table(self, name: str, place: str) -> tuple[Line, ...]:
        lines = []
        count = row_count(self.typed, name)
        for at in range(count):
            key = self.typed.get(f"{name}#{at}.key", "")
            cell = self._cell(f"{name}#{at}.value", inside(place, key))
            named = Cell(f"{name}#{at}.key", key, self.faults.by_name.get(f"{name}#{at}.key", ""))
            lines.append(Line((cell,), named, key if key in self.packs else "", at))
        known = {line.key.value for line in lines if line.key}
        more = [pack for pack in self.packs if pack not in known]
        for at, pack in enumerate([*more, ""], count):
            key_cell = Cell(f"{name}#{at}.key", pack)
            lines.append(Line((Cell(f"{name}#{at}.value", ""),), key_cell, pack, at))
        return tuple(lines)

    def _listed(self, name: str, place: str) -> tuple[Line, ...]:
        rows = range(row_count(self.typed, name))
        return tuple(Line((self._cell(f"{name}#{at}", f"{place}[{at}]"),), number=at) for at in rows)

    def _tiers(self, name: str, place: str) -> tuple[Line, ...]:
        lines = []
        for at in range(row_count(self.typed, name)):
            here = f"{place}[{at}]"
            whole = self.faults.at(here, f"{name}#{at}")
            volume = self._cell(f"{name}#{at}.volume", f"{here}[0]")
            pay = self._cell(f"{name}#{at}.pay", f"{here}[1]")
            volume = Cell(volume.name, volume.value, volume.error or whole)
            lines.append(Line((volume, pay), number=at))
        return tuple(lines)

    def _cell(self, name: str, place: str) -> Cell:
        return Cell(name, self.typed.get(name, ""), self.faults.at(place, name))
