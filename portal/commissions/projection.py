"""The projection of the open cycle: computed by a job, published in Redis, read record by record.

One string holds a header and a record of fixed width for each consultant id, so that a page reads its few
records without touching the rest. Losing it costs one recalculation.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.gathering import gather
from portal.engine import KINDS, Result, calculate
from portal.engine.network import Network
from portal.extensions import redis
from portal.models import Cycle

PUBLISHED = "canopy:projection"
REQUESTED = "canopy:projection:requested"
DONE = "canopy:projection:done"

_MAGIC = 0x43414E4F5059_01
_HEADER = struct.Struct("<5q")


@dataclass(frozen=True)
class Projected:
    """One consultant in the open cycle: volumes in hundredths, money in cents, people as counts.

    `left` and `right` hold what was carried in as well; `matched` is the volume matched before any cap.
    """

    known: int
    new_left: int
    new_right: int
    left: int
    right: int
    carry_left: int
    carry_right: int
    matched: int
    retail: int
    direct: int
    unilevel: int
    revenue_share: int
    matrix: int
    binary: int
    matching: int
    pool: int
    total: int
    personal_volume: int
    active: int
    qualified: int
    people_left: int
    people_right: int

    def paid(self, kind: str) -> int:
        """What one kind of pay comes to, in cents."""
        amount: int = getattr(self, kind)
        return amount


@dataclass(frozen=True)
class Published:
    """Which cycle was projected, and when."""

    cycle_id: int
    at: datetime


_WIDTH = len(Projected.__dataclass_fields__)
UNKNOWN = Projected(*[0] * _WIDTH)
_RECORD = struct.Struct(f"<{_WIDTH}q")


def request() -> None:
    """Ask for a recalculation; many requests before it starts make one."""
    redis.client.incr(REQUESTED)


def is_behind() -> bool:
    """Whether something was asked for that is not in the published projection, or none is there."""
    requested, done, there = redis.client.mget([REQUESTED, DONE, PUBLISHED + ":there"])
    return there is None or int(requested or 0) != int(done or 0)


def recalculate(session: Session, *, now: datetime) -> bool:
    """Compute the open cycle from what is committed and publish it; False when no cycle is open."""
    asked_for = int(redis.client.get(REQUESTED) or 0)
    cycle = session.scalar(select(Cycle).where(Cycle.state == "open"))
    if cycle is None:
        redis.client.set(DONE, asked_for)
        return False
    gathered = gather(session, cycle)
    result = calculate(gathered.inputs)
    table = _table(result, gathered.inputs.network)
    body = _by_consultant(table, gathered.consultants)
    header = _HEADER.pack(_MAGIC, cycle.id, len(body), _WIDTH, int(now.timestamp()))
    with redis.client.pipeline(transaction=True) as pipeline:
        pipeline.set(PUBLISHED, header + body.tobytes())
        pipeline.set(PUBLISHED + ":there", 1)
        pipeline.set(DONE, asked_for)
        pipeline.execute()
    return True


def read(consultant_id: int) -> Projected | None:
    """The record of one consultant; None while there is no projection that knows them."""
    return read_many([consultant_id])[0]


def read_many(consultant_ids: Sequence[int]) -> list[Projected | None]:
    """The records of some consultants, all of the same projection."""
    return _read(consultant_ids)[1]


def leg_volumes(consultant_id: int) -> tuple[int, int] | None:
    """Left and right volume with what was carried in, in hundredths; None where it is not known."""
    record = read(consultant_id)
    return None if record is None else (record.left, record.right)


def published() -> Published | None:
    """What is published now."""
    return _read([])[0]


def _read(consultant_ids: Sequence[int]) -> tuple[Published | None, list[Projected | None]]:
    nothing: tuple[None, list[Projected | None]] = (None, [None] * len(consultant_ids))
    try:
        with redis.client.pipeline(transaction=True) as pipeline:
            pipeline.getrange(PUBLISHED, 0, _HEADER.size - 1)
            for consultant_id in consultant_ids:
                start = _HEADER.size + consultant_id * _RECORD.size
                pipeline.getrange(PUBLISHED, start, start + _RECORD.size - 1)
            header, *records = pipeline.execute()
    except RedisError:
        return nothing
    if len(header) != _HEADER.size:
        return nothing
    magic, cycle_id, _, width, seconds = _HEADER.unpack(header)
    if magic != _MAGIC or width != _WIDTH:
        return nothing
    return Published(cycle_id, datetime.fromtimestamp(seconds, UTC)), [_record(record) for record in records]


def _record(raw: bytes) -> Projected | None:
    if len(raw) != _RECORD.size:
        return None
    record = Projected(*_RECORD.unpack(raw))
    return record if record.known else None


def _table(result: Result, network: Network) -> NDArray[np.int64]:
    """A row for each member, in the order of the fields of `Projected`."""
    members, lines, count = result.members, result.lines, len(network)
    columns: dict[str, NDArray[Any]] = {
        "known": np.ones(count, np.int64),
        "left": members.taken_left + members.expired_left + members.carry_left - members.restored,
        "right": members.taken_right + members.expired_right + members.carry_right - members.restored,
        "personal_volume": members.pv,
    }
    for name in KINDS:
        columns[name] = np.zeros(count, np.int64)
        chosen = lines.kind == KINDS.index(name)
        np.add.at(columns[name], lines.member[chosen], lines.amount[chosen])
    for field in fields(Projected):
        source = network if hasattr(network, field.name) else members
        if field.name not in columns:
            columns[field.name] = getattr(source, field.name)
    return np.stack([columns[field.name].astype(np.int64) for field in fields(Projected)], axis=1)


def _by_consultant(table: NDArray[np.int64], consultants: NDArray[np.int64]) -> NDArray[np.int64]:
    body = np.zeros((int(consultants.max()) + 1 if len(consultants) else 0, _WIDTH), np.int64)
    body[consultants] = table
    return body
