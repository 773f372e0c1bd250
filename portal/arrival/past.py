"""Past cycles: how they follow each other, their lines and volumes, and what they hand on."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from portal.arrival.faults import Faults
from portal.arrival.known import Known
from portal.arrival.people import find, unique
from portal.arrival.tables import Table
from portal.commissions import weeks

_BOUNDS: Final = {
    "day": ("a day begins at 00:00", "a day ends on the next day, 00:00"),
    "week": ("a week begins on a Monday, 00:00", "a week ends on the Monday after, 00:00"),
    "month": ("a month begins on its first day, 00:00", "a month ends on the first of the next, 00:00"),
}


def check_past(
    past: dict[str, Table], places: dict[str, int], *, ranks: tuple[str, ...], known: Known, faults: Faults
) -> None:
    """Check the four files about the past; rows find out where their cycle and their consultant stand."""
    cycles, carry = past["cycles"], past["carry"]
    names = unique(cycles, "name", faults)
    _check_order(cycles, known, faults)
    for table in (past["lines"], past["volumes"]):
        table.columns["in_cycle"] = find(table, "cycle", names, faults)
        table.columns["who"] = find(table, "code", places, faults)
    _check_pairs(past["volumes"], faults)
    carry.columns["who"] = find(carry, "code", places, faults)
    unique(carry, "code", faults)
    for line, rank in zip(carry.lines, carry["rank"], strict=True):
        if rank and rank not in ranks:
            faults.add(carry.name, line, "rank", f"the plan has no rank “{rank}”")
    if len(carry) and not len(cycles):
        faults.add(carry.name, carry.lines[0], "", "what is carried on needs the last cycle in cycles.csv")


def _check_order(cycles: Table, known: Known, faults: Faults) -> None:
    """Cycles are days, weeks or months as ours, without gaps, and over."""
    before: datetime | None = None
    for at, (start, until) in enumerate(zip(cycles["start"], cycles["until"], strict=True)):
        if start is not None and until is not None:
            _check_cycle(cycles, at, known=known, faults=faults)
            if before is not None and start != before:
                text = "a cycle starts where the one on the line before ended"
                faults.add(cycles.name, cycles.lines[at], "start", text)
        before = until
    if before is not None and before > known.now:
        faults.add(cycles.name, cycles.lines[-1], "until", "only cycles that are over can be imported")


def _check_cycle(cycles: Table, at: int, *, known: Known, faults: Faults) -> None:
    line, name, start = cycles.lines[at], cycles["name"][at], cycles["start"][at]
    rhythm = rhythm_of(name or "")
    ours = weeks.cycle_of(rhythm, start, known.zone)
    begins, ends = _BOUNDS[rhythm]
    if start != ours.starts_at:
        faults.add(cycles.name, line, "start", begins)
    elif cycles["until"][at] != ours.until:
        faults.add(cycles.name, line, "until", ends)
    elif name is not None and name != ours.name:
        faults.add(cycles.name, line, "name", f"the {rhythm} that begins on this day is called {ours.name}")


def rhythm_of(name: str) -> str:
    """Whether a cycle of this name is a day (`2026-11-22`), a month (`2026-11`) or a week (`2026-W47`)."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", name):
        return "day"
    return "month" if re.fullmatch(r"\d{4}-\d{2}", name) else "week"


def _check_pairs(volumes: Table, faults: Faults) -> None:
    seen: dict[tuple[int, int], int] = {}
    for at, pair in enumerate(zip(volumes["in_cycle"], volumes["who"], strict=True)):
        if min(pair) >= 0 and seen.setdefault(pair, at) != at:
            before = volumes.lines[seen[pair]]
            text = f"cycle and code are on line {before} already"
            faults.add(volumes.name, volumes.lines[at], "code", text)
