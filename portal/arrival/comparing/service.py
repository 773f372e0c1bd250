"""Put another system's lines of a cycle beside our run's, keep every difference, and settle them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.arrival.comparing.old_lines import OldLines, read_old_lines
from portal.arrival.comparing.reasons import explained
from portal.arrival.comparing.sides import Gaps, ours_of, theirs_of
from portal.arrival.comparing.writing import sums_by_kind, sums_by_reason, write_gaps, write_strangers
from portal.arrival.faults import Faults
from portal.commissions.kept import kept
from portal.engine import KINDS, calculate
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.ids import new_id
from portal.models import ComparedLine, Comparison, Consultant, Cycle, Run
from portal.store import UnitOfWork
from portal.store.copying import allow_long_work
from portal.store.locks import lock_row

NOT_COMPARED: Final = ""
LONGEST_NOTE: Final = 500
_FAULTS_SHOWN: Final = 5


@dataclass(frozen=True)
class Upload:
    """A file of old lines: its name, its bytes, and what some of its kinds are called with us."""

    name: str
    content: bytes
    kinds: dict[str, str]


def compare(uow: UnitOfWork, upload: Upload, *, cycle_id: int, actor_id: int | None) -> Comparison:
    """Compare a file with the run that stands for a cycle, and keep all of it.

    Kinds that `upload` does not name are taken as they were in the comparison before, else by their name.
    Raises `BadInput` for a file that cannot be read, `Conflict` where there is no run to compare with.
    """
    allow_long_work(uow.session)
    run = _run_of(uow.session, cycle_id)
    old = _read(upload)
    kinds = {name: _ours(name, upload.kinds, uow.session) for name in sorted(set(old.kinds))}
    made = Comparison(
        public_id=new_id(),
        cycle_id=cycle_id,
        run_id=run.id,
        file_name=upload.name,
        sha256=hashlib.sha256(upload.content).hexdigest(),
        content=upload.content,
        totals={},
        made_by=actor_id,
        made_at=uow.clock(),
    )
    uow.session.add(made)
    uow.session.flush()
    _fill(uow, made, old, kinds=kinds, run=run)
    uow.note("comparison.make", thing="comparison", thing_id=made.id, actor_id=actor_id)
    return made


def call_kinds(
    uow: UnitOfWork, *, comparison_id: int, kinds: dict[str, str], actor_id: int | None
) -> Comparison:
    """Say what their kinds are called with us, and compare again; what stays the same stays settled."""
    allow_long_work(uow.session)
    made = lock_row(uow, Comparison, comparison_id)
    old = _read(Upload(made.file_name, made.content, {}))
    settled = _settled(uow.session, made.id)
    uow.session.execute(delete(ComparedLine).where(ComparedLine.comparison_id == made.id))
    names = {name: _known_kind(kinds.get(name, NOT_COMPARED)) for name in sorted(set(old.kinds))}
    _fill(uow, made, old, kinds=names, run=uow.session.get_one(Run, made.run_id))
    _settle_again(uow.session, made.id, settled)
    uow.note("comparison.kinds", thing="comparison", thing_id=made.id, actor_id=actor_id)
    return made


def settle(uow: UnitOfWork, *, line_id: int, note: str, actor_id: int) -> ComparedLine:
    """A person says what becomes of a difference; raises `BadInput` without a note."""
    said = note.strip()
    if not said or len(said) > LONGEST_NOTE:
        raise BadInput(f"Please write a note of up to {LONGEST_NOTE} letters.", field="note")
    line = lock_row(uow, ComparedLine, line_id)
    line.settled_by, line.settled_at, line.settled_note = actor_id, uow.clock(), said
    uow.note("comparison.settle", thing="compared_line", thing_id=line.id, actor_id=actor_id)
    uow.session.flush()
    return line


def _read(upload: Upload) -> OldLines:
    faults = Faults(most=_FAULTS_SHOWN)
    old = read_old_lines(upload.name, upload.content, faults)
    if faults.count:
        more = f" … and {faults.rest:,} more." if faults.rest else ""
        raise BadInput("; ".join(str(fault) for fault in faults.shown()) + more, field="file")
    if not len(old):
        raise BadInput("There are no lines in this file.", field="file")
    return old


def _run_of(session: Session, cycle_id: int) -> Run:
    cycle = session.get_one(Cycle, cycle_id)
    run_id = cycle.close_run_id or cycle.preview_run_id
    if run_id is None:
        raise Conflict(f"Cycle {cycle.name} has no preview yet; there is nothing to compare with.")
    return session.get_one(Run, run_id)


def _ours(name: str, said: dict[str, str], session: Session) -> str:
    """What one of their kinds is called with us; nothing where nobody said and the name is not ours."""
    if name in said:
        return _known_kind(said[name])
    remembered = _remembered(session)
    if name in remembered:
        return remembered[name]
    plain = name.replace(" ", "_").replace("-", "_")
    return plain if plain in KINDS else NOT_COMPARED


def _remembered(session: Session) -> dict[str, str]:
    """What kinds were called in the comparison before."""
    before = session.scalar(select(Comparison.totals).order_by(Comparison.id.desc()).limit(1)) or {}
    kinds: Any = before.get("kinds", {})
    return {str(name): str(ours) for name, ours in kinds.items() if ours}


def _known_kind(name: str) -> str:
    if name and name not in KINDS:
        raise BadInput(f"There is no kind of pay called {name}.", field="kinds")
    return name


def _fill(uow: UnitOfWork, made: Comparison, old: OldLines, *, kinds: dict[str, str], run: Run) -> None:
    try:
        gathered = kept(run)
    except LookupError:
        raise Conflict("This cycle was computed elsewhere; there is nothing here to compare with.") from None
    result = calculate(gathered.inputs)
    codes = dict(uow.session.execute(select(Consultant.code, Consultant.id)).all())
    ours = ours_of(result)
    theirs, strangers = theirs_of(old, codes, gathered.consultants, kinds)
    found = explained(result, Gaps.between(ours, theirs))
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


def _settled(session: Session, comparison_id: int) -> dict[Same, ComparedLine]:
    settled = session.scalars(
        select(ComparedLine).where(
            ComparedLine.comparison_id == comparison_id, ComparedLine.settled_at.is_not(None)
        )
    ).all()
    for line in settled:
        session.expunge(line)
    return {(line.code, line.kind, line.theirs_cents, line.ours_cents): line for line in settled}


def _settle_again(session: Session, comparison_id: int, settled: dict[Same, ComparedLine]) -> None:
    for (code, kind, theirs, ours), before in settled.items():
        line = session.scalar(
            select(ComparedLine).where(
                ComparedLine.comparison_id == comparison_id,
                ComparedLine.code == code,
                ComparedLine.kind == kind,
                ComparedLine.theirs_cents.is_not_distinct_from(theirs),
                ComparedLine.ours_cents.is_not_distinct_from(ours),
            )
        )
        if line is not None:
            line.settled_by, line.settled_at = before.settled_by, before.settled_at
            line.settled_note = before.settled_note
