"""Closing a cycle: the run that two people approved is proved once more and booked.

Two commits, each safe to repeat: a close that is killed anywhere goes on where it was; two at once wait for
each other at the cycle's row.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import undefer_group

from portal.commissions.credits import Credits, credits_in, credits_of, due_days
from portal.commissions.gathering import Gathered, gather, places
from portal.commissions.kept import kept
from portal.commissions.runs import sales_in
from portal.commissions.stages import Stages
from portal.engine import KINDS, calculate, snapshot
from portal.kernel.errors import Conflict
from portal.kernel.facts import CommissionCredited, CycleClosed
from portal.kernel.money import Cents
from portal.ledger import bulk
from portal.ledger.accounts import COMMISSION_EXPENSE
from portal.ledger.bulk import Table, Wallets
from portal.ledger.releases import Claw, Holds, claw_back_many, new_release_table
from portal.models import Cycle, Run
from portal.store import UnitOfWork
from portal.store.copying import allow_long_work
from portal.store.locks import lock_row

Step = Callable[..., None]

UNDO_WINDOW = timedelta(minutes=30)


def freeze(uow: UnitOfWork, *, cycle_id: int, zone: ZoneInfo, window: timedelta = UNDO_WINDOW) -> None:
    """Take the approved run for the close; refuse when its inputs are no longer those of the database.

    Raises `Conflict` when the cycle is not approved, when the one before it is not closed (any more), or when
    something changed since its preview.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.close_run_id is not None:
        return
    if cycle.state != "approved":
        raise Conflict(
            f"Cycle {cycle.name} is {cycle.state}; two people have to approve it before it is closed."
        )
    # Locked, so that nobody undoes the close of the one before while this one is built on it.
    if cycle.previous_id is not None and lock_row(uow, Cycle, cycle.previous_id).closed_at is None:
        raise Conflict(f"Cycle {cycle.name} builds on the one before it; close that one first.")
    allow_long_work(uow.session)
    run = uow.session.get_one(Run, cycle.preview_run_id)
    going = Stages(cycle_id, "close")
    with going.at("read", total=sales_in(uow, cycle)):
        found = snapshot.digest(gather(uow.session, cycle).inputs)
    if found != run.input_hash or run.posted_at is not None:
        raise Conflict("Something changed since the preview. Please preview and approve the cycle again.")
    run.purpose = "close"
    cycle.close_run_id = run.id
    going.write_down(run)


def post(uow: UnitOfWork, *, cycle_id: int, zone: ZoneInfo, window: timedelta = UNDO_WINDOW) -> None:
    """Book one entry for each consultant and kind, hold what was earned, take back what was reversed.

    The close can be undone for the length of `window`. Raises `Conflict` where computing the run again gives
    another result, or where its lines are not that result.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    # With its inputs: another thread computes from them, and must not ask the database.
    run = uow.session.get_one(Run, cycle.close_run_id, options=[undefer_group("frozen")])
    if run.posted_at is not None:
        return
    allow_long_work(uow.session)
    going = Stages(cycle_id, "close")
    with going.at("calculate", total=int(str((run.totals or {}).get("people", 0)))):
        credits, inputs = _proved(uow, run)
    earned = credits.where(credits.amounts > 0)
    with going.at("book", total=len(earned.amounts)) as told:
        entry_ids = bulk.post_table(uow, _entries(run, earned), told=lambda rows: told(rows // 2))
    with going.at("hold", total=len(earned.amounts)) as told:
        days = due_days(uow.session, cycle, zone=zone, inputs=inputs)
        due = days[places(inputs.consultants, earned.consultants)]
        holds = Holds(entry_ids, earned.consultants, cycle.id, earned.amounts, due)
        new_release_table(uow, holds, told=told)
        run.taken = _take_back(uow, run, credits.where(credits.amounts < 0))
    with going.at("finish"):
        _finish(uow, cycle_id, run, window)
    going.write_down(run)


CLOSE_STEPS: tuple[Step, ...] = (freeze, post)


def _proved(uow: UnitOfWork, run: Run) -> tuple[Credits, Gathered]:
    """What the lines of the run owe whom, where they are what its inputs give, to the last bit; and these."""
    with ThreadPoolExecutor(1) as aside:
        computing = aside.submit(_computed, run)
        # The database adds up what is stored while we compute.
        stored = credits_of(uow.session, run.id)
        inputs, digest, credits = computing.result()
    if digest != run.output_hash:
        raise Conflict("The close found another result than the approved preview. Nothing was booked.")
    if not stored.equals(credits):
        raise Conflict("The lines of the approved preview are not what it found. Nothing was booked.")
    return stored, inputs


def _computed(run: Run) -> tuple[Gathered, str, Credits]:
    """The run once more from what it keeps: its inputs, the hash of the result, and what that owes whom."""
    inputs = kept(run)
    result = calculate(inputs.inputs)
    return inputs, snapshot.result_digest(result), credits_in(result, inputs.consultants)


def _entries(run: Run, earned: Credits) -> Table:
    kinds = np.array(KINDS, "S")
    run_key = f"run-{run.id}-consultant-".encode()

    def keys(some: slice) -> NDArray[np.bytes_]:
        whose = np.strings.add(run_key, earned.consultants[some].astype("S"))
        return np.strings.add(np.strings.add(whose, b"-"), kinds[earned.kinds[some]])

    return Table(
        keys=keys,
        kinds=np.array([f"commission {kind}" for kind in KINDS], "S")[earned.kinds],
        debit=COMMISSION_EXPENSE,
        credit=Wallets("pending", earned.consultants),
        amounts=earned.amounts,
        cause=("run", run.id),
    )


def _take_back(uow: UnitOfWork, run: Run, owed: Credits) -> dict[str, object]:
    """Claw back what was reversed beyond what was earned; the cents that it took out of each hold."""
    rows = zip(owed.consultants.tolist(), owed.kinds.tolist(), owed.amounts.tolist(), strict=True)
    claws = [
        Claw(
            consultant,
            Cents(-amount),
            f"run-{run.id}-consultant-{consultant}-{KINDS[kind]}",
            ("run", run.id),
        )
        for consultant, kind, amount in rows
    ]
    taken = claw_back_many(uow, claws)
    return {str(release): cents for release, cents in taken.items()}


def _finish(uow: UnitOfWork, cycle_id: int, run: Run, window: timedelta) -> None:
    now = uow.clock()
    cycle = lock_row(uow, Cycle, cycle_id)
    run.posted_at = now
    cycle.state = "closed"
    cycle.closed_at = now
    cycle.undo_until = now + window
    cycle.close_requested_at = None
    cycle.requested_by = None
    uow.publish(CycleClosed(cycle.id), key=f"cycle.closed:{cycle.id}:{run.id}")
    uow.publish(CommissionCredited(cycle.id, run.id))
