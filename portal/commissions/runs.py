"""One run of one cycle: its inputs frozen, its lines and its carry written down."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, insert

from portal.commissions.breakage import loss_rows
from portal.commissions.gathering import Gathered, gather
from portal.commissions.kept import code_version, freeze_ids
from portal.engine import EVENT_KINDS, KINDS, MATCHING, Result, calculate, snapshot
from portal.models import Carry, CommissionLine, Cycle, Loss, PaidRank, Run
from portal.store import UnitOfWork

CARRY_COLUMNS = {
    "new_left": "new_left",
    "new_right": "new_right",
    "carry_left": "left",
    "carry_right": "right",
    "taken_left": "taken_left",
    "taken_right": "taken_right",
    "expired_left": "expired_left",
    "expired_right": "expired_right",
    "restored": "restored",
    "matched_to_date": "matched_to_date",
    "paid_to_date": "paid_to_date_cents",
    "inactive_cycles": "inactive_cycles",
}
_ROWS_AT_ONCE = 10_000


def freeze_run(uow: UnitOfWork, cycle: Cycle, *, purpose: str) -> tuple[Run, Gathered]:
    """Write down what the run is computed from and by, with the hash of it, and who asked for it."""
    gathered = gather(uow.session, cycle)
    run = Run(
        cycle_id=cycle.id,
        purpose=purpose,
        plan_version_id=cycle.plan_version_id,
        inputs=snapshot.freeze(gathered.inputs),
        input_hash=snapshot.digest(gathered.inputs),
        ids=freeze_ids(gathered.consultants, gathered.sales),
        plan_sha256=cycle.plan_version.sha256,
        code_version=code_version(),
        requested_by=cycle.requested_by,
        frozen_at=uow.clock(),
    )
    uow.session.add(run)
    uow.session.flush()
    return run, gathered


def calculate_run(uow: UnitOfWork, run: Run, gathered: Gathered) -> Result:
    """Compute the frozen inputs; write lines, carry, totals and the hash of all of it."""
    result = calculate(snapshot.thaw(run.inputs))
    _insert(uow, CommissionLine, _line_rows(run, gathered, result))
    _insert(uow, Carry, _carry_rows(run, gathered, result))
    _insert(uow, PaidRank, _rank_rows(run, gathered, result))
    _insert(uow, Loss, loss_rows(run, gathered, result))
    run.output_hash = snapshot.result_digest(result)
    run.totals = _totals(result)
    run.calculated_at = uow.clock()
    uow.session.flush()
    return result


def forget_lines(uow: UnitOfWork, run_id: int) -> None:
    """Drop the lines of a preview that a newer one replaces; its hashes stay."""
    uow.session.execute(delete(CommissionLine).where(CommissionLine.run_id == run_id))
    uow.session.execute(delete(Carry).where(Carry.run_id == run_id))
    uow.session.execute(delete(Loss).where(Loss.run_id == run_id))
    uow.session.execute(delete(PaidRank).where(PaidRank.run_id == run_id))


def is_reproducible(run: Run) -> bool:
    """Whether computing the stored inputs once more gives the stored result, and the inputs are unchanged."""
    inputs = snapshot.thaw(run.inputs)
    same_inputs = snapshot.digest(inputs) == run.input_hash
    return same_inputs and snapshot.result_digest(calculate(inputs)) == run.output_hash


def _insert(uow: UnitOfWork, model: type[Any], rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        uow.session.execute(insert(model), rows[start : start + _ROWS_AT_ONCE])


def _line_rows(run: Run, gathered: Gathered, result: Result) -> list[dict[str, Any]]:
    lines = result.lines
    columns = (lines.member, lines.kind, lines.amount, lines.base, lines.source, lines.level)
    consultants, sales = gathered.consultants.tolist(), gathered.sales.tolist()
    return [
        {
            "run_id": run.id,
            "consultant_id": consultants[member],
            "kind": KINDS[kind],
            "amount_cents": amount,
            "base": base,
            "sale_id": sales[source] if kind in EVENT_KINDS else None,
            "source_consultant_id": consultants[source] if kind == MATCHING else None,
            "level": level,
        }
        for member, kind, amount, base, source, level in zip(*(c.tolist() for c in columns), strict=True)
    ]


def _carry_rows(run: Run, gathered: Gathered, result: Result) -> list[dict[str, Any]]:
    columns: list[NDArray[np.int64]] = [getattr(result.members, name) for name in CARRY_COLUMNS]
    touched = np.nonzero(np.any(np.stack(columns) != 0, axis=0))[0].tolist()
    names = list(CARRY_COLUMNS.values())
    return [
        {"run_id": run.id, "consultant_id": int(gathered.consultants[at])}
        | {name: int(column[at]) for name, column in zip(names, columns, strict=True)}
        for at in touched
    ]


def _rank_rows(run: Run, gathered: Gathered, result: Result) -> list[dict[str, Any]]:
    rank, names = result.members.rank, [rank.name for rank in result.inputs.plan.ranks]
    return [
        {
            "run_id": run.id,
            "consultant_id": int(gathered.consultants[at]),
            "place": int(rank[at]),
            "code": names[rank[at]],
        }
        for at in np.nonzero(rank >= 0)[0].tolist()
    ]


def _totals(result: Result) -> dict[str, Any]:
    """The figures of the review page; volumes in hundredths, money in cents."""
    members = result.members
    return {
        "volume": result.totals.volume,
        "revenue_cents": int(result.inputs.events.revenue.sum()),
        "paid_cents": result.totals.paid,
        "by_kind_cents": dict(result.totals.by_kind),
        "people": len(members.total),
        "people_paid": int((members.total > 0).sum()),
        "carried": int(members.carry_left.sum() + members.carry_right.sum()),
        "matched": int(members.taken_left.sum()),
        "expired": int(members.expired_left.sum() + members.expired_right.sum()),
    }
