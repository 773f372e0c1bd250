"""Saying yes to a run, and closing it, only while its checks allow it; reasons for what they ask about."""

from __future__ import annotations

from dataclasses import dataclass

from portal.commissions import cycles
from portal.commissions.beside import beside
from portal.commissions.check_figures import Limits
from portal.commissions.checks import CHECKS, Finding, findings
from portal.kernel.errors import BadInput, Conflict
from portal.models import CheckReason, Cycle
from portal.store import UnitOfWork
from portal.store.locks import lock_row

SHORTEST_REASON = 10
LONGEST_REASON = 500


@dataclass(frozen=True)
class Answer:
    """A written reason for one figure of one check of a run, as they stood on the screen."""

    run_id: int
    check: str
    figure: str
    text: str


def approve(uow: UnitOfWork, *, cycle_id: int, run_id: int, actor_id: int, limits: Limits) -> int:
    """Say yes to the run that is on the screen; how many said yes.

    Raises `Conflict` as `cycles.approve` does, when a red check fails, and when an amber one has no reason.
    """
    count = cycles.approve(uow, cycle_id=cycle_id, run_id=run_id, actor_id=actor_id)
    cycle = uow.session.get_one(Cycle, cycle_id)
    found = findings(uow.session, beside(uow.session, cycle), limits)
    _demand([one for one in found if one.blocks], f"Cycle {cycle.name} cannot be approved. Not so")
    _demand([one for one in found if one.asks], f"Cycle {cycle.name} needs a written reason first for")
    return count


def request_close(uow: UnitOfWork, *, cycle_id: int, actor_id: int, limits: Limits) -> None:
    """Ask for the close of an approved cycle. Asking again changes nothing.

    Raises `Conflict` as `cycles.request_close` does, and when a red check fails.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.closed_at is None:
        found = [one for one in findings(uow.session, beside(uow.session, cycle), limits) if one.blocks]
        _demand(found, f"Cycle {cycle.name} cannot be closed. Not so")
    cycles.request_close(uow, cycle_id=cycle_id, actor_id=actor_id)


def write_reason(
    uow: UnitOfWork, *, cycle_id: int, answer: Answer, actor_id: int, limits: Limits
) -> CheckReason:
    """Keep why a figure is let pass; it holds for later previews as long as they find the same figure.

    Raises `Conflict` when the run or the figure is no longer the one on the screen or has its reason already,
    `BadInput` for a check that asks for none and for a reason that says nothing.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.state != "previewed" or cycle.preview_run_id != answer.run_id:
        raise Conflict("There is a newer preview. Please look at it before you give a reason.")
    text = " ".join(answer.text.split())
    if not SHORTEST_REASON <= len(text) <= LONGEST_REASON:
        raise BadInput(
            f"Please say why in {SHORTEST_REASON} to {LONGEST_REASON} characters.", field=answer.check
        )
    if answer.check not in CHECKS or CHECKS[answer.check].blocks:
        raise BadInput("This check asks for no reason.")
    _still_asks(uow, cycle, answer, limits)
    reason = CheckReason(
        run_id=answer.run_id,
        check=answer.check,
        figure=answer.figure,
        reason=text,
        written_by=actor_id,
        written_at=uow.clock(),
    )
    uow.session.add(reason)
    uow.note(
        "cycle.reason",
        thing="run",
        thing_id=answer.run_id,
        actor_id=actor_id,
        check=answer.check,
        figure=answer.figure,
    )
    uow.session.flush()
    return reason


def _still_asks(uow: UnitOfWork, cycle: Cycle, answer: Answer, limits: Limits) -> None:
    asking = {
        one.check.code: one.figure
        for one in findings(uow.session, beside(uow.session, cycle), limits)
        if one.asks
    }
    if asking.get(answer.check) != answer.figure:
        raise Conflict(
            "This check has changed meanwhile, or somebody gave a reason. Please look at it again."
        )


def _demand(found: list[Finding], sentence: str) -> None:
    if found:
        titles = "; ".join(f"{one.check.title} ({one.check.code})" for one in found)
        raise Conflict(f"{sentence}: {titles}.")
