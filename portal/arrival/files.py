"""The files of an import: their columns, what may stand in each, and an example line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from portal.arrival import cells
from portal.arrival.cells import Reader
from portal.engine import KINDS
from portal.kernel.days import parse_day
from portal.models.consultant import STATUSES

NEEDED: Final = object()
PLAN = "plan.json"


@dataclass(frozen=True)
class Column:
    """A column: how its cells are read, what an empty one means (`NEEDED`: a fault), an example.

    `also` are other headings it may have, the first that is there counts.
    """

    name: str
    read: Reader
    example: str
    empty: Any = NEEDED
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileKind:
    """A file of an import and its columns; one that is not needed may be left out."""

    name: str
    columns: tuple[Column, ...]
    needed: bool = False
    others_allowed: bool = False


def file_kinds(zone: ZoneInfo) -> tuple[FileKind, ...]:
    """Every CSV file there can be, in the order in which they are read; days begin in the time zone."""
    return (*_people(zone), *_past(zone), *_money())


def _people(zone: ZoneInfo) -> tuple[FileKind, ...]:
    moment = cells.moment(zone)
    return (
        FileKind(
            "packs.csv",
            (
                Column("code", cells.pack_code, "gold"),
                Column("name", cells.words, "Gold"),
                Column("summary", cells.words, "For building a team."),
                Column("price", cells.money_from_zero, "99.00"),
                Column("monthly", cells.money_from_zero, "0.00", 0),
                Column("like", cells.one_of("smart", "pack", "plus"), "pack"),
            ),
        ),
        FileKind(
            "consultants.csv",
            (
                Column("code", cells.code, "A1001"),
                Column("name", cells.words, "Maya Torres"),
                Column("email", cells.email, "maya@example.com"),
                Column("country", cells.country, "US", "US"),
                Column("pack", cells.pack_code, "plus"),
                Column("status", cells.one_of(*STATUSES), "active", "active"),
                Column("sponsor", cells.code, "", ""),
                Column("joined_at", moment, "2024-03-01"),
            ),
            needed=True,
        ),
        FileKind(
            "placements.csv",
            (
                Column("code", cells.code, "A1001"),
                Column("parent", cells.code, "", ""),
                Column("leg", cells.one_of("L", "R"), "", ""),
                Column("since", moment, "2024-03-01", ""),
            ),
        ),
    )


def _past(zone: ZoneInfo) -> tuple[FileKind, ...]:
    moment = cells.moment(zone)
    return (
        FileKind(
            "cycles.csv",
            (
                Column("name", cells.cycle_name, "2026-W46"),
                Column("start", moment, "2026-11-09"),
                Column("until", moment, "2026-11-16"),
            ),
        ),
        FileKind(
            "lines.csv",
            (
                Column("cycle", cells.cycle_name, "2026-W46"),
                Column("code", cells.code, "A1001"),
                Column("kind", cells.any_of(KINDS), "binary"),
                Column("amount", cells.money, "30.00"),
                Column("base", cells.volume, "300.00", 0),
            ),
        ),
        FileKind(
            "volumes.csv",
            (
                Column("cycle", cells.cycle_name, "2026-W46"),
                Column("code", cells.code, "A1001"),
                Column("volume", cells.volume, "400.00"),
            ),
        ),
        FileKind(
            "carry.csv",
            (
                Column("code", cells.code, "A1001"),
                Column("left", cells.volume, "100.00", 0),
                Column("right", cells.volume, "0.00", 0),
                Column("matched_to_date", cells.volume_from_zero, "300.00", 0),
                Column("paid_to_date", cells.money_from_zero, "30.00", 0),
                Column("inactive_cycles", cells.count, "0", 0),
                Column("rank", cells.words, "", ""),
            ),
        ),
    )


def _money() -> tuple[FileKind, ...]:
    return (
        FileKind(
            "balances.csv",
            (
                Column("code", cells.code, "A1001"),
                Column("kind", cells.one_of("pending", "available", "debt"), "pending"),
                Column("amount", cells.owed_money, "58.00"),
                Column("due_on", parse_day, "2026-11-30", ""),
            ),
        ),
    )
