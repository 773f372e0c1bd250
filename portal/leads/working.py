"""What a consultant does with an own lead: stages, notes, tasks, the archive; each can be seen later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.ids import new_id
from portal.kernel.us import STATES
from portal.leads.steps import LONGEST_NOTE, add_step, locked_lead, move
from portal.models import Lead, LeadStep, LeadTask, Service
from portal.models.lead import LEAD_STAGES
from portal.store import UnitOfWork, people
from portal.store.locks import lock_where
from portal.store.people import Contact

UNDO_FOR: Final = timedelta(minutes=10)
LONGEST_REASON: Final = 200
LONGEST_TITLE: Final = 200
GONE: Final = "This cannot be undone any more."


@dataclass(frozen=True)
class Mine:
    """An own lead, and who acts on it."""

    public_id: str
    consultant_id: int
    actor_id: int

    def locked(self, uow: UnitOfWork) -> Lead:
        """The lead, locked. Raises `NotYours`."""
        return locked_lead(uow, self.public_id, consultant_id=self.consultant_id)


def change_stage(uow: UnitOfWork, mine: Mine, *, stage: str, reason: str = "") -> int | None:
    """Put a lead on another stage; the id of the step that can be undone, None where it stood there.

    Raises `BadInput` for a stage there is not, and for a lost lead without a reason.
    """
    lead, reason = mine.locked(uow), " ".join(reason.split())[:LONGEST_REASON]
    if stage not in LEAD_STAGES:
        raise BadInput("There is no such stage.", field="stage")
    if stage == "lost" and not reason:
        raise BadInput("Please say why: it helps with the next one.", field="reason")
    if stage == lead.stage:
        return None
    return move(uow, lead, stage, reason=reason if stage == "lost" else "", actor_id=mine.actor_id).id


def undo_stage(uow: UnitOfWork, mine: Mine, *, step_id: int) -> None:
    """Put a lead back where it stood, within ten minutes. Raises `Conflict` once it moved on."""
    lead = mine.locked(uow)
    step = last_move(uow, lead)
    if step is None or step.id != step_id or not is_undoable(step, uow):
        raise Conflict(GONE)
    reason = "" if step.detail["was"] != "lost" else "Back to lost"
    move(uow, lead, str(step.detail["was"]), reason=reason, actor_id=mine.actor_id)


def is_undoable(step: LeadStep, uow: UnitOfWork) -> bool:
    """Whether a consultant may still take back a move: their own one, not older than ten minutes."""
    return step.actor_id is not None and uow.clock() - step.at <= UNDO_FOR


def last_move(uow: UnitOfWork, lead: Lead) -> LeadStep | None:
    """The newest change of a lead's stage."""
    moves = select(LeadStep).where(LeadStep.lead_id == lead.id, LeadStep.kind == "stage")
    return uow.session.scalar(moves.order_by(LeadStep.id.desc()).limit(1))


def add_note(uow: UnitOfWork, mine: Mine, *, text: str) -> None:
    """Write something down. Raises `BadInput` for nothing and for too much."""
    text = text.strip()
    if not 1 <= len(text) <= LONGEST_NOTE:
        raise BadInput(f"Please write a note of up to {LONGEST_NOTE:,} letters.", field="text")
    add_step(uow, mine.locked(uow), "note", text=text, actor_id=mine.actor_id)


def add_task(uow: UnitOfWork, mine: Mine, *, title: str, due_on: date) -> LeadTask:
    """Something to do by a day. Raises `BadInput`."""
    lead, title = mine.locked(uow), " ".join(title.split())
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise BadInput("Please say what is to be done.", field="title")
    task = LeadTask(
        public_id=new_id(),
        lead_id=lead.id,
        title=title,
        due_on=due_on,
        created_by=mine.actor_id,
        created_at=uow.clock(),
    )
    uow.session.add(task)
    add_step(uow, lead, "task", text=title, actor_id=mine.actor_id, due_on=due_on.isoformat())
    return task


def finish_task(uow: UnitOfWork, mine: Mine, *, task_id: str, done: bool = True) -> None:
    """Tick a task off, or take the tick away again. Raises `NotYours`."""
    lead = mine.locked(uow)
    task = lock_where(uow, LeadTask, LeadTask.public_id == task_id, LeadTask.lead_id == lead.id)
    if task is None:
        raise NotYours("There is nothing here under this address.")
    if done == (task.done_at is not None):
        return
    task.done_at = uow.clock() if done else None
    add_step(uow, lead, "task_done" if done else "task_again", text=task.title, actor_id=mine.actor_id)


def archive(uow: UnitOfWork, mine: Mine, *, archived: bool = True) -> None:
    """Put a lead away, or take it out again."""
    lead = mine.locked(uow)
    if archived == (lead.archived_at is not None):
        return
    lead.archived_at = uow.clock() if archived else None
    add_step(uow, lead, "archived" if archived else "restored", actor_id=mine.actor_id)


def change_details(uow: UnitOfWork, mine: Mine, *, contact: Contact, service_id: int | None) -> None:
    """Correct who a lead is and what they ask for. Raises `BadInput` naming the field.

    Who signed up wrote that themselves: only what they left empty can be filled in. Who is not to be
    contacted gets no other e-mail or number, by which they would be.
    """
    lead = mine.locked(uow)
    if contact.region and contact.region not in STATES:
        raise BadInput("Please choose one of the states.", field="region")
    if service_id is not None and uow.session.get(Service, service_id) is None:
        raise BadInput("There is no such service.", field="service")
    person = lead.person
    if lead.customer_id is not None or lead.source == "signup":
        contact = Contact(
            name=person.name,
            email=person.email or contact.email,
            phone=person.phone or contact.phone,
            address=person.address or contact.address,
            region=person.region or contact.region,
        )
        service_id = lead.service_id or service_id
    if people.is_stopped(uow.session, person):
        contact = replace(contact, email="", phone="")
    people.keep_contact(person, contact)
    lead.service_id, lead.region = service_id, person.region
    add_step(uow, lead, "details", actor_id=mine.actor_id)
