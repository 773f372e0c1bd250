"""Near-equal people: who is found again, who stays apart, what a known person adds when they come again."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from portal.leads import queries
from portal.leads.enquiries import Enquiry
from portal.leads.service import take_lead
from portal.leads.stopping import stop_address, stop_contact
from portal.models import Lead, Person
from portal.store import people
from portal.store.people import Contact

HOME = "12 Elm St Apt 3, Denver CO 80202"
KNOWN = Contact("Dana Reed", "dana@gmail.com", "(303) 555-0142", HOME, "CO")
# What somebody writes, and by what they are found to be Dana; empty where they stay apart.
NEAR = {
    "an e-mail in capitals": (Contact("Dana Reed", " DANA@Gmail.com "), "email"),
    "a number written another way": (Contact("Dana Reed", "", "+1 303.555.0142"), "phone"),
    "names the other way round": (Contact("REED, Dana", "", "3035550142"), "phone"),
    "an initial": (Contact("D. Reed", "x@example.com", "3035550142"), "phone"),
    "the first name alone": (Contact("dana", "", "3035550142"), "phone"),
    "accents": (Contact("Dána Reéd", "", "3035550142"), "phone"),
    "a middle name": (Contact("Dana M. Reed", "", "3035550142"), "phone"),
    "another name with the same e-mail": (Contact("Eli Reed", "dana@gmail.com"), "email"),
    "name and house": (Contact("dana reed", "", "", "12 elm st, apt 3; Denver CO 80202"), "address"),
    "dots in the e-mail": (Contact("Dana Reed", "d.ana@gmail.com"), ""),
    "a tag in the e-mail": (Contact("Dana Reed", "dana+solar@gmail.com"), ""),
    "a household with one phone": (Contact("Eli Reed", "eli@gmail.com", "3035550142"), ""),
    "a short form of the name": (Contact("Dan Reed", "", "3035550142"), ""),
    "a number with one digit changed": (Contact("Dana Reed", "", "3035550143"), ""),
    "another name in the same house": (Contact("Eli Reed", "", "", HOME), ""),
    "the same name next door": (Contact("Dana Reed", "", "", "12 Elm St Apt 4, Denver CO 80202"), ""),
    "the same name in the same town": (Contact("Dana Reed", "", "", "Denver CO 80202"), ""),
    "the same name and nothing else": (Contact("Dana Reed", "other@gmail.com"), ""),
}


def test_people_are_found_again_and_rather_missed_than_mixed_up(app, do):
    def story(uow):
        people.add_person(uow, KNOWN)
        everybody = select(Person.id)

        def found(contact):
            same = people.same_people(uow.session, contact, among=everybody)
            return same[0].by if same else ""

        return {case: found(contact) for case, (contact, _by) in NEAR.items()}

    assert do(story) == {case: by for case, (_contact, by) in NEAR.items()}


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("Dana Reed", "Reed Dana", True),
        ("", "Dana", True),
        ("D R", "Dana Reed", True),
        ("Dana Reed", "Dana Reynolds", False),
        ("Ana Ana", "Ana Reed", False),
        ("李 伟", "李 娜", False),
    ],
)
def test_names_are_compared_by_their_words(one, other, same):
    assert people.is_same_name(one, other) is people.is_same_name(other, one) is same


def test_streets_in_another_script_are_not_the_same_house():
    assert not people.is_same_address("北京路 12", "上海路 12")
    assert people.is_same_address("Улица 12", "улица, 12")


def test_two_of_a_household_are_two_leads(do, cast, roof):
    def take(uow):
        for name in ("Dana", "Eli"):
            contact = Contact(f"{name} Reed", f"{name.lower()}@example.com", "303-555-0142")
            take_lead(uow, enquiry=Enquiry(contact, "hand", consultant_id=cast.ben))
        return [lead.person.name for lead in uow.session.query(Lead).order_by(Lead.id)]

    assert do(take) == ["Dana Reed", "Eli Reed"]


def again(uow, cast, **changes):
    """Dana comes to Ben once more, with other details."""
    given = {"name": "Dana Reed", "email": "dana@gmail.com", "phone": "", **changes}
    return take_lead(uow, enquiry=Enquiry(Contact(**given), "form", consultant_id=cast.ben)).lead


def others(uow, lead):
    """What the history says she also gave, oldest first."""
    moments = [each for each in queries.timeline(uow.session, lead) if each.kind == "also"]
    return [(each.detail["channel"], each.text) for each in reversed(moments)]


def test_what_a_known_person_gives_besides_stands_in_the_history_once(do, cast, roof):
    def story(uow):
        lead = again(uow, cast, phone="303-555-0142")
        for _ in range(2):
            assert again(uow, cast, phone="720-555-0199").id == lead.id
            again(uow, cast, email="dana@work.example", phone="303 555 0142", name="D. Reed")
        again(uow, cast, name="Dana Stone")
        rows = str(uow.session.execute(text("SELECT * FROM lead_step")).all())
        return others(uow, lead), (lead.person.name, lead.person.email, lead.person.phone), rows

    given, kept, rows = do(story)
    assert given == [("phone", "(720) 555-0199"), ("email", "dana@work.example"), ("name", "Dana Stone")]
    assert kept == ("Dana Reed", "dana@gmail.com", "+13035550142")
    assert "5550199" not in rows and "work.example" not in rows


def test_what_must_not_be_contacted_is_told_without_it(do, cast, roof):
    def story(uow):
        lead = again(uow, cast, phone="303-555-0142")
        stop_address(uow, reached="720-555-0199", reason="", actor_id=cast.ada)
        again(uow, cast, phone="720-555-0199")
        again(uow, cast, phone="720-555-0200")
        return others(uow, lead), people.is_stopped(uow.session, lead.person)

    assert do(story) == ([("phone", ""), ("phone", "(720) 555-0200")], frozenset())


def test_who_stops_everything_stops_what_they_gave_later_too(do, cast, roof):
    def story(uow):
        lead = again(uow, cast)
        lead.person.phone_mark = lead.person.phone = None
        again(uow, cast, email="dana@gmail.com", phone="303-555-0142")
        again(uow, cast, phone="720-555-0199")
        stop_contact(uow, lead.person, reason="asked", actor_id=None)
        elsewhere = Contact("Somebody", "", "720-555-0199")
        return others(uow, lead), people.is_contact_stopped(uow.session, elsewhere)

    assert do(story) == ([("phone", "")], True)
