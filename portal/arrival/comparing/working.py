"""The work of a comparison, done by a job: both sides put together, every difference kept with its reason."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal.arrival.comparing.old_lines import OldLines
from portal.arrival.comparing.reasons import explained
from portal.arrival.comparing.service import Upload, read, request_comparison
from portal.arrival.comparing.sides import Gaps, ours_of, theirs_of
from portal.arrival.comparing.writing import sums_by_kind, sums_by_reason, write_gaps, write_strangers
from portal.commissions.kept import kept
from portal.engine import KINDS, calculate
from portal.kernel.errors import Conflict
from portal.models import ComparedLine, Comparison, Consultant, Run
from portal.store import UnitOfWork, progress
from portal.store.copying import allow_long_work
from portal.store.locks import lock_row

STEPS: Final = ("read", "calculate", "compare", "write")
NOT_COMPARED: Final = ""


def compare(uow: UnitOfWork, upload: Upload, *, cycle_id: int, actor_id: int | None) -> Comparison:
    """Compare a file with the run that stands for a cycle, at once; raises as both steps of it do."""
    made = request_comparison(uow, upload, cycle_id=cycle_id, actor_id=actor_id)
    work(uow, comparison_id=made.id)
    return made


def subject(made: Comparison) -> str:
    """Under which name the progress of a comparison is kept."""
    return f"comparison-{made.public_id}"


def work(uow: UnitOfWork, *, comparison_id: int) -> None:
    """Make a comparison that was asked for; what stays the same as before stays settled.

    Raises `BadInput` for a file that cannot be read, `Conflict` for a run that keeps no inputs.
    """
    made = lock_row(uow, Comparison, comparison_id)
    if made.requested_at is None:
        return
    allow_long_work(uow.session)
    progress.report(subject(made), step="read", steps=STEPS)
    old = read(made.file_name, made.content)
    said: Any = made.totals.get("kinds", {})
    kinds = _kinds(uow.session, made, names=sorted(set(old.kinds)), said=said)
    settled = _settled(uow.session, made.id)
    uow.session.execute(delete(ComparedLine).where(ComparedLine.comparison_id == made.id))
    _fill(uow, made, old, kinds=kinds)
    _settle_again(uow.session, made.id, settled)
    made.requested_at, made.problem = None, None
    uow.session.flush()


def fail(uow: UnitOfWork, *, comparison_id: int, problem: str) -> None:
    """End a comparison that cannot be made, and say why."""
    made = lock_row(uow, Comparison, comparison_id)
    made.requested_at, made.problem = None, problem[:1000]
    uow.session.flush()


def _kinds(session: Session, made: Comparison, *, names: list[str], said: dict[str, str]) -> dict[str, str]:
    """What their kinds are called with us: as somebody said now or before, or by the name; else nothing."""
    remembered = _remembered(session, made.id)
    found = {}
    for name in names:
        plain = name.replace(" ", "_").replace("-", "_")
        usual = remembered.get(name, plain if plain in KINDS else NOT_COMPARED)
        found[name] = said.get(name, usual)
    return found


def _remembered(session: Session, comparison_id: int) -> dict[str, str]:
    """What kinds were called in the comparison before."""
    done = (Comparison.requested_at.is_(None), Comparison.problem.is_(None), Comparison.id < comparison_id)
    before = session.scalar(select(Comparison.totals).where(*done).order_by(Comparison.id.desc()).limit(1))
    kinds: Any = (before or {}).get("kinds", {})
    return {str(name): str(ours) for name, ours in kinds.items() if ours}


def _fill(uow: UnitOfWork, made: Comparison, old: OldLines, *, kinds: dict[str, str]) -> None:
    progress.report(subject(made), step="calculate", steps=STEPS)
    try:
        gathered = kept(uow.session.get_one(Run, made.run_id))
    except LookupError:
        raise Conflict("This cycle was computed elsewhere; there is nothing here to compare with.") from None
    result = calculate(gathered.inputs)
    progress.report(subject(made), step="compare", steps=STEPS, total=len(old))
    codes = dict(uow.session.execute(select(Consultant.code, Consultant.id)).all())
    ours = ours_of(result)
    theirs, strangers = theirs_of(old, codes, gathered.consultants, kinds)
    found = explained(result, Gaps.between(ours, theirs))
    progress.report(subject(made), step="write", steps=STEPS, total=len(found.gaps) + len(strangers))
    names = {consultant_id: code for code, consultant_id in codes.items()}
    people = [(who, names[who]) for who in gathered.consultants.tolist()]
    write_gaps(uow.session, made.id, found, people=people)
    write_strangers(uow.session, made.id, strangers, codes=codes, kinds=kinds)
    made.totals = {
        "kinds": kinds,
        "lines": len(old),
        "theirs_cents": int(old.cents.sum()),
        "ours_cents": result.totals.paid,
        "same": int(np.count_nonzero((ours.cents == theirs.cents) & (ours.lines + theirs.lines > 0))),
        "by_kind": sums_by_kind(ours, theirs),
        **sums_by_reason(found, strangers, codes=codes, kinds=kinds),
    }
    uow.session.flush()


Same = tuple[str, str, int | None, int | None]


def _settled(session: Session, comparison_id: int) -> dict[Same, dict[str, Any]]:
    """What was said of differences that are settled."""
    line = ComparedLine
    columns = (line.settled_by, line.settled_at, line.settled_note)
    rows = session.execute(
        select(line.code, line.kind, line.theirs_cents, line.ours_cents, *columns).where(
            line.comparison_id == comparison_id, line.settled_at.is_not(None)
        )
    )
    return {
        (row.code, row.kind, row.theirs_cents, row.ours_cents): {
            "settled_by": row.settled_by,
            "settled_at": row.settled_at,
            "settled_note": row.settled_note,
        }
        for row in rows
    }


def _settle_again(session: Session, comparison_id: int, settled: dict[Same, dict[str, Any]]) -> None:
    """Differences that are what they were are settled as they were."""
    if not settled:
        return
    line = ComparedLine
    rows = session.execute(
        select(line.id, line.code, line.kind, line.theirs_cents, line.ours_cents)
        .where(line.comparison_id == comparison_id)
        .execution_options(yield_per=10_000)
    )
    same = [
        {"id": row.id} | settled[key]
        for row in rows
        if (key := (row.code, row.kind, row.theirs_cents, row.ours_cents)) in settled
    ]
    if same:
        session.execute(update(line), same)
