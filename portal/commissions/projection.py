"""The projection of the open cycle: computed by a job, published in Redis, read record by record.

Records of fixed width, one for each consultant id, lie in strings of some thousand, so that a page reads its
few without touching the rest. A header names the newest whole version; the one before it stays for whoever
has just read its name. Losing all of it costs one recalculation.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.warm import WarmInputs
from portal.engine import KINDS, Result, calculate
from portal.engine.cycle import sum_by_member
from portal.engine.explaining import figures
from portal.extensions import redis
from portal.models import Cycle

PUBLISHED = "canopy:projection"
REQUESTED = "canopy:projection:requested"
DONE = "canopy:projection:done"

_MAGIC: Final = 0x43414E4F5059_02
_LOOKS: Final = 3
_HEADER: Final = struct.Struct("<5q")
_BLOCK: Final = 16_384


@dataclass(frozen=True)
class Projected:
    """One consultant in the open cycle: volumes in hundredths, money in cents, people as counts.

    `left` and `right` hold what was carried in as well; `matched` is the volume matched before any cap. From
    `may_be_active` on stands what distances are reckoned from, see `portal.engine.explaining.Figures`.
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
    may_be_active: int
    window_pv: int
    at_cap: int
    rank: int
    sponsored_active: int
    sponsored_left: int
    sponsored_right: int
    holder_left: int
    holder_right: int
    expired_left: int
    expired_right: int
    inactive_cycles: int

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
UNKNOWN = replace(Projected(*[0] * _WIDTH), rank=-1)
_RECORD = struct.Struct(f"<{_WIDTH}q")


def request() -> None:
    """Ask for a recalculation; many requests before it starts make one."""
    redis.client.incr(REQUESTED)


def is_behind() -> bool:
    """Whether something was asked for that is not in the published projection, or none is there."""
    requested, done, there = redis.client.mget([REQUESTED, DONE, PUBLISHED])
    return there is None or int(requested or 0) != int(done or 0)


def recalculate(session: Session, *, now: datetime, warm: WarmInputs | None = None) -> bool:
    """Compute the open cycle from what is committed and publish it; False when no cycle is open.

    `warm` keeps what was read from one time to the next. It reads in a session of its own, which sees one
    moment; `session` says which database.
    """
    asked_for = int(redis.client.get(REQUESTED) or 0)
    bind = session.get_bind()
    with Session(bind) as own:
        if bind.dialect.name == "postgresql":
            own.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        cycle = own.scalar(select(Cycle).where(Cycle.state == "open"))
        if cycle is not None:
            gathered = (warm or WarmInputs()).gathered(own, cycle)
            publish(calculate(gathered.inputs), gathered.consultants, cycle_id=cycle.id, now=now)
    redis.client.set(DONE, asked_for)
    return cycle is not None


def publish(result: Result, consultants: NDArray[np.int64], *, cycle_id: int, now: datetime) -> None:
    """Write a version block by block, then its name; drop the one before the last."""
    columns, before = _columns(result), _header()
    version = redis.client.incr(PUBLISHED + ":version")
    last = int(consultants[-1]) if len(consultants) else -1
    for number, start in enumerate(range(0, last + 1, _BLOCK)):
        low, high = np.searchsorted(consultants, (start, start + _BLOCK)).tolist()
        block = np.zeros((min(_BLOCK, last + 1 - start), _WIDTH), np.int64)
        rows = consultants[low:high] - start
        for place, column in enumerate(columns):
            block[rows, place] = column[low:high]
        redis.client.set(_block(version, number), block.tobytes())
    redis.client.set(PUBLISHED, _HEADER.pack(_MAGIC, cycle_id, version, _WIDTH, int(now.timestamp())))
    keep = {version, before[2] if before else version}
    stale = [key for key in redis.client.scan_iter(PUBLISHED + ":block:*") if _version_of(key) not in keep]
    if stale:
        redis.client.delete(*stale)


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
    """The records; asked for once more where a newer version came between the header and them."""
    try:
        for _ in range(_LOOKS):
            header = _header()
            if header is None:
                break
            records = _records(header[2], consultant_ids)
            if records is not None:
                return Published(header[1], datetime.fromtimestamp(header[4], UTC)), records
    except RedisError:
        pass
    return None, [None] * len(consultant_ids)


def _header() -> tuple[int, ...] | None:
    raw = redis.client.get(PUBLISHED)
    header = _HEADER.unpack(raw) if isinstance(raw, bytes) and len(raw) == _HEADER.size else None
    return header if header and (header[0], header[3]) == (_MAGIC, _WIDTH) else None


def _records(version: int, consultant_ids: Sequence[int]) -> list[Projected | None] | None:
    """The records of a version; None when it is gone."""
    if not consultant_ids:
        return []
    with redis.client.pipeline(transaction=True) as pipeline:
        pipeline.exists(_block(version, 0))
        for consultant_id in consultant_ids:
            number, place = divmod(consultant_id, _BLOCK)
            start = place * _RECORD.size
            pipeline.getrange(_block(version, number), start, start + _RECORD.size - 1)
        there, *raw = pipeline.execute()
    return [_record(record) for record in raw] if there else None


def _block(version: int, number: int) -> str:
    return f"{PUBLISHED}:block:{version}:{number}"


def _version_of(key: bytes) -> int:
    return int(key.split(b":")[-2])


def _record(raw: bytes) -> Projected | None:
    if len(raw) != _RECORD.size:
        return None
    record = Projected(*_RECORD.unpack(raw))
    return record if record.known else None


def _columns(result: Result) -> list[NDArray[Any]]:
    """A column for each field of `Projected`, with a value for each member."""
    members, network = result.members, result.inputs.network
    given: dict[str, NDArray[Any]] = {
        **figures(result),
        "known": np.ones(len(network), np.int64),
        "personal_volume": members.pv,
    }
    columns = []
    for field in fields(Projected):
        name = field.name
        if name in given:
            columns.append(given[name])
        elif name in KINDS:
            columns.append(_paid(result, KINDS.index(name)))
        else:
            columns.append(getattr(network if hasattr(network, name) else members, name))
    return columns


def _paid(result: Result, kind: int) -> NDArray[np.int64]:
    """Cents of one kind for each member."""
    alone = [part for part in result.parts if part.is_all(kind)]
    mixed = [part.where(part.kind == kind) for part in result.parts if part.only_kind is None]
    return sum_by_member(len(result.inputs.network), alone + mixed)
