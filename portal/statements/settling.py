"""Settling a difference: a person decides, what follows is booked by an event, and everything is noted.

The books themselves are never touched here. Taking the statement's word, or taking back what it does not
name, puts an event into the inbox; the code that books what vendors send books that too.
"""

from __future__ import annotations

from dataclasses import replace

from portal.kernel.errors import BadInput, Conflict
from portal.kernel.vendor_events import WITHDRAWN
from portal.models import Inbox, Statement, StatementDifference
from portal.statements.differences import ASKED
from portal.statements.events import BOOKABLE, event_of
from portal.statements.known import Known, known_of
from portal.statements.questions import plain, put_question
from portal.store import UnitOfWork
from portal.store.inbox import Arrival, receive, replay, vendor_source
from portal.store.locks import lock_row, lock_where

THEIRS, REVERSE, KEEP, ASK = "statement", "reverse", "keep", ASKED
CHOICES = (THEIRS, REVERSE, KEEP, ASK)
BOOKED_BY = {"missing": THEIRS, "different": THEIRS, "extra": REVERSE}
LONGEST_NOTE = 500
FOLLOWS = frozenset({"revenue"})


def choices(known: Known) -> tuple[str, ...]:
    """What may be chosen for a difference, the one that books first."""
    booking = BOOKED_BY[known.difference.kind]
    return (booking, KEEP, ASK) if event_of(known) is not None else (KEEP, ASK)


def at_once(known: Known) -> str | None:
    """The choice that books a difference and needs no reason; lists offer it as a button."""
    first = choices(known)[0]
    return first if first in (THEIRS, REVERSE) and not leaves_ours(known, first) else None


def leaves_ours(known: Known, choice: str) -> bool:
    """Whether a choice keeps anything of ours that the statement says otherwise: then it needs a reason."""
    if choice != THEIRS or known.difference.kind != "different":
        return choice == KEEP
    return bool(known.difference.fields.keys() - BOOKABLE - FOLLOWS)


def settle(
    uow: UnitOfWork, *, difference_id: int, choice: str, note: str, actor_id: int
) -> StatementDifference:
    """Settle a difference, or ask the vendor about it, which leaves it open.

    One that was settled by an event that was given up is settled again. Raises `BadInput` for a choice that
    is none and where a reason is missing, `Conflict` where it was settled meanwhile or a later statement
    replaced this one.
    """
    difference = lock_row(uow, StatementDifference, difference_id)
    statement = uow.session.get_one(Statement, difference.statement_id)
    known, said = known_of(uow.session, statement, difference), plain(note)
    if not known.is_open:
        raise Conflict("Somebody settled this already.")
    if statement.replaced_at is not None:
        raise Conflict("A later statement of this day replaced the one this is about.")
    if choice not in choices(known):
        raise BadInput("Please choose what should happen.", field="choice")
    check_note(said, needed=choice == ASK or leaves_ours(known, choice))
    difference.event_id = _tell(uow, known, said, actor_id) if choice in (THEIRS, REVERSE) else None
    difference.choice, difference.note, difference.settled_by = choice, said or None, actor_id
    difference.settled_at = None if choice == ASK else uow.clock()
    if choice == ASK:
        difference.note = None
        put_question(uow, difference, text=said, actor_id=actor_id)
    uow.note(
        "difference settled" if choice != ASK else "difference asked about",
        thing="statement_difference",
        thing_id=difference.id,
        actor_id=actor_id,
        choice=choice,
    )
    uow.session.flush()
    return difference


def check_note(said: str, *, needed: bool) -> None:
    """A reason or a question. Raises `BadInput` where it is too long, or missing where it is needed."""
    if len(said) > LONGEST_NOTE:
        raise BadInput(f"Please use at most {LONGEST_NOTE} characters.", field="note")
    if needed and not said:
        raise BadInput("Please write why.", field="note")


def _tell(uow: UnitOfWork, known: Known, said: str, actor_id: int) -> str:
    """Put the event into the inbox, or have the one that was given up tried again; its id."""
    event, statement = event_of(known), known.statement
    assert event is not None, "the choice was offered because there is one"
    if event.type == WITHDRAWN:
        event = replace(event, by=actor_id, reason=f"{event.reason} {said}".strip())
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
    receipt = receive(uow, arrival=arrival)
    if not receipt.same_body:
        # The line was settled before, when the events said something else.
        arrival = replace(arrival, event_id=f"{name}-{known.difference.public_id}")
        receipt = receive(uow, arrival=arrival)
    if not receipt.is_new:
        _again(uow, arrival, actor_id)
    uow.published = True
    return arrival.event_id


def _again(uow: UnitOfWork, arrival: Arrival, actor_id: int) -> None:
    row = lock_where(uow, Inbox, Inbox.source == arrival.source, Inbox.event_id == arrival.event_id)
    if row is not None and row.state == "dead":
        replay(uow, source=arrival.source, inbox_id=row.id, actor_id=actor_id)
