"""What was committed since the last look, read in one statement, so that it is one moment of the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, TextClause, text

from portal.store.columns import columns_of

Ints = NDArray[np.int64]

NEVER: Final = 0
_NEW_ON_POSTGRESQL = text("""
    WITH placed AS (
        SELECT 1 AS what, id, consultant_id, COALESCE(parent_id, -1) AS first,
               CASE leg WHEN 'L' THEN 0 WHEN 'R' THEN 1 ELSE -1 END AS second
          FROM placement WHERE id > :placement OR id = ANY(CAST(:placement_gaps AS bigint[]))
    ), sold AS (
        SELECT 0, id, consultant_id, volume, cycle_id
          FROM sale WHERE id > :sale OR id = ANY(CAST(:sale_gaps AS bigint[]))
    )
    SELECT pg_snapshot_xmin(now)::text::bigint, (SELECT id FROM cycle WHERE state = 'open'), news.*
      FROM pg_current_snapshot() AS now
      LEFT JOIN (SELECT * FROM placed UNION ALL SELECT * FROM sold) AS news ON true
""")
_NEW_ON_SQLITE = text("""
    SELECT 0, (SELECT id FROM cycle WHERE state = 'open'), news.*
      FROM (SELECT 1) LEFT JOIN (
        SELECT 1 AS what, id, consultant_id, COALESCE(parent_id, -1) AS first,
               CASE leg WHEN 'L' THEN 0 WHEN 'R' THEN 1 ELSE -1 END AS second
          FROM placement WHERE id > :placement
        UNION ALL SELECT 0, id, consultant_id, volume, cycle_id FROM sale WHERE id > :sale
      ) AS news ON true
""")
_OLDEST = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
# A snapshot's own upper end is no bound: it leaves out running transactions that are newer than the newest
# one that ended. The number of a transaction that begins now is above all that have one.
_BOUND = text("SELECT pg_current_xact_id()::text::bigint")
_OPEN = text("SELECT id FROM cycle WHERE state = 'open'")
_STANDING = text("""
    SELECT consultant_id, COALESCE(parent_id, -1), CASE leg WHEN 'L' THEN 0 WHEN 'R' THEN 1 ELSE -1 END
      FROM placement WHERE valid_until IS NULL ORDER BY consultant_id
""")
_SOLD = text("SELECT id, consultant_id, volume FROM sale WHERE cycle_id = :cycle ORDER BY id")
_BEFORE = text("SELECT COALESCE(MAX(id), 0) FROM sale WHERE id < :first")
_PLACEMENT_IDS = text("SELECT id FROM placement ORDER BY id")


_NEW = {"postgresql": _NEW_ON_POSTGRESQL, "sqlite": _NEW_ON_SQLITE}


@dataclass
class Watermark:
    """How far a table was read: everything up to `last`, but for `gaps`.

    Ids become visible out of order. A number that was skipped is asked for again until every transaction
    that could own it has ended. Such a one had its number before the row drew its id, and so before the
    number of a transaction that begins after the gap was seen; when the oldest running one is not below
    that, it is over.
    """

    last: int = NEVER
    gaps: dict[int, int] = field(default_factory=dict)

    def took(self, ids: list[int], *, oldest: int) -> list[int]:
        """Note what was read while `oldest` was the oldest running transaction; gives the new gaps."""
        for found in ids:
            self.gaps.pop(found, None)
        self.gaps = {number: bound for number, bound in self.gaps.items() if bound > oldest}
        top = max(ids, default=NEVER)
        if top <= self.last:
            return []
        known = set(ids)
        missing = [number for number in range(self.last + 1, top) if number not in known]
        self.last = top
        return missing

    def ask_again(self, gaps: list[int], *, bound: int) -> None:
        """Keep asking for these until the oldest running transaction reaches `bound`."""
        self.gaps.update(dict.fromkeys(gaps, bound))


class Sold(NamedTuple):
    """Sales of the open cycle: consultants and their volume in hundredths, row by row."""

    consultants: Ints
    volumes: Ints


class Placed(NamedTuple):
    """Placements: consultants, whom they stand below (-1 for nobody), on which leg (0, 1, -1)."""

    consultants: Ints
    parents: Ints
    legs: Ints


class News(NamedTuple):
    """What came since the last look; `cycle_id` is the open cycle, 0 when none is open."""

    cycle_id: int
    sold: Sold
    placed: Placed


class Feed:
    """Reads the sales and placements of one database, each of them once."""

    def __init__(self) -> None:
        self._sales, self._placements = Watermark(), Watermark()

    def whole(self, connection: Connection) -> News:
        """Everything that stands, in a transaction that sees one moment; news are counted from it."""
        oldest = connection.execute(_OLDEST).scalar_one() if _has_gaps(connection) else 0
        cycle_id = int(connection.execute(_OPEN).scalar() or 0)
        ids, consultants, volumes = _columns(connection, _SOLD, 3, cycle=cycle_id)
        first = int(ids[0]) if len(ids) else 2**62
        # Sales of earlier cycles drew their ids before this cycle began, so none of them is still under way.
        self._sales = Watermark(int(connection.execute(_BEFORE, {"first": first}).scalar_one()))
        (placement_ids,) = _columns(connection, _PLACEMENT_IDS, 1)
        self._placements = Watermark()
        self._took(connection, ids.tolist(), placement_ids.tolist(), oldest=oldest)
        return News(cycle_id, Sold(consultants, volumes), Placed(*_columns(connection, _STANDING, 3)))

    def news(self, connection: Connection) -> News:
        """What was committed since the last look."""
        asked: dict[str, object] = {"sale": self._sales.last, "placement": self._placements.last}
        if _has_gaps(connection):
            asked |= {"sale_gaps": list(self._sales.gaps), "placement_gaps": list(self._placements.gaps)}
        rows = _columns(connection, _NEW[connection.dialect.name], 7, **asked)
        oldest, cycle_id = int(rows[0][0]), max(int(rows[1][0]), 0)
        what, ids, consultants, first, second = rows[2:]
        is_sale, is_placement = what == 0, what == 1
        self._took(connection, ids[is_sale].tolist(), ids[is_placement].tolist(), oldest=oldest)
        counts = is_sale & (second == cycle_id)
        in_order = np.nonzero(is_placement)[0][np.argsort(ids[is_placement])]
        placed = Placed(consultants[in_order], first[in_order], second[in_order])
        return News(cycle_id, Sold(consultants[counts], first[counts]), placed)

    def _took(self, connection: Connection, sales: list[int], placements: list[int], *, oldest: int) -> None:
        new_gaps = self._sales.took(sales, oldest=oldest), self._placements.took(placements, oldest=oldest)
        if any(new_gaps) and _has_gaps(connection):
            bound = connection.execute(_BOUND).scalar_one()
            self._sales.ask_again(new_gaps[0], bound=bound)
            self._placements.ask_again(new_gaps[1], bound=bound)


def _has_gaps(connection: Connection) -> bool:
    """Whether rows can become visible out of order; SQLite has one writer at a time."""
    return connection.dialect.name == "postgresql"


def _columns(connection: Connection, statement: TextClause, width: int, **values: object) -> list[Ints]:
    return columns_of(connection.execute(statement, values).fetchall(), width=width)
