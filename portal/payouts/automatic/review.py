"""Payouts that people decide on: one proposes, another confirms, both say who they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from portal.kernel.errors import BadInput, Conflict, DomainError
from portal.kernel.facts import WithdrawalReturned
from portal.kernel.ids import new_id
from portal.ledger.accounts import BANK, STRIPE_BALANCE
from portal.models import PayoutMethod, Withdrawal
from portal.payouts.approval import is_own
from portal.payouts.automatic import steps
from portal.payouts.automatic.answers import sent
from portal.payouts.automatic.arrivals import came_back
from portal.payouts.settling import give_back
from portal.payouts.stops import refuse_while_stopped
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

DECISIONS: Final = ("paid", "release", "again")
LONGEST_REASON: Final = 500
LONGEST_REF: Final = 255


@dataclass(frozen=True)
class Proposal:
    """What should become of a payout: `paid` there as `ref`, `release` the money, or `again`; and why."""

    decision: str
    reason: str
    ref: str = ""


def propose(uow: UnitOfWork, proposal: Proposal, *, withdrawal_id: int, actor_id: int) -> Withdrawal:
    """Say what should become of a payout in review; a second person has to confirm it.

    Raises `BadInput` naming the field, `Conflict` when it is not in review or somebody proposed something
    already, `DomainError` for one's own.
    """
    withdrawal = _in_review(uow, withdrawal_id, actor_id)
    if withdrawal.proposal is not None:
        raise Conflict("Something is proposed already. It has to be dropped first.")
    decision, reason, ref = proposal.decision, proposal.reason.strip(), proposal.ref.strip()
    if decision not in DECISIONS:
        raise BadInput("Please choose what should happen.", field="decision")
    if not reason or len(reason) > LONGEST_REASON:
        raise BadInput("Please say what you found, in up to 500 characters.", field="reason")
    if decision == "paid" and not withdrawal.stuck_at and not 0 < len(ref) <= LONGEST_REF:
        raise BadInput("Please write how the provider calls the payment.", field="ref")
    if decision == "paid" and ref:
        _refuse_known(uow, withdrawal, ref)
    named = {"id": new_id(), "by": actor_id}
    withdrawal.proposal = {"decision": decision, "reason": reason, "ref": ref, **named}
    uow.session.flush()
    steps.note(uow, withdrawal_id, "propose", actor_id=actor_id, decision=decision, reason=reason)
    return withdrawal


def drop(uow: UnitOfWork, *, withdrawal_id: int, actor_id: int) -> Withdrawal:
    """Take a proposal off the table."""
    withdrawal = _in_review(uow, withdrawal_id, actor_id)
    withdrawal.proposal = None
    uow.session.flush()
    steps.note(uow, withdrawal_id, "drop", actor_id=actor_id)
    return withdrawal


def confirm(uow: UnitOfWork, *, withdrawal_id: int, actor_id: int, proposal_id: str) -> Withdrawal:
    """Say yes to what somebody else proposed, and do it; `proposal_id` names what was read.

    Raises `Conflict` when that is not proposed or payouts are stopped, `DomainError` for one's own.
    """
    withdrawal = _in_review(uow, withdrawal_id, actor_id)
    proposal = withdrawal.proposal
    if proposal is None:
        raise Conflict("Nothing is proposed for this payout any more.")
    if proposal["id"] != proposal_id:
        raise Conflict("Something else is proposed by now. Please read it first.")
    if proposal["by"] == actor_id:
        raise DomainError("You proposed this. Somebody else has to confirm it.")
    decision, reason, ref = (str(proposal[name]) for name in ("decision", "reason", "ref"))
    steps.note(uow, withdrawal_id, "confirm", actor_id=actor_id, decision=decision)
    withdrawal.proposal = None
    uow.session.flush()
    if withdrawal.stuck_at is not None:
        _unstick(uow, withdrawal, decision=decision, reason=reason)
    elif decision == "paid":
        _refuse_known(uow, withdrawal, ref)
        _paid(uow, withdrawal, ref)
    elif decision == "release":
        give_back(uow, withdrawal, state="failed", actor_id=actor_id, reason=reason)
        uow.publish(WithdrawalReturned(withdrawal_id), key=f"withdrawal.returned:{withdrawal_id}")
    else:
        _again(uow, withdrawal)
    return withdrawal


def _paid(uow: UnitOfWork, withdrawal: Withdrawal, ref: str) -> None:
    method = uow.session.get_one(PayoutMethod, withdrawal.method_id)
    account = STRIPE_BALANCE if method.kind == "stripe" else BANK
    sent(uow, withdrawal.id, old="review", ref=ref, from_account=account)


def _unstick(uow: UnitOfWork, withdrawal: Withdrawal, *, decision: str, reason: str) -> None:
    """Money that the bank refused: `release` when it is back, `paid` when it arrived, or ask `again`."""
    withdrawal.stuck_at = None
    uow.session.flush()
    if decision == "release":
        came_back(uow, withdrawal_id=withdrawal.id, reason=reason)
    elif decision == "again":
        steps.ask_again(uow, withdrawal.id, at=uow.clock())


def _refuse_known(uow: UnitOfWork, withdrawal: Withdrawal, ref: str) -> None:
    known = select(Withdrawal.id).where(Withdrawal.provider_ref == ref, Withdrawal.id != withdrawal.id)
    if uow.session.scalar(known) is not None:
        raise BadInput("Another payout goes by this name already.", field="ref")


def _again(uow: UnitOfWork, withdrawal: Withdrawal) -> None:
    """A new key: two people have made sure that nothing was carried out under the ones before."""
    refuse_while_stopped(uow)
    values = {
        "generation": withdrawal.generation + 1,
        "next_at": uow.clock(),
        "absent_count": 0,
        "absent_at": None,
    }
    steps.move(uow, withdrawal.id, old="review", new="queued", **values)
    uow.published = True


def _in_review(uow: UnitOfWork, withdrawal_id: int, actor_id: int) -> Withdrawal:
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    if withdrawal.state != "review" and withdrawal.stuck_at is None:
        raise Conflict(f"This payout is {withdrawal.state}.")
    if is_own(uow, consultant_id=withdrawal.consultant_id, actor_id=actor_id):
        raise DomainError("Somebody else has to decide on your own payout.")
    return withdrawal
