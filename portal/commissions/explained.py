"""Runs and the projection, computed again and held for a while, so that pages can say why.

Thawing and computing a large run for every page view would be too slow: each process holds the last few. A
run never changes, so what is held stays right; the projection is computed afresh when it is some seconds old.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer_group

from portal.commissions.gathering import Gathered
from portal.commissions.kept import kept
from portal.commissions.warm import WarmInputs
from portal.engine import Result, calculate
from portal.kernel.errors import NotYours
from portal.models import Cycle, Run

HELD_RUNS: Final = 2
PROJECTION_LIVES: Final = timedelta(seconds=15)


@dataclass(frozen=True)
class Opened:
    """What was computed, and who and which sale stands behind each index; `run_id` is None when projected."""

    result: Result
    consultants: NDArray[np.int64]
    sales: NDArray[np.int64]
    cycle_id: int
    run_id: int | None
    at: datetime

    def member(self, consultant_id: int) -> int:
        """The index of a consultant. Raises `NotYours` for one who was not there."""
        found = self._place(self.consultants, consultant_id)
        if found is None:
            raise NotYours("There is nothing here under this address.")
        return found

    def event(self, sale_id: int) -> int | None:
        """The index of a sale; None for one of another cycle."""
        return self._place(self.sales, sale_id)

    @staticmethod
    def _place(ids: NDArray[np.int64], wanted: int) -> int | None:
        place = int(np.searchsorted(ids, wanted))
        return place if place < len(ids) and ids[place] == wanted else None


@dataclass
class _Projection:
    """The inputs that are kept warm for one database, and what was last computed from them."""

    warm: WarmInputs
    opened: Opened | None = None


_turn = threading.Lock()
_runs: OrderedDict[tuple[str, int, str], Opened] = OrderedDict()
_projections: dict[str, _Projection] = {}


def opened_run(session: Session, run_id: int) -> Opened:
    """A run as it was computed.

    Raises `LookupError` for one without inputs, such as a run of another system.
    """
    known = session.execute(select(Run.output_hash, Run.cycle_id).where(Run.id == run_id)).one_or_none()
    if known is None or known[0] is None:
        raise LookupError(f"run {run_id} was never calculated")
    key = (_database(session), run_id, str(known[0]))
    return _held(key, lambda: _computed(session, run_id, key))


def opened_projection(session: Session, *, now: datetime) -> Opened | None:
    """The open cycle as it stands, at most some seconds old; None when no cycle is open."""
    with _turn:
        held = _projections.setdefault(_database(session), _Projection(WarmInputs()))
        fresh = held.opened is not None and timedelta(0) <= now - held.opened.at < PROJECTION_LIVES
        if not fresh or held.opened is None or not _is_open(session, held.opened.cycle_id):
            held.opened = _projected(session, held.warm, now)
        return held.opened


def let_go() -> None:
    """Forget all that is held, for whoever wants the memory back."""
    with _turn:
        _runs.clear()
        _projections.clear()


def _held(key: tuple[str, int, str], compute: Callable[[], Opened]) -> Opened:
    """One thread computes, the others wait for it; the run that was not asked for longest goes first."""
    with _turn:
        if key not in _runs:
            while len(_runs) >= HELD_RUNS:
                _runs.popitem(last=False)
            _runs[key] = compute()
        _runs.move_to_end(key)
        return _runs[key]


def _computed(session: Session, run_id: int, key: tuple[str, int, str]) -> Opened:
    run = session.scalars(select(Run).where(Run.id == run_id).options(undefer_group("frozen"))).one()
    opened = _opened(kept(run), cycle_id=run.cycle_id, run_id=run_id, at=run.calculated_at or run.frozen_at)
    session.expire(run, ["inputs", "ids"])
    return opened


def _projected(session: Session, warm: WarmInputs, now: datetime) -> Opened | None:
    """Read in a session of its own, which sees one moment and counts only what is committed."""
    bind = session.get_bind()
    with Session(bind) as own:
        if bind.dialect.name == "postgresql":
            own.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        cycle = own.scalar(select(Cycle).where(Cycle.state == "open"))
        if cycle is None:
            return None
        return _opened(warm.gathered(own, cycle), cycle_id=cycle.id, run_id=None, at=now)


def _opened(gathered: Gathered, *, cycle_id: int, run_id: int | None, at: datetime) -> Opened:
    result = calculate(gathered.inputs)
    return Opened(result, gathered.consultants, gathered.sales, cycle_id, run_id, at)


def _is_open(session: Session, cycle_id: int) -> bool:
    return session.scalar(select(Cycle.id).where(Cycle.state == "open")) == cycle_id


def _database(session: Session) -> str:
    return str(session.get_bind().url)  # type: ignore[union-attr]
