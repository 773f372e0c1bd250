"""Closing a cycle in three commits, each safe to repeat: freeze, calculate, post.

A close that is killed anywhere goes on where it was; two at once wait for each other at the cycle's row.
"""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from portal.commissions.credits import Credit, credits_of, due_days
from portal.commissions.kept import kept
from portal.commissions.runs import calculate_run, freeze_run
from portal.kernel.errors import Conflict
from portal.kernel.facts import CommissionCredited, CycleClosed
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import COMMISSION_EXPENSE, pending
from portal.ledger.book import Draft, Move
from portal.ledger.releases import Claw, Hold, claw_back_many, new_release_rows
from portal.models import Cycle, Run
from portal.store import UnitOfWork
from portal.store.locks import lock_row

Step = Callable[..., None]


def freeze(uow: UnitOfWork, *, cycle_id: int, zone: ZoneInfo) -> None:
    """Take down the inputs; refuse when they are no longer those that were approved.

    Raises `Conflict` when the cycle is not approved, or when something changed since its preview.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.close_run_id is not None:
        return
    if cycle.state != "approved":
        raise Conflict(
            f"Cycle {cycle.name} is {cycle.state}; two people have to approve it before it is closed."
        )
    approved = uow.session.get_one(Run, cycle.preview_run_id)
    run, _ = freeze_run(uow, cycle, purpose="close")
    if run.input_hash != approved.input_hash:
        raise Conflict("Something changed since the preview. Please preview and approve the cycle again.")
    cycle.close_run_id = run.id


def calculate(uow: UnitOfWork, *, cycle_id: int, zone: ZoneInfo) -> None:
    """Compute the frozen inputs; the result must be the approved one, to the last bit."""
    cycle = lock_row(uow, Cycle, cycle_id)
    run = uow.session.get_one(Run, cycle.close_run_id)
    if run.calculated_at is not None:
        return
    approved = uow.session.get_one(Run, cycle.preview_run_id)
    calculate_run(uow, run, kept(run))
    if run.output_hash != approved.output_hash:
        raise Conflict("The close found another result than the approved preview. Nothing was booked.")


def post(uow: UnitOfWork, *, cycle_id: int, zone: ZoneInfo) -> None:
    """Book one entry for each consultant and kind, hold what was earned, take back what was reversed."""
    cycle = lock_row(uow, Cycle, cycle_id)
    run = uow.session.get_one(Run, cycle.close_run_id)
    if run.posted_at is not None:
        return
    earned, taken_back = credits_of(uow.session, run.id)
    due = due_days(uow.session, cycle, zone=zone, inputs=kept(run))
    drafts = [
        Draft(
            key=f"run-{run.id}-consultant-{credit.consultant_id}-{credit.kind}",
            kind=f"commission {credit.kind}",
            moves=[Move(COMMISSION_EXPENSE, pending(credit.consultant_id), credit.amount)],
            cause=("run", run.id),
        )
        for credit in earned
    ]
    entry_ids = book.post_many(uow, drafts)
    new_release_rows(
        uow,
        [
            Hold(entry_id, credit.consultant_id, cycle.id, credit.amount, due[credit.consultant_id])
            for entry_id, credit in zip(entry_ids, earned, strict=True)
        ],
    )
    claw_back_many(
        uow,
        [
            Claw(
                credit.consultant_id,
                Cents(-credit.amount),
                f"run-{run.id}-consultant-{credit.consultant_id}-{credit.kind}",
                ("run", run.id),
            )
            for credit in taken_back
        ],
    )
    _finish(uow, cycle, run)
    for consultant_id, amount in _sums(earned + taken_back).items():
        if amount > 0:
            uow.publish(CommissionCredited(cycle.id, consultant_id, amount))


CLOSE_STEPS: tuple[Step, ...] = (freeze, calculate, post)


def _finish(uow: UnitOfWork, cycle: Cycle, run: Run) -> None:
    cycle = lock_row(uow, Cycle, cycle.id)
    run = uow.session.get_one(Run, run.id)
    run.posted_at = uow.clock()
    cycle.state = "closed"
    cycle.closed_at = uow.clock()
    cycle.close_requested_at = None
    cycle.requested_by = None
    uow.publish(CycleClosed(cycle.id), key=f"cycle.closed:{cycle.id}:{run.id}")


def _sums(credits: list[Credit]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for credit in credits:
        sums[credit.consultant_id] = sums.get(credit.consultant_id, 0) + credit.amount
    return sums
