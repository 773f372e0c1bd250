"""A pay plan on its way: a draft, a proposal with its reasons, and live by the yes of a second person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.plans.check import Finding, company, document_check
from portal.commissions.plans.starts import coming_versions
from portal.commissions.plans.versions import add_plan
from portal.commissions.rhythms import cycles_ahead
from portal.engine import Refused
from portal.kernel.errors import BadInput, Conflict, DomainError
from portal.kernel.ids import new_id
from portal.models import AccountUser, Cycle, Person, PlanDraft, PlanVersion
from portal.store import UnitOfWork
from portal.store.locks import lock_row, lock_where

LONGEST_REASON = 500
SHORTEST_REASON = 10
STARTS_OFFERED = 12


def make_draft(uow: UnitOfWork, *, version_id: int, actor_id: int) -> PlanDraft:
    """Begin a draft with everything that a version says."""
    version = uow.session.get_one(PlanVersion, version_id)
    now = uow.clock()
    draft = PlanDraft(
        public_id=new_id(),
        name=version.name,
        document=dict(version.document),
        based_on_id=version.id,
        state="draft",
        made_by=actor_id,
        made_at=now,
        changed_at=now,
    )
    uow.session.add(draft)
    uow.session.flush()
    uow.note("plan.draft", thing="plan_draft", thing_id=draft.id, actor_id=actor_id, version=version.id)
    return draft


def write_draft(
    uow: UnitOfWork, document: Mapping[str, Any], *, draft_id: int, actor_id: int, seen: str
) -> PlanDraft:
    """Keep a draft as it was written; it may still have faults. `seen` is the mark of what was on the screen.

    Raises `Conflict` once it was proposed, and when somebody else wrote in it meanwhile.
    """
    draft = _in_state(uow, draft_id, "draft")
    if seen != mark(draft):
        raise Conflict("Somebody else changed this draft meanwhile. Nothing of yours was kept yet.")
    if draft.document != document:
        draft.document = dict(document)
        name = document.get("name")
        draft.name = name if isinstance(name, str) and name else "Plan"
        draft.changed_at = uow.clock()
        uow.note("plan.write", thing="plan_draft", thing_id=draft.id, actor_id=actor_id)
    return draft


def mark(draft: PlanDraft) -> str:
    """Tells one state of a draft's text from another."""
    return draft.changed_at.isoformat()


def discard(uow: UnitOfWork, *, draft_id: int, actor_id: int) -> None:
    """Put a draft away; it stays readable. Raises `Conflict` once it was proposed."""
    draft = _in_state(uow, draft_id, "draft")
    draft.state = "discarded"
    uow.note("plan.discard", thing="plan_draft", thing_id=draft.id, actor_id=actor_id)


def starts_ahead(session: Session, zone: ZoneInfo) -> list[datetime]:
    """The next cycle starts from which a plan can hold: the open cycle keeps its own."""
    return [cycle.starts_at for cycle in islice(cycles_ahead(session, zone), STARTS_OFFERED)]


@dataclass(frozen=True)
class Proposal:
    """From which cycle start on a draft shall hold; `said` has the `reason` and an answer to each warning."""

    draft_id: int
    starts_at: datetime
    said: Mapping[str, str]


def propose(uow: UnitOfWork, proposal: Proposal, *, zone: ZoneInfo, actor_id: int) -> None:
    """Ask for a second person's yes.

    Raises `BadInput` at the field that stands in the way, `Conflict` when it was proposed before and, at the
    field, when another version begins with that cycle.
    """
    said, draft_id, starts_at = proposal.said, proposal.draft_id, proposal.starts_at
    draft = _in_state(uow, draft_id, "draft")
    found = checked(uow.session, draft)
    answers = {finding.code: _sentence(said, finding.code) for finding in found if not finding.refused}
    draft.reason = _sentence(said, "reason")
    _check_start(uow, starts_at, zone)
    draft.answers, draft.starts_at, draft.state = answers, starts_at, "proposed"
    draft.proposed_by, draft.proposed_at = actor_id, uow.clock()
    draft.decided_by = draft.decided_at = draft.decision = None
    uow.note(
        "plan.propose",
        thing="plan_draft",
        thing_id=draft.id,
        actor_id=actor_id,
        starts_at=starts_at.isoformat(),
        warnings=sorted(answers),
    )


def checked(session: Session, draft: PlanDraft) -> list[Finding]:
    """The findings about a draft. Raises `BadInput` where it cannot be right or must not go live."""
    try:
        found = document_check(cast(dict[str, Any], draft.document), company(session))
    except Refused as refused:
        raise BadInput(f"Faults in the plan: {len(refused.faults)}. Please put them right.") from None
    for finding in found:
        if finding.refused:
            raise BadInput(finding.text)
    return found


def withdraw(uow: UnitOfWork, *, draft_id: int, actor_id: int) -> None:
    """Take a proposal back before somebody agreed to it. Raises `Conflict` when it is no proposal."""
    draft = _in_state(uow, draft_id, "proposed")
    draft.state = "draft"
    draft.starts_at = draft.proposed_by = draft.proposed_at = None
    uow.note("plan.withdraw", thing="plan_draft", thing_id=draft.id, actor_id=actor_id)


def approve(uow: UnitOfWork, *, draft_id: int, zone: ZoneInfo, actor_id: int) -> PlanVersion:
    """Agree: the draft becomes a version that holds from its start on.

    Raises `DomainError` for whoever proposed it, `Conflict` when its start has passed or is none any more,
    when another version begins with that cycle, or when it is no proposal.
    """
    draft = _in_state(uow, draft_id, "proposed")
    _check_other(draft, actor_id)
    starts_at = cast(datetime, draft.starts_at)
    _check_start(uow, starts_at, zone)
    checked(uow.session, draft)
    version = add_plan(uow, cast(dict[str, Any], draft.document), valid_from=starts_at)
    draft.state, draft.plan_version_id = "live", version.id
    draft.decided_by, draft.decided_at = actor_id, uow.clock()
    uow.note(
        "plan.approve",
        thing="plan_version",
        thing_id=version.id,
        actor_id=actor_id,
        draft=draft.id,
        sha256=version.sha256,
        starts_at=starts_at.isoformat(),
    )
    return version


def reject(uow: UnitOfWork, *, draft_id: int, actor_id: int, decision: str) -> None:
    """Do not agree, and say why; the draft can be written on.

    Raises `BadInput` without a reason, `DomainError` for whoever proposed it, `Conflict` where nothing was.
    """
    draft = _in_state(uow, draft_id, "proposed")
    _check_other(draft, actor_id)
    draft.decision = _sentence({"decision": decision}, "decision")
    draft.state = "draft"
    draft.decided_by, draft.decided_at = actor_id, uow.clock()
    uow.note("plan.reject", thing="plan_draft", thing_id=draft.id, actor_id=actor_id)


def proposed_plans(session: Session) -> list[PlanDraft]:
    """The drafts that wait for a second person, the oldest first."""
    waiting = select(PlanDraft).where(PlanDraft.state == "proposed").order_by(PlanDraft.proposed_at)
    return list(session.scalars(waiting))


def people_of(session: Session, draft: PlanDraft) -> dict[str, str]:
    """The names of who made, proposed and decided."""
    ids = {"made": draft.made_by, "proposed": draft.proposed_by, "decided": draft.decided_by}
    rows = session.execute(
        select(AccountUser.id, Person.name)
        .join(Person, Person.id == AccountUser.person_id)
        .where(AccountUser.id.in_([user_id for user_id in ids.values() if user_id]))
    )
    names = {row.id: row.name for row in rows}
    return {what: names[user_id] for what, user_id in ids.items() if user_id}


def _in_state(uow: UnitOfWork, draft_id: int, state: str) -> PlanDraft:
    draft = lock_row(uow, PlanDraft, draft_id)
    if draft.state != state:
        says = {"draft": "is being written", "proposed": "was proposed", "live": "is live"}
        raise Conflict(f"This draft {says.get(draft.state, 'was put away')}. Please look at it again.")
    return draft


def _check_other(draft: PlanDraft, actor_id: int) -> None:
    if draft.proposed_by == actor_id:
        raise DomainError("You proposed this plan. A second person has to decide on it.")


def _check_start(uow: UnitOfWork, starts_at: datetime, zone: ZoneInfo) -> None:
    """A cycle begins there, and with no other plan; the open cycle's row is locked until that is kept."""
    cycle = lock_where(uow, Cycle, Cycle.state == "open")
    if cycle is None or starts_at < cycle.until:
        raise Conflict("That cycle has begun; it keeps its plan. Please choose a later start.")
    ahead = cycles_ahead(uow.session, zone)
    if next(each for each in ahead if each.starts_at >= starts_at).starts_at != starts_at:
        raise Conflict(
            "No cycle begins then any more, because the length of cycles was changed. "
            "Please choose another start.",
            field="starts_at",
        )
    for coming in coming_versions(uow.session, zone):
        if coming.cycle.starts_at == starts_at:
            raise Conflict(
                f"Version {coming.version.id}, {coming.version.name}, was agreed to and begins then already. "
                "Please choose another start.",
                field="starts_at",
            )


def _sentence(said: Mapping[str, str], name: str) -> str:
    text = said.get(name, "").strip()
    if not SHORTEST_REASON <= len(text) <= LONGEST_REASON:
        raise BadInput(f"Please write a reason of {SHORTEST_REASON} to {LONGEST_REASON} letters.", field=name)
    return text
