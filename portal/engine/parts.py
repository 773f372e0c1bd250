"""The parts of a plan document that pay up a line, and the ranks: what they hold and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portal.engine.fields import Fields

Table = Mapping[str, int]
"""A number for each pack, by the pack's code."""

Rates = tuple[int, ...]
"""A rate for each level, the nearest first."""


@dataclass(frozen=True)
class Levels:
    """Rates by level up a line; with `compress` an inactive member uses up no level."""

    rates: Rates
    compress: bool


@dataclass(frozen=True)
class Matrix(Levels):
    """Rates by level up the matrix, in which a member has at most `width` children."""

    width: int


@dataclass(frozen=True)
class Matching(Levels):
    """Rates by generation above a member that is paid for matching; `depth` says by pack how many count."""

    depth: Table


@dataclass(frozen=True)
class Rank:
    """What a rank asks for, None where it does not, and what it gives. `leg_rank` is a lower rank's place."""

    name: str
    personal_volume: int | None
    weak_leg_volume: int | None
    sponsored_active: int | None
    leg_rank: int | None
    cap: int
    matching_depth: int
    pool_shares: int


def read_levels(fields: Fields, name: str) -> Levels | None:
    """`unilevel` and `revenue_share`."""
    part = fields.part(name, None)
    if part is None:
        return None
    levels = Levels(part.rates("rates"), part.flag("compress", True))
    part.close()
    return levels


def read_matrix(fields: Fields) -> Matrix | None:
    """`matrix`."""
    part = fields.part("matrix", None)
    if part is None:
        return None
    width = part.count("width", least=1)
    matrix = Matrix(part.rates("rates"), part.flag("compress", True), width)
    part.close()
    return matrix


def read_matching(fields: Fields) -> Matching | None:
    """`matching`."""
    part = fields.part("matching", None)
    if part is None:
        return None
    matching = Matching(part.rates("rates"), part.flag("compress", True), counts(part, "depth"))
    part.close()
    return matching


def read_pool(fields: Fields) -> int | None:
    """The rate of `pool`."""
    part = fields.part("pool", None)
    if part is None:
        return None
    rate = part.rate("rate")
    part.close()
    return rate


def read_ranks(fields: Fields) -> tuple[Rank, ...]:
    """`ranks`, low to high."""
    lower: dict[str, int] = {}
    ranks = []
    for item in fields.items("ranks", []):
        ranks.append(_rank(item, lower))
        if item.value.get("name") in lower:
            item.fault("name", "another rank has this name")
        lower.setdefault(ranks[-1].name, len(ranks) - 1)
    return tuple(ranks)


def _rank(item: Fields, lower: Mapping[str, int]) -> Rank:
    name, requires = item.text("name"), item.part("requires")
    asked = requires or Fields({}, "", [])
    rank = Rank(
        name=name,
        personal_volume=asked.amount("personal_volume") if "personal_volume" in asked.value else None,
        weak_leg_volume=asked.amount("weak_leg_volume") if "weak_leg_volume" in asked.value else None,
        sponsored_active=asked.count("sponsored_active") if "sponsored_active" in asked.value else None,
        leg_rank=_lower_rank(asked, lower),
        cap=item.amount("cap", 0),
        matching_depth=item.count("matching_depth", 0),
        pool_shares=item.count("pool_shares", 0),
    )
    asked.close()
    item.close()
    return rank


def _lower_rank(asked: Fields, lower: Mapping[str, int]) -> int | None:
    if "leg_rank" not in asked.value:
        return None
    name = asked.text("leg_rank")
    if isinstance(asked.value["leg_rank"], str) and name not in lower:
        asked.fault("leg_rank", "must be the name of a rank below this one")
    return lower.get(name)


def rates_by_pack(fields: Fields, name: str) -> Table:
    """A table of rates."""
    table = fields.part(name)
    return {pack: table.rate(pack) for pack in table.value} if table else {}


def amounts_by_pack(fields: Fields | None, name: str) -> Table:
    """A table of volumes or amounts of money; it may be missing."""
    table = fields.part(name, None) if fields else None
    return {pack: table.amount(pack) for pack in table.value} if table else {}


def counts(fields: Fields, name: str, default: object = ...) -> Table:
    """A table of whole numbers; with a default it may be missing."""
    table = fields.part(name) if default is ... else fields.part(name, default)
    return {pack: table.count(pack) for pack in table.value} if table else {}
