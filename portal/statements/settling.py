"""Settling a difference: a person decides, what follows is booked by an event, and everything is noted.

The books themselves are never touched here. Taking the statement's word, or reversing what it does not name,
puts an event into the inbox as if the vendor had sent it; the same code books it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict
from portal.models import Contract, ContractFact, Customer, Statement, StatementDifference, StatementLine
from portal.statements.comparing import SIZED
from portal.statements.differences import ASKED
from portal.statements.events import JUST_AFTER, Event
from portal.store import UnitOfWork
from portal.store.inbox import Arrival, receive, vendor_source
from portal.store.locks import lock_row

THEIRS, REVERSE, KEEP, ASK = "statement", "reverse", "keep", ASKED
CHOICES = (THEIRS, REVERSE, KEEP, ASK)
LONGEST_NOTE = 500
# What follows from other things (terms, the registration of a customer) cannot be told by an event.
BOOKABLE = frozenset({"size", "share"})
FOLLOWS = frozenset({"revenue"})
OF_A_MONTH = frozenset({"service.renewed", "service.refunded"})
_SIZED = SIZED - {"service.renewed"}
OPENING = frozenset({"service.signed", "service.installed", "service.activated"})


@dataclass(frozen=True)
class Known:
    """What is here about a difference: its line, its fact, and the contract of the vendor by that reference.

    `turn` counts the events that settling made for this contract, with the next; `size_before` is what was
    told last before the fact, in thousandths.
    """

    difference: StatementDifference
    line: StatementLine | None
    fact: ContractFact | None
    contract: Contract | None
    customer_ref: str | None
    turn: int = 1
    size_before: int | None = None


def known_of(session: Session, statement: Statement, difference: StatementDifference) -> Known:
    """Read what is here about a difference."""
    mine = Contract.vendor_id == statement.vendor_id, Contract.ref == difference.contract_ref
    contract = session.scalars(select(Contract).where(*mine)).unique().one_or_none()
    line = session.get(StatementLine, difference.line_id) if difference.line_id else None
    fact = session.get(ContractFact, difference.fact_id) if difference.fact_id else None
    said = line.customer_ref if line else None
    here = session.get(Customer, contract.customer_id) if contract else None
    return Known(
        difference,
        line,
        fact,
        contract,
        here.ref if here else said,
        turn=_turn(session, statement, difference.contract_ref),
        size_before=_size_before(session, fact) if fact else None,
    )


def choices(known: Known) -> tuple[str, ...]:
    """What may be chosen for a difference, the one that books first."""
    booking = {"missing": THEIRS, "different": THEIRS, "extra": REVERSE}[known.difference.kind]
    return (booking, KEEP, ASK) if event_of(known) is not None else (KEEP, ASK)


def at_once(
    difference: StatementDifference, line: StatementLine | None, fact: ContractFact | None
) -> str | None:
    """The choice that books a difference and needs no reason, where line and fact alone tell of one.

    It is offered in lists, without a look at the contract.
    """
    customer_ref = line.customer_ref if line else None
    known = Known(difference, line, fact, None, customer_ref or (difference.contract_ref if fact else None))
    first = choices(known)[0]
    return first if first in (THEIRS, REVERSE) and not leaves_ours(known, first) else None


def leaves_ours(known: Known, choice: str) -> bool:
    """Whether a choice keeps anything of ours that the statement says otherwise: then it needs a reason."""
    if choice != THEIRS or known.difference.kind != "different":
        return choice == KEEP
    return bool(known.difference.fields.keys() - BOOKABLE - FOLLOWS)


def event_of(known: Known) -> Event | None:
    """The event that settles a difference as the statement says; None where no event can."""
    if known.customer_ref is None:
        return None
    make = {"missing": _missing, "different": _different, "extra": _extra}[known.difference.kind]
    return make(known, known.customer_ref)


def settle(
    uow: UnitOfWork, *, difference_id: int, choice: str, note: str, actor_id: int
) -> StatementDifference:
    """Settle a difference, or ask the vendor about it, which leaves it open.

    Raises `BadInput` for a choice that is none and where a reason is missing, `Conflict` where it was settled
    meanwhile or a later statement replaced this one.
    """
    difference = lock_row(uow, StatementDifference, difference_id)
    statement = uow.session.get_one(Statement, difference.statement_id)
    if difference.settled_at is not None:
        raise Conflict("Somebody settled this already.")
    if statement.replaced_at is not None:
        raise Conflict("A later statement of this day replaced the one this is about.")
    known, said = known_of(uow.session, statement, difference), note.strip()
    if choice not in choices(known):
        raise BadInput("Please choose what should happen.", field="choice")
    if len(said) > LONGEST_NOTE:
        raise BadInput(f"Please use at most {LONGEST_NOTE} characters.", field="note")
    if not said and (choice == ASK or leaves_ours(known, choice)):
        raise BadInput("Please write why.", field="note")
    if choice in (THEIRS, REVERSE):
        difference.event_id = _tell(uow, statement, known)
    difference.choice, difference.note, difference.settled_by = choice, said or None, actor_id
    difference.settled_at = None if choice == ASK else uow.clock()
    uow.note(
        "difference settled" if choice != ASK else "difference asked about",
        thing="statement_difference",
        thing_id=difference.id,
        actor_id=actor_id,
        choice=choice,
    )
    uow.session.flush()
    return difference


def _tell(uow: UnitOfWork, statement: Statement, known: Known) -> str:
    """Put the event into the inbox; its id."""
    event = event_of(known)
    assert event is not None, "the choice was offered because there is one"
    place = str(known.line.line) if known.line else f"fact-{known.difference.fact_id}"
    name = f"statement-{statement.public_id}-{place}"
    arrival = Arrival(
        source=vendor_source(statement.vendor_id),
        event_id=name,
        kind=event.type,
        body=event.body(),
        vendor_id=statement.vendor_id,
        object_ref=event.contract_ref,
        found_by="statement",
    )
    if not receive(uow, arrival=arrival).same_body:
        # The line was settled before, when the events said something else.
        arrival = replace(arrival, event_id=f"{name}-{known.difference.public_id}")
        receive(uow, arrival=arrival)
    uow.published = True
    return arrival.event_id


def _missing(known: Known, customer_ref: str) -> Event | None:
    line = known.line
    if line is None or (line.type in OPENING and not _service(known)):
        return None
    if (line.type == "service.refunded" and not line.share) or (
        line.type == "service.changed" and not line.size_thousandths
    ):
        return None
    return Event(
        type=line.type,
        occurred_at=line.occurred_at,
        customer_ref=line.customer_ref or customer_ref,
        contract_ref=line.contract_ref,
        consultant_code=line.consultant_code,
        service_code=_service(known),
        size_thousandths=line.size_thousandths,
        signed_on=line.signed_on,
        sold_in=line.sold_in,
        period=line.period if line.type in OF_A_MONTH else None,
        share=line.share if line.type == "service.refunded" else None,
    )


def _different(known: Known, customer_ref: str) -> Event | None:
    line, fact = known.line, known.fact
    if line is None or fact is None or not known.difference.fields.keys() & BOOKABLE:
        return None
    just_after = fact.occurred_at + JUST_AFTER * known.turn
    event = Event(
        type="service.changed" if fact.type in _SIZED else fact.type,
        occurred_at=just_after,
        customer_ref=customer_ref,
        contract_ref=line.contract_ref,
        size_thousandths=line.size_thousandths,
        period=fact.period,
        share=line.share if fact.type == "service.refunded" else None,
    )
    return event if fact.type in SIZED | {"service.refunded"} else None


def _extra(known: Known, customer_ref: str) -> Event | None:
    """What takes an event back that the statement does not name.

    A contract that reached something it should not have is cancelled from that moment on, a renewed month is
    refunded whole, a change of size goes back to the size before it.
    """
    fact = known.fact
    if fact is None:
        return None
    event = Event("service.cancelled", fact.occurred_at, customer_ref, known.difference.contract_ref)
    if fact.type in OPENING:
        return event
    if fact.type == "service.renewed":
        return replace(event, type="service.refunded", period=fact.period, share=10_000)
    if fact.type == "service.changed" and known.size_before:
        just_after = fact.occurred_at + JUST_AFTER * known.turn
        return replace(event, type=fact.type, occurred_at=just_after, size_thousandths=known.size_before)
    return None


def _turn(session: Session, statement: Statement, contract_ref: str) -> int:
    """Later corrections of the same thing come after earlier ones."""
    made = (
        select(func.count())
        .select_from(StatementDifference)
        .join(Statement, Statement.id == StatementDifference.statement_id)
        .where(
            Statement.vendor_id == statement.vendor_id,
            StatementDifference.contract_ref == contract_ref,
            StatementDifference.event_id.is_not(None),
        )
    )
    return 1 + (session.scalar(made) or 0)


def _size_before(session: Session, fact: ContractFact) -> int | None:
    earlier = select(ContractFact.size_thousandths).where(
        ContractFact.contract_id == fact.contract_id,
        ContractFact.type.in_(_SIZED),
        ContractFact.size_thousandths.is_not(None),
        ContractFact.occurred_at < fact.occurred_at,
    )
    return session.scalar(earlier.order_by(ContractFact.occurred_at.desc(), ContractFact.id.desc()).limit(1))


def _service(known: Known) -> str | None:
    if known.line is not None and known.line.service_code:
        return known.line.service_code
    return known.contract.service.code if known.contract else None
