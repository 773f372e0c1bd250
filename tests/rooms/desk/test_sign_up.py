"""A customer signs up through a consultant's link: once, with consent, and without learning of others."""

from __future__ import annotations

from sqlalchemy import func, select

from jobs import mail
from portal.desk import signup
from portal.leads import consents
from portal.models import (
    Consent,
    ConsentText,
    Consultant,
    Customer,
    Lead,
    LeadStep,
    Message,
    Outbox,
    Person,
    TermsVersion,
)
from portal.store import people
from tests.html import Visitor
from tests.rooms.desk.conftest import WRITTEN


def signed_up(visitor, path, **changes):
    """Open the page, write, send; empty texts are not sent."""
    customer = visitor()
    customer.visit(path)
    written = {name: value for name, value in {**WRITTEN, **changes}.items() if value}
    return customer, customer.submit(path, written)


def counts(street):
    models = (Person, Customer, Lead, Consent)
    return street.read(
        lambda session: tuple(session.scalar(select(func.count()).select_from(model)) for model in models)
    )


def told(street, name):
    wanted = select(Outbox.body).where(Outbox.name == name)
    return street.read(lambda session: list(session.scalars(wanted)))


def test_the_page_shows_vendor_service_consultant_and_the_way_out(street, visitor):
    page = visitor()
    page.visit(street.roof)

    for words in ("Solar roof", "Vera Solar", "Ben", "is your consultant", "10 days by the vendor's terms"):
        assert words in page.words
    assert "may keep my name" in page.words and "signup-1" in page.words


def test_a_sign_up_makes_a_person_a_customer_and_a_lead_with_consent(street, visitor, cast):
    before = counts(street)
    customer, answer = signed_up(visitor, street.roof, contact="y")

    assert answer.status_code == 303
    customer.follow()
    assert "What happens next" in customer.words and "Ben gets in touch" in customer.words
    assert counts(street) == (before[0] + 1, 1, 1, 2)
    lead, person, row = street.read(
        lambda session: (
            lambda lead: (
                (lead.stage, lead.source, lead.consultant_id, lead.region, lead.service_id),
                (lead.person.name, lead.person.email, lead.person.phone, lead.person.address),
                (lead.customer.ref == lead.customer.public_id, lead.customer.consultant_id),
            )
        )(session.scalars(select(Lead)).unique().one())
    )
    assert lead == ("proposal", "signup", cast.ben, "CO", street.roof_id)
    assert person == ("Dana Reed", "dana@example.com", "+13035550142", "12 Elm St, Denver CO 80202")
    assert row == (True, cast.ben)
    text, given = street.read(
        lambda session: (
            session.get(ConsentText, "signup-1").sha256,
            session.scalars(select(Consent.text_sha256).where(Consent.purpose == "signup")).one(),
        )
    )
    assert text == given
    assert [len(told(street, name)) for name in ("customer.registered", "customer.signed_up")] == [1, 1]


def test_a_double_click_and_a_second_visit_make_no_second_customer_and_look_alike(street, visitor):
    customer, first = signed_up(visitor, street.roof)
    again = customer.submit(street.roof, WRITTEN)
    made = counts(street)
    _, by_phone = signed_up(visitor, street.roof, email="other@example.com", name="REED, D.")
    _, by_email = signed_up(visitor, street.roof, phone="")

    assert {answer.status_code for answer in (first, again, by_phone, by_email)} == {303}
    assert {answer.location for answer in (again, by_phone, by_email)} == {first.location}
    assert counts(street) == made
    assert len(told(street, "customer.signed_up")) == 1


def test_another_of_the_household_is_a_customer_of_their_own(street, visitor):
    signed_up(visitor, street.roof)
    signed_up(visitor, street.roof, name="Eli Reed", email="eli@example.com")

    wanted = select(Person.name, Person.email).join(Customer, Customer.person_id == Person.id)
    found = street.read(lambda session: [tuple(row) for row in session.execute(wanted.order_by(Person.id))])
    assert found == [("Dana Reed", "dana@example.com"), ("Eli Reed", "eli@example.com")]


def test_what_a_known_customer_tells_besides_reaches_the_consultant(street, visitor, ben):
    signed_up(visitor, street.roof)
    signed_up(visitor, street.roof, phone="720 555 0199")
    signed_up(visitor, street.watch, email="dana@work.example")

    leads = street.read(lambda session: list(session.scalars(select(Lead.public_id).order_by(Lead.id))))
    seen = []
    for public_id in leads:
        ben.visit(f"/leads/{public_id}")
        seen.append(("(720) 555-0199" in ben.words, "dana@work.example" in ben.words))
    assert seen == [(True, False), (False, True)]


def test_too_many_tries_from_one_network_read_when_to_go_on_and_lose_nothing(
    database, make_app, monkeypatch, street
):
    monkeypatch.setattr(signup, "SIGN_UPS", "2 per minute")
    limited = Visitor(make_app(database, CANOPY_RATE_LIMITS="on"))
    limited.visit(street.roof)
    answers = [limited.submit(street.roof, {**WRITTEN, "zip": "1"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert int(answers[-1].headers["Retry-After"]) <= 60
    assert "try again in 1 minute" in limited.words and "is still here" in limited.words
    for kept in ('value="Dana Reed"', 'value="(303) 555-0142"', 'value="8.4"', "checked"):
        assert kept in limited.page.text, kept


def test_two_people_of_one_name_in_one_town_are_two_customers(street, visitor):
    signed_up(visitor, street.roof, address="")
    other = {"email": "dana2@example.com", "phone": "720 555 0199"}
    signed_up(visitor, street.roof, address="", **other)
    emails = select(Person.email).join(Lead, Lead.person_id == Person.id).order_by(Lead.id)
    found = street.read(lambda session: list(session.scalars(emails)))
    assert found == ["dana@example.com", "dana2@example.com"]

    home = {"address": "12 Elm St, Denver", "name": "Joe Reed"}
    signed_up(visitor, street.roof, email="joe@example.com", phone="", **home)
    signed_up(visitor, street.roof, email="joe2@example.com", phone="", **home)
    assert counts(street)[1:3] == (3, 3)


def test_another_service_of_the_vendor_is_another_lead_of_the_same_customer(street, visitor):
    signed_up(visitor, street.roof)
    signed_up(visitor, street.watch, phone="")

    leads = street.read(
        lambda session: list(session.execute(select(Lead.service_id, Lead.customer_id).order_by(Lead.id)))
    )
    assert [service for service, _ in leads] == [street.roof_id, street.watch_id]
    assert leads[0][1] == leads[1][1]
    assert counts(street)[1] == 1


def test_a_state_that_is_not_served_is_told_kindly_and_nothing_is_kept(street, visitor):
    before = counts(street)
    customer, answer = signed_up(visitor, street.roof, zip="90210")

    assert answer.status_code == 422
    assert "not offered in your state yet. It is in: Colorado" in customer.words
    assert counts(street) == before


def test_what_is_missing_is_said_at_its_field(street, visitor):
    for changes, said in [
        ({"signup": ""}, "please agree to this"),
        ({"zip": "802"}, "five digits"),
        ({"phone": "12"}, "area code"),
        ({"email": "dana"}, "does not look like"),
        ({"zip": "09012"}, "choose your state"),
    ]:
        customer, answer = signed_up(visitor, street.roof, **changes)
        assert (answer.status_code, said in customer.words) == (422, True), said
    assert counts(street)[1:] == (0, 0, 0)


def test_a_machine_that_fills_in_everything_leaves_nothing(street, visitor):
    before = counts(street)
    _, answer = signed_up(visitor, street.roof, website="https://example.com")

    assert answer.status_code == 303
    assert counts(street) == before


def test_words_that_changed_meanwhile_are_read_again(street, visitor, do, cast):
    customer = visitor()
    customer.visit(street.roof)
    do(
        consents.publish_text,
        version="signup-2",
        purpose="signup",
        body="Other words. " * 5,
        actor_id=cast.ada,
    )
    answer = customer.submit(street.roof, WRITTEN)

    assert answer.status_code == 409
    assert "has changed" in customer.words and "signup-2" in customer.words
    assert counts(street)[1:] == (0, 0, 0)
    again = customer.submit(street.roof, WRITTEN)
    assert again.status_code == 303
    assert street.read(lambda session: session.scalars(select(Consent.text_version)).all()) == ["signup-2"]


def test_an_unknown_code_is_no_page_and_a_missing_one_waits_for_a_consultant(street, visitor):
    page = visitor()
    assert page.visit(f"/v/{street.vendor}/roof?c=NOBODY22").status_code == 404
    assert page.visit(f"/v/{street.vendor}/none").status_code == 404

    signed_up(visitor, f"/v/{street.vendor}/roof")

    lead = street.read(lambda session: session.execute(select(Lead.consultant_id, Lead.customer_id)).one())
    assert tuple(lead) == (None, None)


def test_the_referral_page_leads_to_the_services(street, visitor):
    page = visitor()
    page.visit(f"/r/{street.ben}")
    assert f"/v?c={street.ben}" in page.page.text
    page.visit(f"/v?c={street.ben}")
    assert "Solar roof" in page.words and "Cameras" in page.words


def test_a_browser_that_followed_a_link_keeps_its_consultant_where_the_address_names_none(
    street, visitor, cast, do
):
    bare = f"/v/{street.vendor}/roof"
    stranger = visitor()
    stranger.visit(bare)
    assert "A consultant near you" in stranger.words

    guest = visitor()
    guest.visit(f"/r/{street.ben}")
    guest.visit("/v")
    assert "Ben is your consultant" in guest.words and f"c={street.ben}" in guest.page.text
    guest.visit(bare)
    assert "is your consultant" in guest.words
    assert guest.submit(bare, WRITTEN).status_code == 303
    assert street.read(lambda session: session.scalars(select(Lead.consultant_id)).one()) == cast.ben
    ana = street.read(lambda session: session.get_one(Consultant, cast.ana).code)
    guest.visit(f"{bare}?c={ana}")
    assert "Ana is your consultant" in guest.words.replace("Ana Ana is", "Ana is")


def test_who_may_not_sell_it_hides_no_page_by_an_old_invitation(street, visitor, cast, do):
    guest = visitor()
    guest.visit(f"/r/{street.ben}")

    def others_alone(uow):
        terms = select(TermsVersion).where(TermsVersion.service_id == street.roof_id)
        uow.session.scalars(terms).one().packs = ["smart"]

    do(others_alone)
    assert guest.visit(f"/v/{street.vendor}/roof?c={street.ben}").status_code == 404
    assert guest.visit(f"/v/{street.vendor}/roof").status_code == 200
    assert "A consultant near you" in guest.words
    guest.visit("/v")
    assert "Solar roof" not in guest.words and "Cameras" in guest.words


def test_the_customer_confirms_by_the_link_in_the_mail(street, visitor, do):
    signed_up(visitor, street.roof)
    lead_id = told(street, "customer.signed_up")[0]["lead_id"]
    do(mail.signed_up, {"lead_id": lead_id})
    letters = street.read(
        lambda session: {row.template: row.params for row in session.scalars(select(Message))}
    )
    assert set(letters) == {"signed_up", "lead_taken"}

    page = visitor()
    link = f"/v/confirm/{letters['signed_up']['confirm']}"
    page.visit(link)
    verified = select(Customer.verified_by)
    assert street.read(lambda session: session.scalars(verified).one()) is None
    page.submit(link)
    page.follow()

    assert "it is confirmed" in page.words
    assert street.read(lambda session: session.scalars(verified).one()) == "signup"
    assert page.visit(link[:-1] + "x").status_code == 404


def test_the_consultants_own_household_is_marked(street, visitor):
    signed_up(visitor, street.roof, email="ben@example.com")

    assert street.read(lambda session: session.scalars(select(Customer.own_use)).one()) is True


def test_the_link_in_the_mail_stops_every_contact(street, visitor, do):
    signed_up(visitor, street.roof, contact="y")
    dana = select(Person).where(Person.name == "Dana Reed")
    token = street.read(lambda session: people.token_for(session.scalars(dana).one(), people.STOP))
    page, link = visitor(), f"/stop/{token}"
    assert page.visit("/stop/nothing").status_code == 404
    page.visit(link)
    page.submit(link)
    page.follow()

    assert "Nobody contacts you any more" in page.words
    stopped = street.read(lambda session: people.is_stopped(session, session.scalars(dana).one()))
    assert stopped == {"email", "phone"}
    kinds = street.read(lambda session: list(session.scalars(select(LeadStep.kind).order_by(LeadStep.id))))
    assert kinds[-1] == "stop"
    standing = select(Consent.purpose).where(Consent.withdrawn_at.is_(None))
    assert street.read(lambda session: list(session.scalars(standing))) == ["signup"]
