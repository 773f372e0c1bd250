"""The live index of this process: brought up to the moment by whoever reads it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

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


class Reading(NamedTuple):
    """Legs of the cycle that is open (0 for none), in the order they were asked for, all of one moment."""

    cycle_id: int
    legs: list[LegFigures | None]


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
        with self._turn:
            index = self._up_to_date()
            top = self._member(consultant_id)
            known = [(other, self._member(other)) for other in others]
            return {other for other, member in known if min(top, member) >= 0 and index.is_below(member, top)}

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
        members = np.full(len(consultants), NONE, np.int64)
        inside = consultants < len(self._members)
        members[inside] = self._members[consultants[inside]]
        placed = members >= 0
        index.sell(members[placed], volumes[placed])
        waiting = zip(consultants[~placed].tolist(), volumes[~placed].tolist(), strict=True)
        for consultant_id, volume in waiting:
            self._waiting[consultant_id] = self._waiting.get(consultant_id, 0) + volume

    def _reading(self, index: LiveIndex, consultant_ids: Sequence[int]) -> Reading:
        members = [self._member(consultant_id) for consultant_id in consultant_ids]
        return Reading(self._cycle_id, [None if member < 0 else index.legs(member) for member in members])

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


def _of_this_process() -> LiveLegs:
    """Made at the first read of a process, so after any fork."""
    with _making:
        found = current_app.extensions.get("live")
        if found is None:
            found = current_app.extensions["live"] = LiveLegs(db.engine)
        legs: LiveLegs = found
        return legs


_making = threading.Lock()
