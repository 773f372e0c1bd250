"""Leads without a consultant: offered to one after the other until somebody takes them.

Whoever moves an offer holds the lead's row, so that two at once make one offer and one answer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.facts import LeadOffered
from portal.kernel.ids import new_id
from portal.leads.criteria import asked_by
from portal.leads.ranking import ensure_rule, ranked, shut_out_by, unmet_by
from portal.leads.service import OVER
from portal.leads.signing_up import has_signed_up, register_customer
from portal.leads.steps import add_step
from portal.models import Consultant, Lead, LeadOffer, LeadStep
from portal.store import UnitOfWork, people
from portal.store.locks import advisory, lock_row

GONE = "This lead went on to somebody else, because the time to answer was over."
LONGEST_REASON = 200
# Why a lead waits for the company: kept in its history, shown on the list.
STOPPED, NOBODY_LEFT = "stopped", "nobody"


class Unfit(BadInput):
    """Somebody whom a rule shuts out is given a lead without a reason; `unmet` are the rules' codes."""

    def __init__(self, unmet: list[str]) -> None:
        super().__init__(
            "A rule speaks against this. Please say why they get it all the same.", field="reason"
        )
        self.unmet = unmet


def route(uow: UnitOfWork, *, lead_id: int) -> LeadOffer | None:
    """Offer a lead to the best consultant who was not asked yet; None where there is nobody, or no need.

    Nothing happens while an offer stands. Publishes `lead.offered`.
    """
    lead = lock_row(uow, Lead, lead_id)
    if not _is_unrouted(lead) or _standing(uow, lead) is not None:
        return None
    if people.is_stopped(uow.session, lead.person):
        _leave_to_company(uow, lead, STOPPED)
        return None
    # One lead at a time is ranked: each sees what the one before it gave people to do.
    advisory(uow, "lead-routing")
    rule = ensure_rule(uow)
    asked = asked_by(uow.session, lead, uow.clock())
    best = ranked(uow.session, rule, asked, lead_id=lead.id, most=1)
    if not best:
        _leave_to_company(uow, lead, shut_out_by(uow.session, rule, asked) or NOBODY_LEFT)
        return None
    rank = uow.session.scalar(select(func.count()).where(LeadOffer.lead_id == lead.id)) or 0
    offer = LeadOffer(
        public_id=new_id(),
        lead_id=lead.id,
        consultant_id=best[0].consultant.id,
        rule_id=rule.id,
        rank=rank + 1,
        reasons=best[0].reasons,
        state="open",
        offered_at=uow.clock(),
        respond_by=uow.clock() + timedelta(hours=rule.answer_hours),
    )
    uow.session.add(offer)
    uow.session.flush()
    add_step(uow, lead, "offer", offer=offer.public_id, rank=offer.rank)
    uow.publish(LeadOffered(offer_id=offer.id), key=f"offer-{offer.id}-made")
    return offer


def accept(uow: UnitOfWork, *, public_id: str, consultant_id: int, actor_id: int) -> Lead:
    """Take a lead that was offered. Raises `NotYours`; `Conflict` once it went on to somebody else."""
    lead, offer = _locked(uow, public_id, consultant_id)
    if offer.state == "accepted":
        return lead
    if offer.state != "open" or offer.respond_by <= uow.clock():
        raise Conflict(GONE)
    _answer(uow, offer, "accepted")
    add_step(uow, lead, "accepted", actor_id=actor_id, consultant_id=consultant_id)
    _give(uow, lead, consultant_id)
    return lead


def decline(uow: UnitOfWork, *, public_id: str, consultant_id: int, actor_id: int) -> None:
    """Say no; the next one is asked at once. Raises `NotYours`, and `Conflict` for a lead one took."""
    lead, offer = _locked(uow, public_id, consultant_id)
    if offer.state == "accepted":
        raise Conflict("You have taken this lead already.")
    if offer.state == "open":
        _answer(uow, offer, "declined")
        add_step(uow, lead, "declined", actor_id=actor_id, offer=offer.public_id)
        route(uow, lead_id=lead.id)


def assign(uow: UnitOfWork, *, lead_id: int, code: str, actor_id: int, reason: str = "") -> None:
    """Give a lead to a consultant by hand; against a rule, such as a licence, with a reason.

    Raises `BadInput` for a code nobody active has, `Unfit` for a reason that is missing, `Conflict`.
    """
    lead = lock_row(uow, Lead, lead_id)
    if not _is_unrouted(lead):
        raise Conflict("This lead has a consultant already.", field="code")
    wanted = (Consultant.code == code.strip().upper(), Consultant.status == "active")
    consultant = uow.session.scalar(select(Consultant).where(*wanted))
    if consultant is None:
        raise BadInput("Nobody active has this code.", field="code")
    unmet, reason = _unmet(uow, lead, consultant.id), " ".join(reason.split())[:LONGEST_REASON]
    if unmet and not reason:
        raise Unfit(unmet)
    standing = _standing(uow, lead)
    if standing is not None:
        _answer(uow, standing, "withdrawn")
    add_step(uow, lead, "assigned", text=reason, actor_id=actor_id, consultant_id=consultant.id)
    _give(uow, lead, consultant.id)
    about: dict[str, object] = {"consultant": consultant.id, "unmet": unmet}
    uow.note("lead.assign", thing="lead", thing_id=lead.id, actor_id=actor_id, **about)


def expire_next(uow: UnitOfWork) -> bool:
    """End the offer that waited longest beyond its time and ask the next one; False where none is due.

    One in each unit of work: a lead is always locked before the ranking is.
    """
    due = select(LeadOffer.lead_id).where(LeadOffer.state == "open", LeadOffer.respond_by <= uow.clock())
    lead_id = uow.session.scalar(due.order_by(LeadOffer.respond_by, LeadOffer.id).limit(1))
    if lead_id is None:
        return False
    lead = lock_row(uow, Lead, lead_id)
    offer = _standing(uow, lead)
    # Somebody else may have answered or ended it while the lead was waited for.
    if offer is not None and offer.respond_by <= uow.clock():
        _answer(uow, offer, "expired")
        add_step(uow, lead, "expired", offer=offer.public_id)
        route(uow, lead_id=lead.id)
    return True


def unrouted() -> Select[Any]:
    """Open leads that nobody has and nobody is asked about: those that wait for the company."""
    asked = select(LeadOffer.id).where(LeadOffer.lead_id == Lead.id, LeadOffer.state == "open").exists()
    open_ones = (Lead.consultant_id.is_(None), Lead.archived_at.is_(None), Lead.stage.not_in(OVER))
    return select(Lead).where(*open_ones, ~asked).order_by(Lead.id)


def _is_unrouted(lead: Lead) -> bool:
    return lead.consultant_id is None and lead.archived_at is None and lead.stage not in OVER


def _unmet(uow: UnitOfWork, lead: Lead, consultant_id: int) -> list[str]:
    """What speaks against giving a lead to somebody."""
    asked = asked_by(uow.session, lead, uow.clock())
    stopped = [STOPPED] if people.is_stopped(uow.session, lead.person) else []
    return stopped + unmet_by(uow.session, asked, consultant_id=consultant_id)


def _standing(uow: UnitOfWork, lead: Lead) -> LeadOffer | None:
    """The offer that waits for an answer; the lead is locked."""
    mine = (LeadOffer.lead_id == lead.id, LeadOffer.state == "open")
    fresh = select(LeadOffer).where(*mine).execution_options(populate_existing=True)
    return uow.session.scalars(fresh).unique().one_or_none()


def _locked(uow: UnitOfWork, public_id: str, consultant_id: int) -> tuple[Lead, LeadOffer]:
    """An offer of a consultant with its lead, which is locked first, as everywhere. Raises `NotYours`."""
    mine = select(LeadOffer).where(LeadOffer.public_id == public_id, LeadOffer.consultant_id == consultant_id)
    known = uow.session.scalars(mine).unique().one_or_none()
    if known is None:
        raise NotYours("There is nothing here under this address.")
    lead = lock_row(uow, Lead, known.lead_id)
    fresh = mine.execution_options(populate_existing=True)
    return lead, uow.session.scalars(fresh).unique().one()


def _answer(uow: UnitOfWork, offer: LeadOffer, state: str) -> None:
    offer.state, offer.answered_at = state, uow.clock()
    uow.session.flush()


def _give(uow: UnitOfWork, lead: Lead, consultant_id: int) -> None:
    """The lead is this consultant's; who signed up becomes their customer."""
    lead.consultant_id = consultant_id
    uow.session.flush()
    if lead.customer_id is None and lead.service_id is not None and has_signed_up(uow, lead):
        register_customer(uow, lead)


def _leave_to_company(uow: UnitOfWork, lead: Lead, why: str) -> None:
    """Write down why nobody is asked, unless that is what was written last."""
    newest = select(LeadStep).where(LeadStep.lead_id == lead.id).order_by(LeadStep.id.desc()).limit(1)
    last = uow.session.scalar(newest)
    if last is None or last.kind != "unrouted" or last.detail.get("why") != why:
        add_step(uow, lead, "unrouted", why=why)
