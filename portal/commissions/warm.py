"""What the open cycle is computed from, kept from one projection to the next and brought up to date.

Nothing is left to a message: the database is asked each time which rows came since the last look. SQLite
does not tell which people changed; there all of them are read again and compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from sqlalchemy import ColumnElement, TextClause, select, text
from sqlalchemy.orm import Session

from portal.commissions.earlier import EarlierCycles, earlier_cycles
from portal.commissions.gathering import (
    Gathered,
    Ints,
    People,
    Sold,
    events_of,
    gather,
    read_people,
    read_sold,
)
from portal.commissions.service_terms import with_terms
from portal.engine import History, Inputs, Network, Plan, State
from portal.live.feed import Watermark
from portal.models import Cycle, Pack

Mark = tuple[object, ...]

_OLDEST: Final = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
_BOUND: Final = text("SELECT pg_current_xact_id()::text::bigint")
# A row carries the number of the transaction that wrote it; ages compare such numbers across their wrap.
_WRITTEN_SINCE: Final = """consultant.id IN (
    SELECT id FROM consultant WHERE age(xmin) <= age(CAST(:oldest AS xid))
     UNION ALL SELECT consultant_id FROM placement WHERE age(xmin) <= age(CAST(:oldest AS xid)))
"""
_NUMBERS_OF_TRANSACTIONS: Final = 2**32


@dataclass
class _Past:
    """What the cycles before one hand on; `mark` is what it was read from."""

    mark: Mark
    before: EarlierCycles
    state: State | None = None
    reversed_earlier: Ints | None = None
    history: History | None = None


@dataclass
class _Kept:
    """What was read of one cycle; `oldest` was then the oldest transaction that had not ended.

    `changes` counts how often people changed since.
    """

    mark: Mark
    oldest: int = 0
    changes: int = 0
    people: People | None = None
    network: Network | None = None
    sold: Sold | None = None
    watermark: Watermark = field(default_factory=Watermark)
    past: _Past | None = None


class WarmInputs:
    """The inputs of the open cycle, brought up to date by whoever asks; one thread at a time."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None

    def gathered(self, session: Session, cycle: Cycle) -> Gathered:
        """What `gather` would read now, in a transaction that sees one moment of the database.

        The first time, in a new cycle and after an error everything is read; else what is new. Raises
        `portal.engine.Refused` as the engine does.
        """
        packs = session.scalars(select(Pack.code).order_by(Pack.code)).all()
        mark: Mark = (cycle.id, cycle.plan_version_id, *packs)
        kept, self._kept = self._kept, None
        if kept is None or kept.mark != mark:
            kept = _Kept(mark)
        gathered = _brought_up(kept, session, cycle)
        self._kept = kept
        return gathered


def _brought_up(kept: _Kept, session: Session, cycle: Cycle) -> Gathered:
    plan = Plan.parse(dict(cycle.plan_version.document))
    oldest = session.execute(_OLDEST).scalar_one() if _has_gaps(session) else 0
    people = _follow_people(kept, session, cycle)
    sold = _follow_sales(kept, session, cycle, plan=plan, oldest=oldest)
    kept.oldest = oldest
    kept.network = kept.network or people.network()
    state, history = _follow_past(kept, session, cycle, plan=plan)
    whole, services = with_terms(session, plan, sold.services, packs=people.pack_codes)
    events = events_of(sold._replace(services=services), people.ids)
    return Gathered(Inputs(whole, kept.network, events, history, state), people.ids, sold.ids)


def _follow_people(kept: _Kept, session: Session, cycle: Cycle) -> People:
    if kept.people is None:
        kept.people = read_people(session, cycle)
        return kept.people
    news = read_people(session, cycle, *([_written_since(kept.oldest)] if _has_gaps(session) else []))
    changed = _with(kept.people, news)
    if changed is not None:
        kept.people, kept.network = changed, None
        kept.changes += 1
        if kept.past is not None:
            kept.past.state = kept.past.history = None
    return kept.people


def _has_gaps(session: Session) -> bool:
    """Whether rows can become visible out of order; SQLite has one writer at a time."""
    return session.get_bind().dialect.name == "postgresql"


def _written_since(oldest: int) -> ColumnElement[bool]:
    """Consultants with a row that a transaction wrote which had not ended at the last look."""
    clause: TextClause = text(_WRITTEN_SINCE).bindparams(oldest=str(oldest % _NUMBERS_OF_TRANSACTIONS))
    condition: ColumnElement[bool] = clause.self_group()  # type: ignore[assignment]
    return condition


def _with(known: People, news: People) -> People | None:
    """The people with the rows of `news` in the place of theirs; None where that changes nothing."""
    at = np.searchsorted(known.ids, news.ids)
    there = known.ids[np.minimum(at, len(known.ids) - 1)] == news.ids if len(known.ids) else at < 0
    pairs = list(zip(known.columns(), news.columns(), strict=True))
    if there.all() and all(np.array_equal(old[at], new) for old, new in pairs):
        return None
    merged = []
    for old, new in pairs:
        column = old.copy()
        column[at[there]] = new[there]
        merged.append(np.insert(column, at[~there], new[~there]))
    return People(known.pack_codes, *merged)


def _follow_sales(kept: _Kept, session: Session, cycle: Cycle, *, plan: Plan, oldest: int) -> Sold:
    if kept.sold is None:
        news = read_sold(session, cycle, plan=plan)
        # Sales of earlier cycles drew their ids before this cycle began; none of them is still under way.
        kept.watermark = Watermark(int(news.ids[0]) - 1 if len(news.ids) else 0)
        kept.sold = news
    else:
        after = min([kept.watermark.last + 1, *kept.watermark.gaps]) - 1
        news = read_sold(session, cycle, plan=plan, after=after)
        recent = kept.sold.ids[np.searchsorted(kept.sold.ids, after, side="right") :]
        fresh = ~np.isin(news.ids, recent)
        news = Sold(*[column[fresh] for column in news])
        at = np.searchsorted(kept.sold.ids, news.ids)
        kept.sold = Sold(*[np.insert(old, at, new) for old, new in zip(kept.sold, news, strict=True)])
    gaps = kept.watermark.took(news.ids.tolist(), oldest=oldest)
    if gaps and _has_gaps(session):
        kept.watermark.ask_again(gaps, bound=session.execute(_BOUND).scalar_one())
    return kept.sold


def _follow_past(kept: _Kept, session: Session, cycle: Cycle, *, plan: Plan) -> tuple[State, History]:
    assert kept.people is not None and kept.sold is not None
    mark = _mark_of_past(kept, session, cycle)
    if kept.past is None or kept.past.mark != mark:
        kept.past = _Past(mark, earlier_cycles(session, cycle, plan=plan, gather=gather))
    past, consultants = kept.past, kept.people.ids
    past.before = replace(past.before, session=session, cycle=cycle)
    if past.state is None:
        past.state = past.before.state(consultants)
    wanted = kept.sold.reversed_earlier()
    known = past.reversed_earlier
    if past.history is None or known is None or not np.array_equal(known, wanted):
        past.history = past.before.history(wanted, consultants)
        past.reversed_earlier = wanted
    return past.state, past.history


def _mark_of_past(kept: _Kept, session: Session, cycle: Cycle) -> Mark:
    """What says that the past is still the same.

    A cycle that is over but not closed is computed afresh when people change: it looks at them as well.
    """
    previous = session.get(Cycle, cycle.previous_id) if cycle.previous_id else None
    if previous is None:
        return ()
    if previous.closed_at is not None:
        return previous.id, previous.close_run_id
    return previous.id, None, kept.changes
