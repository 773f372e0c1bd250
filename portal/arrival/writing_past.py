"""Cycles that another system closed: their runs, lines and volumes, and what the last one hands on."""

from __future__ import annotations

from typing import Any

import numpy as np

from portal.arrival.past import rhythm_of
from portal.arrival.reading import Arrival
from portal.arrival.tables import Table
from portal.commissions.plans.versions import plan_at
from portal.commissions.rhythms import USUAL
from portal.engine import Plan
from portal.models import Carry, CommissionLine, Cycle, CycleRhythm, PaidRank, PastVolume, Run
from portal.store import UnitOfWork
from portal.store.rows import add_rows

_CARRIED = ("left", "right", "matched_to_date", "paid_to_date", "inactive_cycles")
# What happened within the other system's last cycle is not known, and nothing that is computed asks for it.
_UNKNOWN = (
    *("new_left", "new_right", "taken_left", "taken_right"),
    *("expired_left", "expired_right", "restored"),
)


def write_past(uow: UnitOfWork, arrival: Arrival, *, ids: list[int]) -> Cycle | None:
    """Write the past cycles as closed and paid; the last one, None where there is none."""
    cycles = _write_cycles(uow, arrival["cycles"])
    if not cycles:
        return None
    runs = [_run(uow, cycle, sha256=arrival.files.sha256) for cycle in cycles]
    lines, volumes = arrival["lines"], arrival["volumes"]
    _write_lines(uow, lines, runs=runs, ids=ids)
    columns = {
        "cycle_id": [cycles[at].id for at in volumes["in_cycle"]],
        "consultant_id": [ids[at] for at in volumes["who"]],
        "volume": volumes["volume"],
    }
    add_rows(uow.session, PastVolume, columns)
    carry = arrival["carry"]
    _write_carry(uow, carry, runs[-1], ids=ids)
    for at, run in enumerate(runs):
        run.totals = _totals(lines, volumes, at=at, people=len(ids))
    runs[-1].totals = (runs[-1].totals or {}) | {"carried": sum(carry["left"]) + sum(carry["right"])}
    uow.session.flush()
    return cycles[-1]


def _write_cycles(uow: UnitOfWork, table: Table) -> list[Cycle]:
    written: list[Cycle] = []
    rhythm = USUAL
    for name, start, until in zip(table["name"], table["start"], table["until"], strict=True):
        if rhythm_of(name) != rhythm:
            rhythm = rhythm_of(name)
            uow.session.add(CycleRhythm(rhythm=rhythm, valid_from=start, decided_at=uow.clock()))
        cycle = Cycle(
            name=name,
            rhythm=rhythm,
            starts_at=start,
            until=until,
            state="paid",
            previous_id=written[-1].id if written else None,
            plan_version_id=plan_at(uow.session, start).id,
            ended_at=until,
            closed_at=until,
            paid_at=until,
        )
        uow.session.add(cycle)
        uow.session.flush()
        written.append(cycle)
    return written


def _run(uow: UnitOfWork, cycle: Cycle, *, sha256: str) -> Run:
    """The run that stands for a cycle. It was never posted here: its money is in the opening balances."""
    run = Run(
        cycle_id=cycle.id,
        purpose="import",
        plan_version_id=cycle.plan_version_id,
        inputs=b"",
        input_hash=sha256,
        output_hash=sha256,
        frozen_at=uow.clock(),
        calculated_at=uow.clock(),
    )
    uow.session.add(run)
    uow.session.flush()
    cycle.close_run_id = run.id
    return run


def _write_lines(uow: UnitOfWork, lines: Table, *, runs: list[Run], ids: list[int]) -> None:
    columns = {
        "run_id": [runs[at].id for at in lines["in_cycle"]],
        "consultant_id": [ids[at] for at in lines["who"]],
        "kind": lines["kind"],
        "amount_cents": lines["amount"],
        "base": lines["base"],
        "level": [0] * len(lines),
    }
    add_rows(uow.session, CommissionLine, columns)


def _write_carry(uow: UnitOfWork, carry: Table, run: Run, *, ids: list[int]) -> None:
    who, run_id, count = [ids[at] for at in carry["who"]], run.id, len(carry)
    names = (*_CARRIED[:3], "paid_to_date_cents", _CARRIED[4])
    columns: dict[str, Any] = {"run_id": [run_id] * count, "consultant_id": who}
    columns |= {name: carry[column] for name, column in zip(names, _CARRIED, strict=True)}
    columns |= {name: [0] * count for name in _UNKNOWN}
    add_rows(uow.session, Carry, columns)
    ranked = [at for at, rank in enumerate(carry["rank"]) if rank]
    if ranked:
        plan = Plan.parse(dict(uow.session.get_one(Cycle, run.cycle_id).plan_version.document))
        place = {rank.name: at for at, rank in enumerate(plan.ranks)}
        columns = {
            "run_id": [run_id] * len(ranked),
            "consultant_id": [who[at] for at in ranked],
            "place": [place[carry["rank"][at]] for at in ranked],
            "code": [carry["rank"][at] for at in ranked],
        }
        add_rows(uow.session, PaidRank, columns)


def _totals(lines: Table, volumes: Table, *, at: int, people: int) -> dict[str, object]:
    """The figures of a run as every run has them; volumes in hundredths, money in cents."""
    mine = np.nonzero(np.array(lines["in_cycle"], np.int64) == at)[0].tolist()
    by_kind: dict[str, int] = {}
    by_person: dict[int, int] = {}
    for row in mine:
        kind, who, amount = lines["kind"][row], lines["who"][row], lines["amount"][row]
        by_kind[kind] = by_kind.get(kind, 0) + amount
        by_person[who] = by_person.get(who, 0) + amount
    sold = np.array(volumes["volume"], np.int64)[np.array(volumes["in_cycle"], np.int64) == at]
    return {
        "volume": int(sold.sum()),
        "paid_cents": sum(by_kind.values()),
        "by_kind_cents": by_kind,
        "people": people,
        "people_paid": sum(amount > 0 for amount in by_person.values()),
        "carried": 0,
        "matched": 0,
        "expired": 0,
    }
