"""A draft tried on past cycles, one after the other: asked for, computed by a job, cancelled or done.

It books nothing. A cycle that is done is done for good: a trial that was killed goes on behind it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

import numpy as np
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.commissions.plans.check import company, document_check
from portal.commissions.plans.trying import HandedOn, Tried, try_cycle
from portal.engine import Plan, Refused, Result
from portal.engine.breakage import breakage
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.ids import new_id
from portal.models import Cycle, PlanDraft, Run, Trial, TrialCycle, TrialPerson
from portal.store import UnitOfWork, progress
from portal.store.copying import Value, allow_long_work, copy_rows
from portal.store.locks import lock_row

WAITING: tuple[str, ...] = ("waiting", "running")
STEPS = ("cycles", "people")


def cycles_to_try(session: Session) -> list[tuple[int, str]]:
    """Id and name of the closed cycles that can be computed again, the newest first."""
    closed = (
        select(Cycle.id, Cycle.name)
        .join(Run, Run.id == Cycle.close_run_id)
        .where(Cycle.closed_at.is_not(None), *_is_kept())
        .order_by(Cycle.starts_at.desc())
    )
    return [(row.id, row.name) for row in session.execute(closed)]


def _is_kept() -> tuple[ColumnElement[bool], ...]:
    return Run.ids.is_not(None), Run.purpose == "close"


def request_trial(uow: UnitOfWork, *, draft_id: int, first: str, last: str, actor_id: int) -> Trial:
    """Ask for a trial of a draft on the closed cycles from `first` to `last`; a job computes it.

    Raises `BadInput` for a draft with faults and for cycles that cannot be tried.
    """
    draft = uow.session.get_one(PlanDraft, draft_id)
    document = cast(dict[str, Any], draft.document)
    try:
        document_check(document, company(uow.session))
    except Refused as refused:
        raise BadInput(f"Faults in the plan: {len(refused.faults)}. Please put them right.") from None
    cycles = _between(uow.session, first, last)
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    trial = Trial(
        public_id=new_id(),
        plan_draft_id=draft_id,
        document=document,
        sha256=hashlib.sha256(canonical.encode()).hexdigest(),
        state="waiting",
        requested_by=actor_id,
        requested_at=uow.clock(),
    )
    uow.session.add(trial)
    uow.session.flush()
    for cycle in cycles:
        uow.session.add(
            TrialCycle(trial_id=trial.id, cycle_id=cycle.id, run_id=cast(int, cycle.close_run_id))
        )
    uow.note("plan.try", thing="plan_trial", thing_id=trial.id, actor_id=actor_id, first=first, last=last)
    uow.published = True
    return trial


def _between(session: Session, first: str, last: str) -> list[Cycle]:
    """The closed cycles from one to another. Raises `BadInput` where one of them cannot be computed again."""
    names = dict.fromkeys(name for _, name in cycles_to_try(session))
    for field, name in (("first", first), ("last", last)):
        if name not in names:
            raise BadInput("Please choose one of the closed cycles.", field=field)
    ends = {
        row.name: row.starts_at
        for row in session.scalars(select(Cycle).where(Cycle.name.in_((first, last)))).unique()
    }
    if ends[first] > ends[last]:
        raise BadInput("The first cycle has to come before the last one.", field="first")
    chosen = select(Cycle).where(Cycle.starts_at.between(ends[first], ends[last])).order_by(Cycle.starts_at)
    found = list(session.scalars(chosen).unique())
    missing = [cycle.name for cycle in found if cycle.name not in names]
    if missing:
        raise BadInput(f"{missing[0]} lies between them and cannot be computed again.", field="first")
    return found


def cancel(uow: UnitOfWork, *, trial_id: int, actor_id: int) -> None:
    """Stop a trial; the job ends it before its next cycle. Raises `Conflict` when it is over."""
    trial = lock_row(uow, Trial, trial_id)
    if trial.state not in WAITING:
        raise Conflict("This trial is over.")
    trial.cancel_requested_at = uow.clock()
    uow.note("plan.cancel_trial", thing="plan_trial", thing_id=trial.id, actor_id=actor_id)
    uow.published = True


def waiting(session: Session) -> list[int]:
    """The trials that a job has to go on with, the oldest first."""
    return list(session.scalars(select(Trial.id).where(Trial.state.in_(WAITING)).order_by(Trial.id)))


def subject(trial: Trial) -> str:
    """Under which name the progress of a trial is kept."""
    return f"trial-{trial.public_id}"


def begin(uow: UnitOfWork, *, trial_id: int) -> bool:
    """Whether the trial goes on: it is neither over nor cancelled."""
    trial = lock_row(uow, Trial, trial_id)
    if trial.state in WAITING and trial.cancel_requested_at is not None:
        _end(uow, trial, "cancelled")
    elif trial.state == "waiting":
        trial.state = "running"
    return trial.state == "running"


def compute_next(session: Session, *, trial_id: int) -> tuple[int, Tried] | None:
    """Compute the first cycle of a trial that is not done; its id and what came out, or None.

    Raises `LookupError` and `Refused` for what cannot be computed.
    """
    rows = _rows(session, trial_id)
    done = [row for row in rows if row.done_at is not None]
    trial = session.get_one(Trial, trial_id)
    progress.report(subject(trial), step="cycles", steps=STEPS, done=len(done), total=len(rows))
    if len(done) == len(rows):
        return None
    row, later = rows[len(done)], [after.cycle_id for after in rows[len(done) + 1 :]]
    handed_on = HandedOn.thawed(cast(bytes, done[-1].handed_on)) if done else None
    plan = Plan.parse(trial.document)
    run = session.get_one(Run, row.run_id)
    return row.cycle_id, try_cycle(session, run, plan, handed_on=handed_on, later=later)


def keep(uow: UnitOfWork, *, trial_id: int, cycle_id: int, tried: Tried) -> None:
    """Write down what one cycle came to; what the one before handed on is needed no longer."""
    lock_row(uow, Trial, trial_id)
    rows = _rows(uow.session, trial_id)
    if any(row.cycle_id == cycle_id and row.done_at is not None for row in rows):
        return
    for row in rows:
        row.handed_on = None
        if row.cycle_id == cycle_id:
            row.before, row.after = totals(tried.before), totals(tried.after)
            row.handed_on, row.done_at = tried.handed_on.frozen(), uow.clock()


def finish(uow: UnitOfWork, *, trial_id: int) -> None:
    """Write down what everybody got and would have got."""
    trial = lock_row(uow, Trial, trial_id)
    if trial.state != "running":
        return
    allow_long_work(uow.session)
    sums = HandedOn.thawed(cast(bytes, _rows(uow.session, trial_id)[-1].handed_on))
    paid = np.nonzero(sums.before | sums.after)[0]
    progress.report(subject(trial), step="people", steps=STEPS, total=len(paid))
    before, after = sums.before[paid], sums.after[paid]
    columns: dict[str, Value] = {
        "trial_id": trial_id,
        "consultant_id": sums.consultants[paid],
        "before_cents": before,
        "after_cents": after,
        "change_cents": after - before,
    }
    copy_rows(uow.session, TrialPerson, columns, count=len(paid))
    _end(uow, trial, "done")


def fail(uow: UnitOfWork, *, trial_id: int, problem: str) -> None:
    """End a trial that cannot be computed, and say why."""
    trial = lock_row(uow, Trial, trial_id)
    trial.problem = problem[:1000]
    _end(uow, trial, "failed")


def totals(result: Result) -> dict[str, Any]:
    """What the page of a trial shows of one cycle: money in cents, volumes in hundredths of a point."""
    return {
        "paid_cents": result.totals.paid,
        "by_kind_cents": dict(result.totals.by_kind),
        "volume": result.totals.volume,
        "revenue_cents": int(result.inputs.events.revenue.sum()),
        "people_paid": int((result.members.total > 0).sum()),
        "breakage": breakage(result),
    }


def _end(uow: UnitOfWork, trial: Trial, state: str) -> None:
    trial.state, trial.finished_at = state, uow.clock()
    for row in _rows(uow.session, trial.id):
        row.handed_on = None
    progress.clear(subject(trial))


def _rows(session: Session, trial_id: int) -> list[TrialCycle]:
    chosen = (
        select(TrialCycle).join(Cycle, Cycle.id == TrialCycle.cycle_id).where(TrialCycle.trial_id == trial_id)
    )
    return list(session.scalars(chosen.order_by(Cycle.starts_at)))
