"""The history of a lead: added to, never changed."""

from __future__ import annotations

from typing import Final

from portal.kernel.errors import NotYours
from portal.models import Lead, LeadStep
from portal.store import UnitOfWork
from portal.store.locks import lock_where

LONGEST_NOTE: Final = 2_000


def add_step(
    uow: UnitOfWork, lead: Lead, kind: str, *, text: str = "", actor_id: int | None = None, **detail: object
) -> LeadStep:
    """One line of a lead's history; the lead counts as changed now."""
    step = LeadStep(lead_id=lead.id, kind=kind, text=text, detail=detail, actor_id=actor_id, at=uow.clock())
    uow.session.add(step)
    lead.changed_at = uow.clock()
    uow.session.flush()
    return step


def move(
    uow: UnitOfWork, lead: Lead, stage: str, *, reason: str = "", actor_id: int | None = None
) -> LeadStep:
    """Put a lead on a stage and write down where it stood; a reason is kept for what is lost.

    Without an actor it is the vendor's report that moved it.
    """
    was, lead.stage = lead.stage, stage
    lead.lost_reason = reason or None
    return add_step(uow, lead, "stage", text=reason, actor_id=actor_id, was=was, now=stage)


def locked_lead(uow: UnitOfWork, public_id: str, *, consultant_id: int) -> Lead:
    """A consultant's own lead, locked. Raises `NotYours`."""
    own = (Lead.public_id == public_id, Lead.consultant_id == consultant_id)
    lead = lock_where(uow, Lead, *own)
    if lead is None:
        raise NotYours("There is nothing here under this address.")
    return lead
