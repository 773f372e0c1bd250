"""The demo's leads: Maya's pipeline in every stage, her tasks, and a lead that waits for her answer."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

from sqlalchemy import select

from portal.cli.demo.calendar import Calendar
from portal.cli.demo.network import MAYA
from portal.cli.demo.rows import Known
from portal.cli.demo.weeks import quietly
from portal.kernel.ids import new_id
from portal.leads import consents, ranking, working
from portal.leads.consents import CONTACT, SIGNUP, Said
from portal.leads.criteria import asked_by
from portal.leads.enquiries import Enquiry
from portal.leads.offers import route
from portal.leads.service import take_lead
from portal.leads.signing_up import SignUp, sign_up
from portal.leads.stopping import stop_contact
from portal.leads.working import Mine
from portal.models import AccountUser, Consultant, Lead, Person
from portal.store import UnitOfWork
from portal.store.people import Contact

# Name, digits of the phone, place of the offer, stage, days ago, note, something to do and in how many days.
PIPELINE = (
    (
        "Dana Reed",
        "0142",
        0,
        "new",
        1,
        "Met at the farmers' market, wants to know the cost.",
        ("Call back", 0),
    ),
    ("Eli Stone", "0143", 0, "contacted", 4, "Prefers text messages.", ("Send the brochure", -2)),
    ("Zoe Park", "0144", 1, "appointment", 6, "Thursday at six, bring samples.", ("Visit", 2)),
    ("Omar Haddad", "0145", 2, "proposal", 9, "Compares two offers.", ("Ask about the offer", 1)),
    ("Lena Fischer", "0146", 0, "signed", 15, "Roof faces south.", None),
    ("Ruth Okafor", "0147", 3, "won", 30, "Cameras at both doors.", None),
    ("Ian Cole", "0148", 0, "lost", 21, "", None),
    ("Nadia Rossi", "0149", 1, "contacted", 12, "", None),
)
LOST = "Rents the house."
STOPPED = "Nadia Rossi"
_HOME = "18 Juniper St, Denver CO 80202"


def add_leads(calendar: Calendar, known: Known) -> None:
    """Write them, each at its day."""
    quietly(consents.ensure_texts, at=calendar.now - timedelta(days=40))
    for name, digits, offer, stage, days, note, to_do in PIPELINE:
        contact = Contact(name, f"{name.split()[0].lower()}@example.com", f"303-555-{digits}", _HOME, "CO")
        enquiry = Enquiry(contact, "hand", known.offers[offer].service_id, known.sellers[MAYA], note=note)
        due = (to_do[0], (calendar.now + timedelta(days=to_do[1])).date()) if to_do else None
        add = partial(_add, enquiry=enquiry, stage=stage, to_do=due)
        quietly(add, at=calendar.now - timedelta(days=days))
    quietly(partial(_sign_up, known=known), at=calendar.now - timedelta(hours=7))
    quietly(partial(_offer, known=known), at=calendar.now - timedelta(hours=3))
    quietly(partial(_same_for_the_same_seed, known=known), at=calendar.now)


def _add(uow: UnitOfWork, *, enquiry: Enquiry, stage: str, to_do: tuple[str, date] | None) -> None:
    maya = uow.session.get_one(Consultant, enquiry.consultant_id)
    user_id = uow.session.scalars(select(AccountUser.id).where(AccountUser.person_id == maya.person_id)).one()
    lead = take_lead(uow, enquiry=enquiry, actor_id=user_id).lead
    mine = Mine(lead.public_id, maya.id, user_id)
    if stage != "new":
        working.change_stage(uow, mine, stage=stage, reason=LOST if stage == "lost" else "")
    if to_do is not None:
        working.add_task(uow, mine, title=to_do[0], due_on=to_do[1])
    if enquiry.contact.name == STOPPED:
        stop_contact(uow, lead.person, reason="Does not want more calls", actor_id=user_id)


def _sign_up(uow: UnitOfWork, *, known: Known) -> None:
    """A customer who signed up on Maya's page, and agreed to both texts."""
    texts = (consents.current_text(uow.session, purpose) for purpose in (SIGNUP, CONTACT))
    said = tuple(Said(text.purpose, text.sha256) for text in texts if text is not None)
    contact = Contact("Grace Nakamura", "grace.nakamura@example.com", "303-555-0150", _HOME, "CO")
    signup = SignUp(contact, known.offers[0].service_id, known.sellers[MAYA], 8_400, said, new_id())
    sign_up(uow, signup=signup)


def _offer(uow: UnitOfWork, *, known: Known) -> None:
    """A lead that came by a form and waits for Maya, with what the rule says of her."""
    contact = Contact("Priscilla Boone", "priscilla@example.com", "303-555-0151", "", "CO")
    enquiry = Enquiry(contact, "form", known.offers[0].service_id, source_name="Our website")
    lead = take_lead(uow, enquiry=enquiry).lead
    offer = route(uow, lead_id=lead.id)
    assert offer is not None, "there are consultants with a lead desk"
    asked = asked_by(uow.session, lead, uow.clock())
    everybody = ranking.ranked(uow.session, ranking.ensure_rule(uow), asked, most=len(known.sellers))
    maya = next(one for one in everybody if one.consultant.id == known.sellers[MAYA])
    offer.consultant_id, offer.reasons = maya.consultant.id, maya.reasons


def _same_for_the_same_seed(uow: UnitOfWork, *, known: Known) -> None:
    """The services gave the people random public ids; the demo is the same company each time."""
    of_leads = Person.id.in_(select(Lead.person_id))
    for person in uow.session.scalars(select(Person).where(of_leads).order_by(Person.id)):
        person.public_id = known.invented.public_id()
