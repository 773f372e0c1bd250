"""A stored run computed once more: what was kept of it must be what its inputs give, to the last byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.commissions.gathering import Gathered
from portal.commissions.kept import code_version, kept
from portal.commissions.runs import CARRY_COLUMNS
from portal.engine import EVENT_KINDS, KINDS, MATCHING, Refused, Result, calculate, explaining, snapshot
from portal.models import Carry, CommissionLine, Consultant, Cycle, PaidRank, Run
from portal.store import UnitOfWork
from portal.store.columns import NONE, read_columns

Ints = NDArray[np.int64]
Row = tuple[int, ...]

MOST_SHOWN: Final = 100
MOST_NOTED: Final = 20
COMPARED: Final = "run.compared"
_CONSULTANTS_AT_ONCE: Final = 20_000
_CARRY: Final = {stored: computed for computed, stored in CARRY_COLUMNS.items()}


@dataclass(frozen=True)
class Difference:
    """What was kept and what the inputs give instead; `code` names the consultant, if it is one's."""

    what: str
    stored: str
    computed: str
    code: str = ""
    kind: str = ""

    def __str__(self) -> str:
        whose = " ".join(part for part in (self.what, self.code, self.kind) if part)
        return f"{whose}: kept {self.stored or 'nothing'}, computed {self.computed or 'nothing'}"


@dataclass(frozen=True)
class Replay:
    """What a computation from the stored inputs gave, and all that it says otherwise than what was kept.

    `lines` and `carries` were compared row by row; None where the rows of a replaced preview were dropped.
    """

    run_id: int
    input_hash: str
    plan_hash: str
    output_hash: str
    lines: int | None
    carries: int | None
    same_code: bool
    differences: list[Difference] = field(default_factory=list)
    more: int = 0

    @property
    def is_same(self) -> bool:
        """Whether everything that was kept is what the inputs give."""
        return not self.differences


def replay(session: Session, run: Run) -> Replay:
    """Compute a run again and compare hashes and every stored row.

    Raises `LookupError` for a run without inputs or one that was never calculated.
    """
    if run.output_hash is None:
        raise LookupError(f"Run {run.id} was never calculated.")
    try:
        gathered = kept(run)
    except Refused as refused:
        unread = Difference("inputs", run.input_hash, refused.faults[0])
        return Replay(run.id, "", "", "", None, None, same_code=False, differences=[unread])
    result = calculate(gathered.inputs)
    input_hash, plan_hash = snapshot.digest(gathered.inputs), gathered.inputs.plan.version
    output_hash = snapshot.result_digest(result)
    found = _hashes(run, inputs=input_hash, plan=plan_hash, output=output_hash)
    compared = _has_rows(session, run)
    rows = _rows(session, run.id, gathered, result) if compared else iter(())
    shown = [*found, *_named(session, list(islice(rows, MOST_SHOWN)))]
    return Replay(
        run_id=run.id,
        input_hash=input_hash,
        plan_hash=plan_hash,
        output_hash=output_hash,
        lines=len(result.lines) if compared else None,
        carries=len(_carry_columns(gathered, result)[0]) if compared else None,
        same_code=run.code_version == code_version(),
        differences=shown,
        more=sum(1 for _ in rows),
    )


def _hashes(run: Run, *, inputs: str, plan: str, output: str) -> list[Difference]:
    pairs = (
        ("inputs", run.input_hash, inputs),
        ("plan", run.plan_sha256 or plan, plan),
        ("result", run.output_hash or "", output),
    )
    return [Difference(what, stored, computed) for what, stored, computed in pairs if stored != computed]


def _has_rows(session: Session, run: Run) -> bool:
    """The rows of a preview that a newer one replaced are dropped; its hashes stay."""
    cycle = session.get_one(Cycle, run.cycle_id)
    if run.id in (cycle.preview_run_id, cycle.close_run_id):
        return True
    kept_line = select(CommissionLine.id).where(CommissionLine.run_id == run.id).limit(1)
    kept_carry = select(Carry.run_id).where(Carry.run_id == run.id).limit(1)
    return session.scalar(kept_line) is not None or session.scalar(kept_carry) is not None


def _rows(session: Session, run_id: int, gathered: Gathered, result: Result) -> Iterator[Difference]:
    """Every row that differs, with the consultant's id in place of the code."""
    lines, carries = _line_columns(gathered, result), _carry_columns(gathered, result)
    ranks = _rank_columns(gathered, result)
    for span in _spans(gathered.consultants):
        stored = _stored(session, _lines_of(run_id), CommissionLine.consultant_id, span, width=7)
        yield from _line_differences(stored, _between(lines, span))
        stored = _stored(session, _carry_of(run_id), Carry.consultant_id, span, width=1 + len(_CARRY))
        yield from _carry_differences(stored, _between(carries, span))
        stored = _stored(session, _ranks_of(run_id), PaidRank.consultant_id, span, width=2)
        yield from _rank_differences(stored, _between(ranks, span), result)


def _spans(consultants: Ints) -> Iterator[tuple[int, int]]:
    """Ids `[first, behind)` some thousand at a time; the outer ones reach beyond everybody who is known."""
    starts = consultants[::_CONSULTANTS_AT_ONCE][1:].tolist()
    yield from zip([0, *starts], [*starts, 2**62], strict=True)


def _lines_of(run_id: int) -> Any:
    kind = case({name: index for index, name in enumerate(KINDS)}, value=CommissionLine.kind)
    line = CommissionLine
    columns = (line.sale_id, line.source_consultant_id, line.level, line.amount_cents, line.base)
    return select(line.consultant_id, kind, *columns).where(line.run_id == run_id)


def _carry_of(run_id: int) -> Any:
    columns = [Carry.__table__.c[name] for name in _CARRY]
    return select(Carry.consultant_id, *columns).where(Carry.run_id == run_id)


def _ranks_of(run_id: int) -> Any:
    columns = [PaidRank.consultant_id, PaidRank.place]
    return select(*columns).where(PaidRank.run_id == run_id)


def _stored(
    session: Session,
    statement: Any,
    consultant: InstrumentedAttribute[int],
    span: tuple[int, int],
    *,
    width: int,
) -> list[Ints]:
    inside = statement.where(consultant >= span[0], consultant < span[1])
    return _sorted(read_columns(session, inside, width=width))


def _line_columns(gathered: Gathered, result: Result) -> list[Ints]:
    """Consultant, kind, sale, consultant matched, level, amount, base; -1 for none."""
    lines, nobody = result.lines, np.full(len(result.lines), NONE, np.int64)
    sale, source = nobody.copy(), nobody.copy()
    of_sale, of_match = np.isin(lines.kind, EVENT_KINDS), lines.kind == MATCHING
    sale[of_sale] = gathered.sales[lines.source[of_sale]]
    source[of_match] = gathered.consultants[lines.source[of_match]]
    columns = [gathered.consultants[lines.member], lines.kind, sale, source, lines.level]
    return _sorted([column.astype(np.int64) for column in (*columns, lines.amount, lines.base)])


def _carry_columns(gathered: Gathered, result: Result) -> list[Ints]:
    columns = [getattr(result.members, name).astype(np.int64) for name in _CARRY.values()]
    touched = np.nonzero(np.any(np.stack(columns) != 0, axis=0))[0]
    return [gathered.consultants[touched], *(column[touched] for column in columns)]


def _rank_columns(gathered: Gathered, result: Result) -> list[Ints]:
    held = np.nonzero(result.members.rank >= 0)[0]
    return [gathered.consultants[held], result.members.rank[held].astype(np.int64)]


def _sorted(columns: list[Ints]) -> list[Ints]:
    order = np.lexsort(columns[::-1])
    return [column[order] for column in columns]


def _between(columns: list[Ints], span: tuple[int, int]) -> list[Ints]:
    first, behind = np.searchsorted(columns[0], span)
    return [column[first:behind] for column in columns]


def _only_here_and_there(stored: list[Ints], computed: list[Ints]) -> tuple[list[Row], list[Row]]:
    """The rows that only one of the two has."""
    if all(np.array_equal(here, there) for here, there in zip(stored, computed, strict=True)):
        return [], []
    here, there = ([*zip(*(column.tolist() for column in rows), strict=True)] for rows in (stored, computed))
    counted, wanted = Counter(here), Counter(there)
    return list((counted - wanted).elements()), list((wanted - counted).elements())


def _line_differences(stored: list[Ints], computed: list[Ints]) -> Iterator[Difference]:
    here, there = ({row[:5]: row[5:] for row in rows} for rows in _only_here_and_there(stored, computed))
    for key in sorted({*here, *there}):
        kind = KINDS[key[1]] if 0 <= key[1] < len(KINDS) else "unknown kind"
        yield Difference("line", _line(here.get(key)), _line(there.get(key)), str(key[0]), kind)


def _line(numbers: Row | None) -> str:
    return "" if numbers is None else " on ".join(explaining.text_of(number) for number in numbers)


def _carry_differences(stored: list[Ints], computed: list[Ints]) -> Iterator[Difference]:
    here, there = ({row[0]: row[1:] for row in rows} for rows in _only_here_and_there(stored, computed))
    nothing = (0,) * len(_CARRY)
    for consultant in sorted({*here, *there}):
        numbers = zip(_CARRY, here.get(consultant, nothing), there.get(consultant, nothing), strict=True)
        for name, is_kept, is_computed in numbers:
            if is_kept != is_computed:
                yield Difference("carry", str(is_kept), str(is_computed), str(consultant), name)


def _rank_differences(stored: list[Ints], computed: list[Ints], result: Result) -> Iterator[Difference]:
    here, there = ({row[0]: row[1] for row in rows} for rows in _only_here_and_there(stored, computed))
    names = dict(enumerate(rank.name for rank in result.inputs.plan.ranks))
    for consultant in sorted({*here, *there}):
        held = [names.get(ranks.get(consultant, NONE), "") for ranks in (here, there)]
        yield Difference("rank", held[0], held[1], str(consultant))


def _named(session: Session, found: list[Difference]) -> list[Difference]:
    """The same with codes, as people know each other."""
    ids = {int(one.code) for one in found}
    rows = session.execute(select(Consultant.id, Consultant.code).where(Consultant.id.in_(ids)))
    codes = {str(consultant_id): code for consultant_id, code in rows}
    return [
        Difference(one.what, one.stored, one.computed, codes.get(one.code, one.code), one.kind)
        for one in found
    ]


def note(uow: UnitOfWork, compared: Replay, *, actor_id: int | None) -> None:
    """Write down that somebody computed a run again, and the first of what they found."""
    uow.note(
        COMPARED,
        thing="run",
        thing_id=compared.run_id,
        actor_id=actor_id,
        same=compared.is_same,
        differences=[str(found) for found in compared.differences[:MOST_NOTED]],
        more=compared.more + max(0, len(compared.differences) - MOST_NOTED),
    )
