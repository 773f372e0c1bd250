"""Which leads a customer is tied to: those of one person, whoever else the same phone rings for."""

from __future__ import annotations

import pytest

from portal.kernel.ids import new_id
from portal.leads import linking
from portal.leads.enquiries import Enquiry
from portal.leads.service import take_lead
from portal.models import Customer, Lead
from portal.store import people
from portal.store.people import Contact

PHONE = "303-555-0142"
DANA, ELI = Contact("Dana Reed", "dana@example.com", PHONE), Contact("Eli Reed", "eli@example.com", PHONE)
# Who the vendor registers, and whose leads are theirs then.
REGISTERED = {
    "her name": (Contact("Reed, Dana", "", PHONE), ["Dana Reed", "Dana Reed"]),
    "his name": (Contact("Eli", "", PHONE), ["Eli Reed"]),
    "his e-mail": (Contact("Somebody", "eli@example.com", PHONE), ["Eli Reed"]),
    "somebody else of the house": (Contact("Fay Reed", "", PHONE), []),
    "nobody's name": (Contact("", "", PHONE), ["Dana Reed", "Dana Reed"]),
}


def registered(uow, cast, roof, contact):
    """A customer of Ben as a vendor registers one."""
    customer = Customer(
        public_id=new_id(),
        vendor_id=roof.vendor_id,
        ref=new_id(),
        consultant_id=cast.ben,
        person_id=people.add_person(uow, contact).id,
        registered_at=uow.clock(),
        own_use=False,
    )
    uow.session.add(customer)
    uow.session.flush()
    return customer.id


def taken(uow, cast, contact, service_id=None):
    return take_lead(uow, enquiry=Enquiry(contact, "hand", service_id, cast.ben)).lead


def tied(uow, customer_id):
    leads = uow.session.query(Lead).filter_by(customer_id=customer_id).order_by(Lead.id)
    return [lead.person.name for lead in leads]


@pytest.mark.parametrize("told", REGISTERED)
def test_of_a_household_with_one_phone_the_contract_is_of_one(do, cast, roof, told):
    contact, theirs = REGISTERED[told]

    def story(uow):
        for who, service_id in ((DANA, roof.service_id), (ELI, None), (DANA, None)):
            taken(uow, cast, who, service_id)
        customer = registered(uow, cast, roof, contact)
        # The second time is the vendor's next event about them.
        made = [linking.link_customer(uow, customer_id=customer) for _ in range(2)]
        return made, tied(uow, customer)

    assert do(story) == ([len(theirs), 0], theirs)


def test_a_lead_that_comes_later_goes_to_the_customer_who_is_most_alike(do, cast, roof):
    def story(uow):
        told = (ELI, Contact("E. Reed", "", PHONE), Contact("Dana Reed", "", PHONE))
        customers = [registered(uow, cast, roof, contact) for contact in told]
        for who in (ELI, DANA):
            linking.link_lead(uow, lead_id=taken(uow, cast, who).id)
        return [tied(uow, customer) for customer in customers]

    assert do(story) == [["Eli Reed"], [], ["Dana Reed"]]
