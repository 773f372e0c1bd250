"""Leads from a file: all of them or none, each with what stands against taking it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from portal.kernel.errors import Conflict
from portal.leads.enquiries import Enquiry
from portal.leads.service import add_lead
from portal.models import Customer, Lead, Person
from portal.store import UnitOfWork, people
from portal.store.locks import advisory
from portal.store.people import Contact

MOST_ROWS: Final = 1_000


@dataclass(frozen=True)
class Row:
    """A line of a file. `against` is `yours`, `twice` (line `other` has the same), `stopped`, or empty."""

    line: int
    contact: Contact
    service_id: int | None
    note: str
    against: str = ""
    other: int = 0


@dataclass(frozen=True)
class Into:
    """On whose desk the rows of a file are put, by whom, and what the file is called."""

    consultant_id: int
    actor_id: int
    file_name: str = ""


def looked_up(session: Session, rows: Sequence[Row], *, consultant_id: int) -> list[Row]:
    """The rows with what stands against each: known already, twice in the file, not to be contacted."""
    known = _marks_of_own(session, consultant_id)
    stops = people.stopped_marks(session, set().union(*(_marks(row.contact) for row in rows)))
    seen: dict[str, int] = {}
    found = []
    for row in rows:
        marks = _marks(row.contact)
        other = next((seen[mark] for mark in marks if mark in seen), 0)
        against = "yours" if marks & known else "twice" if other else ""
        against = "stopped" if marks & stops else against
        found.append(Row(row.line, row.contact, row.service_id, row.note, against, other))
        seen |= {mark: row.line for mark in marks if mark not in seen}
    return found


def take_rows(uow: UnitOfWork, rows: Sequence[Row], *, into: Into, anyway: Collection[int]) -> int:
    """Take every row that nothing stands against, and those of the lines in `anyway`; how many.

    Nobody is taken who must not be contacted. Raises `Conflict` for more rows than a file may have.
    """
    if len(rows) > MOST_ROWS:
        raise Conflict(f"A file may have at most {MOST_ROWS:,} lines.")
    advisory(uow, f"lead-import-{into.consultant_id}")
    taken = 0
    for row in looked_up(uow.session, rows, consultant_id=into.consultant_id):
        if row.against == "stopped" or (row.against and row.line not in anyway):
            continue
        enquiry = Enquiry(
            contact=row.contact,
            source="import",
            service_id=row.service_id,
            consultant_id=into.consultant_id,
            note=row.note,
            source_name=into.file_name,
        )
        person = people.add_person(uow, row.contact)
        add_lead(uow, enquiry, person, stage="new", actor_id=into.actor_id)
        taken += 1
    uow.note(
        "leads.import",
        thing="consultant",
        thing_id=into.consultant_id,
        actor_id=into.actor_id,
        taken=taken,
        file=into.file_name,
    )
    return taken


def _marks(contact: Contact) -> set[str]:
    marks = (people.mark_of(people.EMAIL, contact.email), people.mark_of(people.PHONE, contact.phone))
    return {mark for mark in marks if mark}


def _marks_of_own(session: Session, consultant_id: int) -> set[str]:
    """The marks of everybody a consultant has as a lead or as a customer."""
    leads = select(Lead.person_id).where(Lead.consultant_id == consultant_id, Lead.archived_at.is_(None))
    customers: Select[Any] = select(Customer.person_id).where(Customer.consultant_id == consultant_id)
    theirs = Person.id.in_(union(leads, customers))
    marks: set[str] = set()
    for person in session.scalars(select(Person).where(theirs)):
        marks |= set(people.marks_of(person).values())
    return marks
