"""Who comes, who sponsored whom, who stands where: what cannot be is named."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from portal.arrival.faults import Faults
from portal.arrival.known import Known
from portal.arrival.tables import Table
from portal.engine.trees import in_cycles

Ints = NDArray[np.int64]

NOBODY: Final = -1
_SHOWN: Final = 6


def check_people(
    packs: Table, people: Table, placements: Table, *, known: Known, faults: Faults
) -> dict[str, int]:
    """Check consultants and both trees; where in `people` each code stands."""
    unique(packs, "code", faults)
    places = unique(people, "code", faults)
    unique(people, "email", faults)
    allowed = known.packs | set(packs["code"])
    for at, line in enumerate(people.lines):
        pack, email, joined_at = (people[name][at] for name in ("pack", "email", "joined_at"))
        if pack is not None and pack not in allowed:
            faults.add(people.name, line, "pack", f"there is no pack “{pack}”")
        if email in known.emails:
            faults.add(people.name, line, "email", f"{email} signs in here already")
        if joined_at is not None and joined_at > known.now:
            faults.add(people.name, line, "joined_at", "this lies in the future")
    people.columns["sponsor_at"] = find(people, "sponsor", places, faults)
    sponsors = np.array(people["sponsor_at"], np.int64)
    _refuse_circles(people, sponsors, "sponsor", faults=faults)
    _check_placements(people, placements, places, known=known, faults=faults)
    return places


def unique(table: Table, column: str, faults: Faults) -> dict[str, int]:
    """Where each value of a column stands first; a fault for every further row that has it."""
    first: dict[str, int] = {}
    for at, value in enumerate(table[column]):
        if value is not None and first.setdefault(value, at) != at:
            before = table.lines[first[value]]
            faults.add(table.name, table.lines[at], column, f"{value} is on line {before} already")
    return first


def find(table: Table, column: str, places: dict[str, int], faults: Faults) -> list[int]:
    """Where the value of each row stands, -1 for none; a fault for what is not there."""
    found = []
    for line, value in zip(table.lines, table[column], strict=True):
        place = places.get(value, NOBODY)
        if place == NOBODY and value:
            faults.add(table.name, line, column, f"there is no “{value}”")
        found.append(place)
    return found


def _refuse_circles(table: Table, above: Ints, column: str, *, faults: Faults) -> None:
    """One fault for every circle, at the first of its lines."""
    seen: set[int] = set()
    for start in in_cycles(above).tolist():
        circle: list[int] = []
        at = start
        while at not in seen:
            seen.add(at)
            circle.append(at)
            at = int(above[at])
        if circle:
            codes = " → ".join(str(table["code"][one]) for one in [*circle[:_SHOWN], start])
            faults.add(table.name, table.lines[start], column, f"goes round in a circle: {codes}")


def _check_placements(
    people: Table, placements: Table, places: dict[str, int], *, known: Known, faults: Faults
) -> None:
    rows = unique(placements, "code", faults)
    who = find(placements, "code", places, faults)
    above = find(placements, "parent", places, faults)
    spots: dict[tuple[int, str], int] = {}
    for at, line in enumerate(placements.lines):
        parent, leg, since = (placements[name][at] for name in ("parent", "leg", "since"))
        if parent is not None and leg is not None and bool(parent) != bool(leg):
            faults.add(placements.name, line, "leg", "parent and leg go together: both, or none at the top")
        if since and since > known.now:
            faults.add(placements.name, line, "since", "this lies in the future")
        if above[at] == NOBODY:
            continue
        if parent not in rows:
            faults.add(placements.name, line, "parent", f"{parent} has no place in this file")
        if leg and spots.setdefault((above[at], leg), line) != line:
            taken = spots[above[at], leg]
            faults.add(placements.name, line, "leg", f"this place is taken on line {taken} already")
    parents = np.array([rows.get(parent, NOBODY) for parent in placements["parent"]], np.int64)
    _refuse_circles(placements, parents, "parent", faults=faults)
    placements.columns["who"], placements.columns["above"] = who, above
