"""What vendors report moves the leads and the customers of the right consultant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select

from jobs import leads as job
from jobs import reactions
from jobs.relay import carry
from portal.kernel.ids import new_id
from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Contract, ContractFact, Customer, Lead, Outbox, TermsVersion
from portal.sales.service import register_customer
from portal.store import people
from portal.store.people import Contact
from tests.rooms.desk.conftest import WRITTEN, stage, written


def vendor_says(uow, street, consultant_id, *, state, at=None, email="dana@example.com"):
    """What is kept of an event: a customer, a contract in a state, a fact."""
    person = people.add_person(uow, Contact("Dana Reed", email))
    at = at or uow.clock()
    customer = Customer(
        public_id=new_id(),
        vendor_id=street.vendor_id,
        ref=new_id(),
        consultant_id=consultant_id,
        person_id=person.id,
        registered_at=at,
    )
    uow.session.add(customer)
    uow.session.flush()
    terms = uow.session.scalars(
        select(TermsVersion.id).where(TermsVersion.service_id == street.roof_id)
    ).one()
    contract = Contract(
        vendor_id=street.vendor_id,
        ref=new_id(),
        customer_id=customer.id,
        service_id=street.roof_id,
        terms_version_id=terms,
        size_thousandths=8_400,
        state=state,
        signed_on=at.date(),
    )
    uow.session.add(contract)
    uow.session.flush()
    fact = {"contract_id": contract.id, "milestone": "", "occurred_at": at, "recorded_at": at}
    uow.session.add(ContractFact(key=new_id(), type="service.signed", **fact))
    uow.session.flush()
    return customer.id, contract.id


def test_a_customer_of_the_vendor_is_tied_to_the_lead_and_moves_it(street, ben, cast, do):
    page = written(ben, email="dana@example.com")
    _, other = do(vendor_says, street, cast.cem, state="active")
    customer, contract = do(vendor_says, street, cast.ben, state="signed")
    do(job.customer_registered, {"customer_id": customer})
    with street.app.app_context():
        assert job.follow_contracts() == 1
        assert job.follow_contracts() == 0
    ben.visit(page)
    assert "New to Signed by the vendor's report" in ben.words
    assert "Contract signed" in ben.words and "The vendor registered them" in ben.words

    def cancel(uow):
        row = uow.session.get_one(Contract, contract)
        row.state, row.cancelled_at = "cancelled", uow.clock()

    do(cancel)
    with street.app.app_context():
        assert job.follow_contracts() == 1
    assert stage(street) == ["lost"] and other
    ben.visit(page)
    ben.submit(f"{page}/stage", {"stage": "won"})
    with street.app.app_context():
        assert job.follow_contracts() == 0
    assert stage(street) == ["won"]


def test_a_strangers_customer_stays_apart(street, ben, cast, do):
    written(ben, email="dana@example.com")
    for consultant, email in ((cast.cem, "dana@example.com"), (cast.ben, "dan@example.com")):
        customer, _ = do(vendor_says, street, consultant, state="active", email=email)
        do(job.customer_registered, {"customer_id": customer})

    assert street.read(lambda session: session.scalars(select(Lead.customer_id)).all()) == [None]


def test_the_vendors_first_word_of_who_signed_up_takes_over_that_customer(street, visitor, cast, do):
    customer = visitor()
    customer.visit(street.roof)
    customer.submit(street.roof, WRITTEN)
    event = registered(street, "V-1", customer_name="D. Reed", customer_email="dana@example.com")
    for told in (
        replace(event, consultant_code=street.read(lambda session: other_code(session, cast))),
        event,
    ):
        ref = "V-0" if told is not event else "V-1"
        do(
            lambda uow, told=told, ref=ref: (
                register_customer(uow, vendor_id=street.vendor_id, event=replace(told, customer_ref=ref))
                and None
            )
        )

    rows = street.read(
        lambda session: list(
            session.execute(select(Customer.ref, Customer.consultant_id).order_by(Customer.id))
        )
    )
    assert [tuple(row) for row in rows] == [("V-1", cast.ben), ("V-0", cast.cem)]
    linked = street.read(lambda session: session.scalars(select(Lead.customer_id)).one())
    assert linked == street.read(
        lambda session: session.scalars(select(Customer.id).where(Customer.ref == "V-1")).one()
    )


def test_a_customer_whose_e_mail_comes_later_is_tied_to_the_lead_then(street, ben, do):
    page = written(ben, email="dana@example.com", phone="")

    def says(**words):
        event = registered(street, "V-7", **words)
        do(lambda uow: register_customer(uow, vendor_id=street.vendor_id, event=event) and None)

    says()
    says(customer_name="Dana Reed")
    run_facts(street.app)
    tied = select(Lead.customer_id)
    assert street.read(lambda session: session.scalars(tied).one()) is None
    says(customer_email="Dana@Example.com")
    says(customer_phone="303 555 0999")
    run_facts(street.app)

    ours = select(Customer.id).where(Customer.ref == "V-7")
    assert street.read(lambda session: session.scalars(tied).one() == session.scalars(ours).one())
    kept = select(Outbox.name).where(Outbox.name.like("customer.%")).order_by(Outbox.id)
    told = street.read(lambda session: list(session.scalars(kept)))
    assert told == ["customer.registered", "customer.reachable", "customer.reachable"]
    ben.visit(page)
    assert ben.words.count("The vendor registered them") == 1


def test_a_lead_that_comes_after_its_customer_is_tied_when_it_comes(street, ben, do):
    event = registered(street, "V-8", customer_name="Dana Reed", customer_email="dana@example.com")
    do(lambda uow: register_customer(uow, vendor_id=street.vendor_id, event=event) and None)
    run_facts(street.app)

    page = written(ben, email="Dana@Example.com", phone="")
    written(ben, name="Eli Stone", email="eli@example.com", phone="")
    run_facts(street.app)

    tied = select(Lead.customer_id).order_by(Lead.id)
    ours = street.read(lambda session: session.scalars(select(Customer.id)).one())
    assert street.read(lambda session: list(session.scalars(tied))) == [ours, None]
    ben.visit(page)
    assert "The vendor registered them" in ben.words


def registered(street, ref, **words):
    """What the vendor says of a customer of Ben's."""
    now = datetime.now(UTC)
    return VendorEvent("customer.registered", now, ref, consultant_code=street.ben, **words)


def run_facts(app):
    """Every reaction that waits."""
    with app.app_context():
        carry()
        reactions.drain_money()


def other_code(session, cast):
    return session.get_one(Consultant, cast.cem).code
