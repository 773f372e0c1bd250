"""Another system's lines of a cycle are to be put beside our run's: asked for; each difference is settled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.arrival.comparing.old_lines import OldLines, heading_of, read_old_lines
from portal.arrival.faults import Faults
from portal.engine import KINDS
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.ids import new_id
from portal.models import ComparedLine, Comparison, Cycle, Run
from portal.store import UnitOfWork
from portal.store.locks import lock_row

LONGEST_NOTE: Final = 500
COMPARING: Final = "This is being compared again; please wait until it is done."
# So much is read while somebody waits for the page; of more only the heading.
READ_AT_ONCE: Final = 500_000
_FAULTS_SHOWN: Final = 5


@dataclass(frozen=True)
class Upload:
    """A file of old lines: its name, its bytes, and what some of its kinds are called with us."""

    name: str
    content: bytes
    kinds: dict[str, str]


def request_comparison(uow: UnitOfWork, upload: Upload, *, cycle_id: int, actor_id: int | None) -> Comparison:
    """Keep a file that is to be compared with the run that stands for a cycle; a job does it.

    Raises `BadInput` for a file that cannot be read, `Conflict` where there is no run to compare with. Of a
    large file only the heading is looked at; what else is wrong is found by the job.
    """
    run = _run_of(uow.session, cycle_id)
    if len(upload.content) <= READ_AT_ONCE:
        read(upload.name, upload.content)
    else:
        read(upload.name, heading_of(upload.content), only_heading=True)
    made = Comparison(
        public_id=new_id(),
        cycle_id=cycle_id,
        run_id=run.id,
        file_name=upload.name,
        sha256=hashlib.sha256(upload.content).hexdigest(),
        content=upload.content,
        totals={"kinds": {name: _known_kind(ours) for name, ours in upload.kinds.items()}},
        made_by=actor_id,
        made_at=uow.clock(),
        requested_at=uow.clock(),
    )
    uow.session.add(made)
    uow.session.flush()
    uow.note("comparison.make", thing="comparison", thing_id=made.id, actor_id=actor_id)
    uow.published = True
    return made


def call_kinds(
    uow: UnitOfWork, *, comparison_id: int, kinds: dict[str, str], actor_id: int | None
) -> Comparison:
    """Say what their kinds are called with us, and ask to compare again.

    Raises `Conflict` while it is being compared.
    """
    if uow.session.get_one(Comparison, comparison_id).requested_at is not None:
        raise Conflict(COMPARING)
    made = lock_row(uow, Comparison, comparison_id)
    said = {name: _known_kind(ours) for name, ours in kinds.items()}
    made.totals, made.requested_at, made.problem = made.totals | {"kinds": said}, uow.clock(), None
    uow.note("comparison.kinds", thing="comparison", thing_id=made.id, actor_id=actor_id)
    uow.published = True
    return made


def waiting() -> Select[int]:
    """The comparisons that a job has to make, the oldest first."""
    return select(Comparison.id).where(Comparison.requested_at.is_not(None)).order_by(Comparison.id)


def settle(uow: UnitOfWork, *, line_id: int, note: str, actor_id: int) -> ComparedLine:
    """A person says what becomes of a difference.

    Raises `BadInput` without a note, `Conflict` while all of it is being compared again.
    """
    said = note.strip()
    if not said or len(said) > LONGEST_NOTE:
        raise BadInput(f"Please write a note of up to {LONGEST_NOTE} letters.", field="note")
    line = lock_row(uow, ComparedLine, line_id)
    if uow.session.get_one(Comparison, line.comparison_id).requested_at is not None:
        raise Conflict(COMPARING)
    line.settled_by, line.settled_at, line.settled_note = actor_id, uow.clock(), said
    uow.note("comparison.settle", thing="compared_line", thing_id=line.id, actor_id=actor_id)
    uow.session.flush()
    return line


def read(name: str, content: bytes, *, only_heading: bool = False) -> OldLines:
    """The lines in a file. Raises `BadInput` for one that cannot be read or has none."""
    faults = Faults(most=_FAULTS_SHOWN)
    old = read_old_lines(name, content, faults)
    if faults.count:
        more = f" … and {faults.rest:,} more." if faults.rest else ""
        raise BadInput("; ".join(str(fault) for fault in faults.shown()) + more, field="file")
    if not len(old) and not only_heading:
        raise BadInput("There are no lines in this file.", field="file")
    return old


def _run_of(session: Session, cycle_id: int) -> Run:
    cycle = session.get_one(Cycle, cycle_id)
    run_id = cycle.close_run_id or cycle.preview_run_id
    if run_id is None:
        raise Conflict(f"Cycle {cycle.name} has no preview yet; there is nothing to compare with.")
    return session.get_one(Run, run_id)


def _known_kind(name: str) -> str:
    if name and name not in KINDS:
        raise BadInput(f"There is no kind of pay called {name}.", field="kinds")
    return name
