"""The live index of this process: brought up to the moment by whoever reads it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import numpy as np
from flask import current_app
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from portal.extensions import db
from portal.live.feed import Feed, News, Placed
from portal.live.index import LegFigures, LiveIndex
from portal.store.columns import NONE

Ints = NDArray[np.int64]

SPARE: Final = 1_024
LOOKED_AT: Final = 1 << 16


class Reading(NamedTuple):
    """Legs of the cycle that is open (0 for none), in the order they were asked for, all of one moment."""

    cycle_id: int
    legs: list[LegFigures | None]


class Team(NamedTuple):
    """Some people: consultant ids, legs (0 left, 1 right), levels below whoever looks."""

    ids: Ints
    legs: NDArray[np.int8]
    levels: Ints

    def part(self, start: int, end: int) -> Team:
        """Some of them, by place."""
        return self.where(slice(start, end))

    def where(self, chosen: Any) -> Team:
        """Those who are chosen by anything that an array takes as an index."""
        return Team(self.ids[chosen], self.legs[chosen], self.levels[chosen])

    def of(self, ids: Ints) -> Team:
        """Who of these is in the team, in the order of `ids`."""
        place = np.full(int(max(self.ids.max(initial=0), ids.max(initial=0))) + 1, NONE, np.int64)
        place[self.ids] = np.arange(len(self.ids))
        at = place[ids]
        return self.where(at[at >= 0])

    def followed_by(self, others: list[Team]) -> Team:
        """They and the others, one behind another."""
        ids, legs, levels = zip(self, *others, strict=True)
        return Team(np.concatenate(ids), np.concatenate(legs), np.concatenate(levels))


NOBODY: Final = Team(np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0, np.int64))


class LiveLegs:
    """The legs of everybody in one database. Threads take turns; each read begins with what is new.

    It reads through connections of its own, so that what a request has not committed is never counted.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._feed = Feed()
        self._index: LiveIndex | None = None
        self._members: Ints = np.zeros(0, np.int64)
        self._waiting: dict[int, int] = {}
        self._cycle_id = 0

    def legs(self, consultant_ids: Sequence[int]) -> Reading:
        """Both legs of some consultants, of one moment; None for whoever has no place in the tree."""
        with self._turn:
            return self._reading(self._up_to_date(), consultant_ids)

    def below(self, consultant_id: int, others: Sequence[int]) -> set[int]:
        """Who of the others stands below a consultant."""
        asked = np.array(others, np.int64)
        return set(asked[self.sides(consultant_id, asked) >= 0].tolist())

    def sides(self, consultant_id: int, others: Ints) -> NDArray[np.int8]:
        """On which leg of a consultant each of the others stands: 0 left, 1 right, -1 in neither."""
        with self._turn:
            index, top = self._up_to_date(), self._member(consultant_id)
            return self._sides(index, top, self._members_of(others))

    def team(self, consultant_id: int, *, after: int, most: int | None, levels: int | None) -> Team:
        """Those below a consultant with a greater id than `after`, by id, at most so many levels down."""
        with self._turn:
            index, top = self._up_to_date(), self._member(consultant_id)
            found, missing = [], len(index) if most is None else most
            for start in range(after + 1, len(self._members) if top >= 0 else 0, LOOKED_AT):
                ids = np.arange(start, min(start + LOOKED_AT, len(self._members)))
                found.append(self._part(index, top, ids, levels).part(0, missing))
                missing -= len(found[-1].ids)
                if not missing:
                    break
        return NOBODY.followed_by(found)

    def way(self, consultant_id: int, other: int) -> tuple[Ints, NDArray[np.int8]]:
        """Who stands from a consultant down to another, both with them, and on which leg of the one above.

        Nobody, where the other is not below the consultant and not the consultant.
        """
        with self._turn:
            index = self._up_to_date()
            top, member = self._member(consultant_id), self._member(other)
            way = index.way(member, top) if min(top, member) >= 0 else np.zeros(0, np.int64)
            placed = np.flatnonzero(self._members >= 0)
            consultants = np.empty(len(index), np.int64)
            consultants[self._members[placed]] = placed
            return consultants[way], index.leg_of(way)

    def volume_of(self, consultant_id: int) -> int:
        """What a consultant sold in the open cycle, in hundredths, as last read."""
        member = self._member(consultant_id)
        if self._index is None or member < 0:
            return self._waiting.get(consultant_id, 0)
        return self._index.volume_of(member)

    @property
    def nbytes(self) -> int:
        """The memory of the index, in bytes."""
        return 0 if self._index is None else self._index.nbytes + self._members.nbytes

    def seen_by(self, connection: Connection, consultant_ids: Sequence[int]) -> Reading:
        """Both legs of some consultants as an open transaction sees them, which saw what was read before."""
        with self._turn:
            index = self._followed(connection)
            return self._reading(self._load(connection) if index is None else index, consultant_ids)

    def _up_to_date(self) -> LiveIndex:
        if self._index is not None:
            with self._connected("AUTOCOMMIT") as connection:
                index = self._followed(connection)
            if index is not None:
                return index
        with self._connected("REPEATABLE READ") as connection, connection.begin():
            return self._load(connection)

    def _load(self, connection: Connection) -> LiveIndex:
        self._feed = Feed()
        news = self._feed.whole(connection)
        self._cycle_id = news.cycle_id
        self._waiting = {}
        consultants, parents, legs = news.placed
        self._members = np.full(int(consultants.max()) + 1 if len(consultants) else 0, NONE, np.int64)
        self._members[consultants] = np.arange(len(consultants))
        above = np.where(parents >= 0, self._members[parents], NONE)
        nothing = np.zeros(len(consultants), np.int64)
        self._index = LiveIndex(above, legs.astype(np.int8), nothing)
        self._sell(self._index, news)
        return self._index

    def _followed(self, connection: Connection) -> LiveIndex | None:
        """The index with what is new; None when somebody moved and everything has to be read again.

        Until all of it is taken in there is no index: news that were read and then lost to an error would
        never come again.
        """
        index, self._index = self._index, None
        if index is None:
            return None
        news = self._feed.news(connection)
        if news.cycle_id != self._cycle_id:
            self._cycle_id = news.cycle_id
            self._waiting.clear()
            index.start_afresh()
        if not self._join(index, news.placed):
            return None
        self._sell(index, news)
        self._index = index
        return index

    def _join(self, index: LiveIndex, placed: Placed) -> bool:
        for consultant_id, parent_id, leg in zip(*(column.tolist() for column in placed), strict=True):
            parent = self._member(parent_id) if parent_id >= 0 else NONE
            if self._member(consultant_id) >= 0 or (parent_id >= 0 and parent < 0):
                return False
            if consultant_id >= len(self._members):
                room = np.full(consultant_id - len(self._members) + SPARE, NONE, np.int64)
                self._members = np.concatenate([self._members, room])
            volume = self._waiting.pop(consultant_id, 0)
            self._members[consultant_id] = index.join(parent, leg, volume)
        return True

    def _sell(self, index: LiveIndex, news: News) -> None:
        """Count sales; those of people who wait for a place are kept until they have one."""
        consultants, volumes = news.sold
        members = self._members_of(consultants)
        placed = members >= 0
        index.sell(members[placed], volumes[placed])
        waiting = zip(consultants[~placed].tolist(), volumes[~placed].tolist(), strict=True)
        for consultant_id, volume in waiting:
            self._waiting[consultant_id] = self._waiting.get(consultant_id, 0) + volume

    def _reading(self, index: LiveIndex, consultant_ids: Sequence[int]) -> Reading:
        members = [self._member(consultant_id) for consultant_id in consultant_ids]
        return Reading(self._cycle_id, [None if member < 0 else index.legs(member) for member in members])

    def _part(self, index: LiveIndex, top: int, ids: Ints, levels: int | None) -> Team:
        """Who of some consultants stands below a member."""
        members = self._members_of(ids)
        sides = self._sides(index, top, members)
        seen = sides >= 0
        down = index.levels(members[seen]) - int(index.levels(np.array([top]))[0])
        team = Team(ids[seen], sides[seen], down)
        return team if levels is None else team.where(down <= levels)

    def _sides(self, index: LiveIndex, top: int, members: Ints) -> NDArray[np.int8]:
        sides = np.full(len(members), NONE, np.int8)
        if top >= 0:
            placed = members >= 0
            sides[placed] = index.sides(members[placed], top)
        return sides

    def _members_of(self, consultant_ids: Ints) -> Ints:
        members = np.full(len(consultant_ids), NONE, np.int64)
        inside = (consultant_ids >= 0) & (consultant_ids < len(self._members))
        members[inside] = self._members[consultant_ids[inside]]
        return members

    def _member(self, consultant_id: int) -> int:
        return int(self._members[consultant_id]) if 0 <= consultant_id < len(self._members) else NONE

    @contextmanager
    def _connected(self, isolation: str) -> Iterator[Connection]:
        options = {} if self._engine.dialect.name == "sqlite" else {"isolation_level": isolation}
        with self._engine.connect().execution_options(**options) as connection:
            yield connection


def legs(consultant_ids: Sequence[int]) -> Reading:
    """Both legs of some consultants in the open cycle, at this moment; None for who has no place."""
    return _of_this_process().legs(consultant_ids)


def below(consultant_id: int, others: Sequence[int]) -> set[int]:
    """Who of the others stands below a consultant, at this moment."""
    return _of_this_process().below(consultant_id, others)


def sides(consultant_id: int, others: Ints) -> NDArray[np.int8]:
    """On which leg of a consultant each of the others stands, at this moment: 0 left, 1 right, -1 neither."""
    return _of_this_process().sides(consultant_id, others)


def team(consultant_id: int, *, after: int = 0, most: int | None = None, levels: int | None = None) -> Team:
    """Those below a consultant with a greater id than `after`, by id, at this moment."""
    return _of_this_process().team(consultant_id, after=after, most=most, levels=levels)


def way(consultant_id: int, other: int) -> tuple[Ints, NDArray[np.int8]]:
    """Who stands from a consultant down to another, with both, and on which legs; nobody where not below."""
    return _of_this_process().way(consultant_id, other)


def _of_this_process() -> LiveLegs:
    """Made at the first read of a process, so after any fork."""
    with _making:
        found = current_app.extensions.get("live")
        if found is None:
            found = current_app.extensions["live"] = LiveLegs(db.engine)
        legs: LiveLegs = found
        return legs


_making = threading.Lock()
