"""One run of one cycle: its inputs frozen, its lines and its carry written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select

from portal.commissions.breakage import loss_columns
from portal.commissions.gathering import Gathered, gather
from portal.commissions.kept import code_version, freeze_ids
from portal.commissions.stages import Stages
from portal.engine import EVENT_KINDS, KINDS, MATCHING, Lines, Result, calculate, snapshot
from portal.extensions import Base
from portal.models import Carry, CommissionLine, Cycle, Loss, PaidRank, Run, Sale
from portal.store import UnitOfWork
from portal.store.columns import NONE
from portal.store.copying import Told, Value, copy_rows

CARRY_COLUMNS = {
    "new_left": "new_left",
    "new_right": "new_right",
    "carry_left": "carry_left",
    "carry_right": "carry_right",
    "taken_left": "taken_left",
    "taken_right": "taken_right",
    "expired_left": "expired_left",
    "expired_right": "expired_right",
    "restored": "restored",
    "matched_to_date": "matched_to_date",
    "paid_to_date": "paid_to_date_cents",
    "inactive_cycles": "inactive_cycles",
}


def freeze_run(uow: UnitOfWork, cycle: Cycle, *, purpose: str, stages: Stages) -> tuple[Run, Gathered]:
    """Write down what the run is computed from and by, with the hash of it, and who asked for it."""
    with stages.at("read", total=sales_in(uow, cycle)):
        gathered = gather(uow.session, cycle)
    with stages.at("keep"):
        run = Run(
            cycle_id=cycle.id,
            purpose=purpose,
            plan_version_id=cycle.plan_version_id,
            inputs=snapshot.freeze(gathered.inputs),
            input_hash=snapshot.digest(gathered.inputs),
            ids=freeze_ids(gathered.consultants, gathered.sales),
            plan_sha256=gathered.inputs.plan.version,
            code_version=code_version(),
            requested_by=cycle.requested_by,
            frozen_at=uow.clock(),
        )
        uow.session.add(run)
        uow.session.flush()
    stages.write_down(run)
    return run, gathered


def calculate_run(uow: UnitOfWork, run: Run, gathered: Gathered, *, stages: Stages) -> Result:
    """Compute the frozen inputs; write lines, carry, ranks, losses, totals and the hash of all of it."""
    with stages.at("calculate", total=len(gathered.consultants)):
        result = calculate(gathered.inputs)
        lines = result.lines
    with stages.at("write", total=len(lines)) as told:
        _write(uow, CommissionLine, _line_columns(run, gathered, lines), told)
        _write(uow, Carry, _carry_columns(run, gathered, result))
        _write(uow, PaidRank, _rank_columns(run, gathered, result))
        _write(uow, Loss, loss_columns(run, gathered, result))
    with stages.at("prove", total=len(lines)):
        run.output_hash = snapshot.result_digest(result)
    run.totals = _totals(result)
    run.calculated_at = uow.clock()
    stages.write_down(run)
    uow.session.flush()
    return result


def forget_lines(uow: UnitOfWork, run_id: int) -> None:
    """Drop the lines of a preview that a newer one replaces; its hashes stay."""
    for model in (CommissionLine, Carry, PaidRank, Loss):
        uow.session.execute(delete(model).where(model.run_id == run_id))


def is_reproducible(run: Run) -> bool:
    """Whether computing the stored inputs once more gives the stored result, and the inputs are unchanged."""
    inputs = snapshot.thaw(run.inputs)
    same_inputs = snapshot.digest(inputs) == run.input_hash
    return same_inputs and snapshot.result_digest(calculate(inputs)) == run.output_hash


def sales_in(uow: UnitOfWork, cycle: Cycle) -> int:
    """How many sales a cycle has."""
    return uow.session.scalar(select(func.count()).select_from(Sale).where(Sale.cycle_id == cycle.id)) or 0


def _write(
    uow: UnitOfWork, model: type[Base], columns: Mapping[str, Value], told: Told | None = None
) -> None:
    count = max(len(column) for column in columns.values() if isinstance(column, np.ndarray))
    copy_rows(uow.session, model, columns, count=count, told=told)


def _line_columns(run: Run, gathered: Gathered, lines: Lines) -> dict[str, Value]:
    of_event, of_match = np.isin(lines.kind, EVENT_KINDS), lines.kind == MATCHING
    sale = np.full(len(lines), NONE, np.int64)
    sale[of_event] = gathered.sales[lines.source[of_event]]
    source = np.full(len(lines), NONE, np.int64)
    source[of_match] = gathered.consultants[lines.source[of_match]]
    return {
        "run_id": run.id,
        "consultant_id": gathered.consultants[lines.member],
        "kind": np.array(KINDS, "S")[lines.kind],
        "amount_cents": lines.amount.astype(np.int64),
        "base": lines.base.astype(np.int64),
        "sale_id": sale,
        "source_consultant_id": source,
        "level": lines.level.astype(np.int64),
    }


def _carry_columns(run: Run, gathered: Gathered, result: Result) -> dict[str, Value]:
    columns = {column: getattr(result.members, name) for name, column in CARRY_COLUMNS.items()}
    touched = np.nonzero(np.any([column != 0 for column in columns.values()], axis=0))[0]
    found: dict[str, Value] = {"run_id": run.id, "consultant_id": gathered.consultants[touched]}
    return found | {name: column[touched] for name, column in columns.items()}


def _rank_columns(run: Run, gathered: Gathered, result: Result) -> dict[str, Value]:
    holders = np.nonzero(result.members.rank >= 0)[0]
    places = result.members.rank[holders].astype(np.int64)
    codes = np.array([rank.name for rank in gathered.inputs.plan.ranks] or [""])
    return {
        "run_id": run.id,
        "consultant_id": gathered.consultants[holders],
        "place": places,
        "code": np.strings.encode(codes, "utf-8")[places],
    }


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
