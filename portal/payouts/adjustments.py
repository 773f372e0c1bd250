"""Corrections of a wallet by hand: proposed by one person with a reason, decided by another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, DomainError, KeyReused
from portal.kernel.facts import AdjustmentBooked
from portal.kernel.ids import new_id
from portal.kernel.money import Cents, format_money
from portal.ledger import book
from portal.ledger.accounts import ADJUSTMENTS, WRITE_OFF, available, receivable
from portal.ledger.book import Draft, Move
from portal.ledger.releases import Claw, claw_back_many
from portal.models import AccountUser, Adjustment, Consultant, Person
from portal.payouts.approval import is_own
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

LARGEST = Cents(100_000_00)
LONGEST_REASON = 500
SHORTEST_REASON = 10


@dataclass(frozen=True)
class Proposal:
    """What is to be booked: a `correction` gives (above 0) or takes (below 0), a `write_off` clears a debt.

    `key` can be used once: the same form sent twice proposes once.
    """

    consultant_id: int
    kind: str
    amount: Cents
    reason: str
    key: str


@dataclass(frozen=True)
class Named:
    """An adjustment and whose wallet it is."""

    adjustment: Adjustment
    name: str
    code: str


def propose(uow: UnitOfWork, proposal: Proposal, *, actor_id: int) -> Adjustment:
    """Propose a correction; nothing is booked before somebody else agrees.

    Raises `BadInput` for an amount or a reason that cannot be, `DomainError` for one's own wallet,
    `KeyReused` when the key was used for something else.
    """
    known = uow.session.scalar(select(Adjustment).where(Adjustment.key == proposal.key))
    if known is not None:
        if (known.consultant_id, known.amount_cents) != (proposal.consultant_id, proposal.amount):
            raise KeyReused("This was asked before with other content. Please start again.")
        return known
    _check(proposal)
    _refuse_own(uow, proposal.consultant_id, actor_id)
    made = Adjustment(
        public_id=new_id(),
        key=proposal.key,
        consultant_id=uow.session.get_one(Consultant, proposal.consultant_id).id,
        kind=proposal.kind,
        amount_cents=proposal.amount,
        reason=proposal.reason.strip(),
        state="proposed",
        proposed_by=actor_id,
        proposed_at=uow.clock(),
    )
    uow.session.add(made)
    uow.session.flush()
    uow.note("adjustment.propose", thing="adjustment", thing_id=made.id, actor_id=actor_id)
    return made


def approve(uow: UnitOfWork, *, adjustment_id: int, actor_id: int) -> Adjustment:
    """Agree to somebody else's proposal and book it, once.

    What is given pays an open debt first. What is taken comes out of what is held, then out of what is
    available; the rest becomes debt. Raises `Conflict` once it is decided, or when there is less debt than is
    to be written off; `DomainError` for the one who proposed it and for the owner of the wallet.
    """
    found = _to_decide(uow, adjustment_id, actor_id)
    key = f"adj:{found.public_id}"
    if found.kind == "correction" and found.amount_cents < 0:
        _take(uow, found, key, actor_id)
    else:
        moves = _written_off(uow, found) if found.kind == "write_off" else _given(uow, found)
        draft = Draft(key, f"adjustment {found.kind}", moves, actor_id=actor_id, cause=_cause(found))
        book.post(uow, draft)
    entry = book.find(uow, key)
    assert entry is not None, "an adjustment moves something"
    found.entry_id = entry.id
    _decide(uow, found, "approved", actor_id=actor_id)
    uow.publish(AdjustmentBooked(found.id), key=f"adjustment.booked:{found.id}")
    return found


def reject(uow: UnitOfWork, *, adjustment_id: int, actor_id: int, decision: str) -> Adjustment:
    """Say no to somebody else's proposal, and why; nothing is booked.

    Raises `BadInput` without a reason, and as `approve` does.
    """
    decision = decision.strip()
    if not decision:
        raise BadInput("Please say why not.", field="decision")
    if len(decision) > LONGEST_REASON:
        raise BadInput("Please say it in fewer words.", field="decision")
    found = _to_decide(uow, adjustment_id, actor_id)
    found.decision = decision
    _decide(uow, found, "rejected", actor_id=actor_id)
    return found


def waiting(session: Session) -> Sequence[Named]:
    """What waits for a second person, oldest first."""
    rows = session.execute(_named().where(Adjustment.state == "proposed").order_by(Adjustment.id))
    return [Named(*row) for row in rows]


def decided(session: Session, *, before: int | None = None, limit: int = 20) -> Sequence[Named]:
    """What was decided, newest first; `before` is the id where the last page ended."""
    question = _named().where(Adjustment.state != "proposed").order_by(Adjustment.id.desc())
    if before is not None:
        question = question.where(Adjustment.id < before)
    return [Named(*row) for row in session.execute(question.limit(limit))]


def people_of(session: Session, found: Adjustment) -> tuple[str, str]:
    """The names of who proposed and who decided; the second is empty while nobody did."""
    rows = session.execute(
        select(AccountUser.id, Person.name)
        .join(Person, Person.id == AccountUser.person_id)
        .where(AccountUser.id.in_([found.proposed_by, found.decided_by or 0]))
    )
    names = {int(user_id): name for user_id, name in rows}
    return names[found.proposed_by], names.get(found.decided_by or 0, "")


def _named() -> Select[Adjustment, str, str]:
    return (
        select(Adjustment, Person.name, Consultant.code)
        .join(Consultant, Consultant.id == Adjustment.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
    )


def _check(proposal: Proposal) -> None:
    if proposal.kind not in ("correction", "write_off"):
        raise BadInput("Please choose what is to be booked.", field="kind")
    if proposal.amount == 0:
        raise BadInput("Please write an amount above or below 0.", field="amount")
    if proposal.kind == "write_off" and proposal.amount < 0:
        raise BadInput("A debt is written off by an amount above 0.", field="amount")
    if abs(proposal.amount) > LARGEST:
        raise BadInput(f"The largest correction is {format_money(LARGEST)}.", field="amount")
    if len(proposal.reason.strip()) < SHORTEST_REASON:
        raise BadInput("Please give a reason; the consultant reads it.", field="reason")
    if len(proposal.reason.strip()) > LONGEST_REASON:
        raise BadInput("Please say it in fewer words.", field="reason")


def _to_decide(uow: UnitOfWork, adjustment_id: int, actor_id: int) -> Adjustment:
    found = lock_row(uow, Adjustment, adjustment_id)
    if found.state != "proposed":
        raise Conflict("This correction is decided already.")
    if found.proposed_by == actor_id:
        raise DomainError("Somebody else has to decide on what you proposed.")
    _refuse_own(uow, found.consultant_id, actor_id)
    return found


def _refuse_own(uow: UnitOfWork, consultant_id: int, actor_id: int) -> None:
    if is_own(uow, consultant_id=consultant_id, actor_id=actor_id):
        raise DomainError("Somebody else has to correct your own wallet.")


def _given(uow: UnitOfWork, found: Adjustment) -> list[Move]:
    free, debt = available(found.consultant_id), receivable(found.consultant_id)
    owed = min(found.amount_cents, book.hold(uow, free, debt)[debt].balance)
    parts = ((debt, owed), (free, found.amount_cents - owed))
    return [Move(ADJUSTMENTS, target, Cents(part)) for target, part in parts if part > 0]


def _written_off(uow: UnitOfWork, found: Adjustment) -> list[Move]:
    debt = receivable(found.consultant_id)
    owed = book.balance(uow, debt)
    if owed < found.amount_cents:
        raise Conflict(f"Only {format_money(owed)} is owed now. Please reject this and propose it afresh.")
    return [Move(WRITE_OFF, debt, Cents(found.amount_cents))]


def _take(uow: UnitOfWork, found: Adjustment, key: str, actor_id: int) -> None:
    amount = Cents(-found.amount_cents)
    claw = Claw(found.consultant_id, amount, key, _cause(found), ADJUSTMENTS, actor_id)
    claw_back_many(uow, [claw])


def _cause(found: Adjustment) -> tuple[str, int]:
    return "adjustment", found.id


def _decide(uow: UnitOfWork, found: Adjustment, state: str, *, actor_id: int) -> None:
    found.state, found.decided_by, found.decided_at = state, actor_id, uow.clock()
    uow.session.flush()
    uow.note(f"adjustment.{state}", thing="adjustment", thing_id=found.id, actor_id=actor_id)
