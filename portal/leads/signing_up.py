"""What the sign-up page does: a person, their consent, a lead, and the customer of one consultant."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import or_, select

from portal.kernel.errors import BadInput
from portal.kernel.facts import CustomerRegistered, CustomerSignedUp
from portal.kernel.ids import new_id
from portal.leads.again import ask_again, keep_other_ways
from portal.leads.consents import Said
from portal.leads.enquiries import Enquiry
from portal.leads.selling import is_served, served_states, terms_of_day
from portal.leads.service import add_lead, hold_person, take_lead
from portal.leads.steps import add_step
from portal.models import Consultant, Customer, Lead, LeadStep, Person, Service
from portal.models.lead import LEAD_STAGES
from portal.store import UnitOfWork, people
from portal.store.locks import lock_all
from portal.store.people import Contact

# They asked for the service themselves; nothing is signed with the vendor yet.
STAGE = "proposal"


@dataclass(frozen=True)
class SignUp:
    """What somebody wrote on the page; `size_thousandths` is 0 where they do not know it.

    `origin` is made with the form, so that a second click finds the first.
    """

    contact: Contact
    service_id: int
    consultant_id: int | None
    size_thousandths: int
    said: tuple[Said, ...]
    origin: str


def sign_up(uow: UnitOfWork, *, signup: SignUp) -> None:
    """Register a customer who signed up, once; whether they were known before is told to nobody.

    Without a consultant the lead is routed, and the customer is registered when somebody takes it. Raises
    `BadInput` where the state is not served, else as `take_lead`.
    """
    service = uow.session.get_one(Service, signup.service_id)
    _check_region(uow, service, signup.contact.region)
    hold_person(uow, signup.contact)
    if uow.session.scalar(select(Lead.id).where(Lead.origin == signup.origin)) is not None:
        return
    known = known_customer(uow, vendor_id=service.vendor_id, contact=signup.contact)
    lead = _lead_of_customer(uow, known, signup) if known else _lead(uow, signup)
    if lead is None or has_signed_up(uow, lead):
        return
    add_step(uow, lead, "signup", size_thousandths=signup.size_thousandths)
    if LEAD_STAGES.index(lead.stage) < LEAD_STAGES.index(STAGE):
        lead.stage = STAGE
    if lead.consultant_id is not None and lead.customer_id is None:
        register_customer(uow, lead)
    uow.publish(CustomerSignedUp(lead_id=lead.id), key=f"lead-{lead.id}-signed-up")


def register_customer(uow: UnitOfWork, lead: Lead) -> Customer:
    """The customer that a signed-up lead makes for its consultant; the vendor knows them by our public id."""
    service = uow.session.get_one(Service, lead.service_id)
    consultant = uow.session.get_one(Consultant, lead.consultant_id)
    public_id = new_id()
    customer = Customer(
        public_id=public_id,
        vendor_id=service.vendor_id,
        ref=public_id,
        consultant_id=consultant.id,
        person_id=lead.person_id,
        registered_at=uow.clock(),
        own_use=_is_same_household(lead.person, consultant.person),
    )
    uow.session.add(customer)
    uow.session.flush()
    lead.customer_id = customer.id
    uow.session.flush()
    uow.publish(CustomerRegistered(customer_id=customer.id), key=f"customer-{customer.id}-registered")
    return customer


def has_signed_up(uow: UnitOfWork, lead: Lead) -> bool:
    """Whether the person asked for the service on the sign-up page."""
    steps = select(LeadStep.id).where(LeadStep.lead_id == lead.id, LeadStep.kind == "signup")
    return uow.session.scalar(steps.limit(1)) is not None


def verify(uow: UnitOfWork, person: Person) -> None:
    """The person says themselves, by the link in their mail, that they signed up.

    A consultant's own household is vouched for by nobody.
    """
    unverified = (
        Customer.person_id == person.id,
        Customer.verified_at.is_(None),
        Customer.own_use.is_(False),
    )
    for customer in lock_all(uow, Customer, *unverified):
        customer.verified_at, customer.verified_by = uow.clock(), "signup"
    uow.session.flush()


def known_customer(uow: UnitOfWork, *, vendor_id: int, contact: Contact) -> Customer | None:
    """The vendor's customer with this e-mail, or with this phone number and a name that can be the same."""
    of_vendor = select(Customer.person_id).where(Customer.vendor_id == vendor_id)
    for same in people.same_people(uow.session, replace(contact, address=""), among=of_vendor):
        mine = select(Customer).where(Customer.vendor_id == vendor_id, Customer.person_id == same.person.id)
        return uow.session.scalars(mine.order_by(Customer.id).limit(1)).unique().one()
    return None


def _lead(uow: UnitOfWork, signup: SignUp) -> Lead:
    return take_lead(uow, enquiry=_enquiry(signup), stage=STAGE).lead


def _lead_of_customer(uow: UnitOfWork, customer: Customer, signup: SignUp) -> Lead | None:
    """A new lead of somebody who is a customer already; None where they asked for this service before.

    The consultant who brought them stays, whoever's page it was, and reads what they told this time.
    """
    about = or_(Lead.customer_id == customer.id, Lead.person_id == customer.person_id)
    for_it = (Lead.service_id == signup.service_id, Lead.archived_at.is_(None))
    enquiry = _enquiry(signup, consultant_id=customer.consultant_id)
    earlier = select(Lead).where(about, *for_it).order_by(Lead.id).limit(1).with_for_update(of=Lead)
    asked_before = uow.session.scalars(earlier).unique().one_or_none()
    if asked_before is not None:
        ask_again(uow, asked_before, enquiry)
        return None
    assert customer.person is not None, "a customer is found by their person"
    lead = add_lead(uow, enquiry, customer.person, stage=STAGE, actor_id=None)
    lead.customer_id = customer.id
    keep_other_ways(uow, lead, signup.contact)
    return lead


def _enquiry(signup: SignUp, consultant_id: int | None = None) -> Enquiry:
    return Enquiry(
        contact=signup.contact,
        source="signup",
        service_id=signup.service_id,
        consultant_id=consultant_id or signup.consultant_id,
        origin=signup.origin,
        said=signup.said,
    )


def _check_region(uow: UnitOfWork, service: Service, region: str) -> None:
    terms = terms_of_day(uow.session, service.id, uow.clock().date())
    if terms is None:
        raise BadInput("This service cannot be asked for yet.", field="region")
    if not is_served(terms, region):
        states = ", ".join(served_states(terms))
        raise BadInput(
            f"We are sorry: {service.name} is not offered in your state yet. It is in: {states}.",
            field="region",
        )


def _is_same_household(person: Person, consultant: Person) -> bool:
    """Whether somebody signed up as their own customer: the same e-mail or phone number."""
    mine = people.marks_of(consultant)
    return any(mine.get(channel) == mark for channel, mark in people.marks_of(person).items())
