"""People are found again by their e-mail, number or address, and a stop holds on every channel."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from portal.kernel.errors import BadInput
from portal.kernel.us import STATES, state_of_zip
from portal.models import Person
from portal.store import people
from portal.store.people import Contact

DANA = Contact("Dana Reed", "Dana@Example.com", "(303) 555-0142", "12 Elm St., Denver 80202", "CO")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("(303) 555-0142", "+13035550142"),
        ("303.555.0142", "+13035550142"),
        ("1-303-555-0142", "+13035550142"),
        ("+1 303 555 0142", "+13035550142"),
        ("+44 20 7946 0018", "+442079460018"),
        ("  ", ""),
    ],
)
def test_a_number_has_one_form(written, kept):
    assert people.phone_number(written) == kept


@pytest.mark.parametrize("written", ["12", "103-555-0142", "303-155-0142", "303 555 014", "call me", "+1 99"])
def test_what_is_no_number_is_refused(written):
    with pytest.raises(BadInput):
        people.phone_number(written)


@pytest.mark.parametrize(
    "written",
    [
        *("(303) 555-0142", "303.555.0142", "1-303-555-0142", "+1 303 555 0142", "+44 20 7946 0018"),
        *("13035550142", "+1 (303) 555\u20110142", "12", "103-555-0142", "303-155-0142", "303 555 014"),
        *("call me", "+1 99", "", "44 20 7946 0018", "+", "+13035550142 x", "3035550142\t", "+442079"),
    ],
)
def test_the_api_takes_the_numbers_that_forms_take(written):
    from portal.api.lead_bodies import FIELDS, fits

    try:
        read = people.phone_number(written) if written.isprintable() else ""
    except BadInput:
        read = ""

    assert fits(FIELDS["phone"], written) == bool(read)


def test_a_number_is_shown_as_people_write_it():
    assert people.shown_phone("+13035550142") == "(303) 555-0142"
    assert people.shown_phone("+442079460018") == "+442079460018"


def test_a_zip_code_lies_in_a_state():
    zips = {"80202": "CO", "90210-1234": "CA", "02139": "MA", "00901": "PR", "09012": None, "8020": None}

    assert {written: state_of_zip(written) for written in zips} == zips
    assert len(STATES) == 56


def test_a_person_is_found_however_the_number_is_written(app, do):
    def story(uow):
        dana = people.add_person(uow, DANA)
        other = people.add_person(uow, Contact("Dana Reed", address="9 Oak Ave, Denver 80202"))
        everybody = select(Person.id)

        def found(*contact, **more):
            same = people.same_people(uow.session, Contact(*contact, **more), among=everybody)
            return [(one.person.id, one.by) for one in same]

        return (
            (dana.id, other.id),
            found("D", email=" DANA@example.COM"),
            found("D", phone="303 555 0142"),
            found("dana reed", address="12 elm st denver, 80202"),
            found("Dan Reed", address="12 elm st denver, 80202"),
            found("D", email="someone@example.com", phone="303 555 0143"),
        )

    (dana, other), by_email, by_phone, by_address, other_name, nobody = do(story)
    assert by_email == [(dana, "email")]
    assert by_phone == [(dana, "phone")]
    assert by_address == [(dana, "address")]
    assert (other_name, nobody) == ([], []) and other != dana


def test_the_database_holds_no_number_that_can_be_read(app, do):
    def story(uow):
        people.add_person(uow, DANA)
        return str(uow.session.execute(text("SELECT * FROM person")).all())

    row = do(story)
    assert "dana@example.com" in row
    assert "5550142" not in row and "Elm" not in row


def test_a_stop_holds_for_everybody_with_that_address_until_it_is_lifted(app, do):
    def story(uow):
        dana, twin = people.add_person(uow, DANA), people.add_person(uow, DANA)
        free = people.add_person(uow, Contact("Eli", "eli@example.com"))
        everybody = [dana, twin, free]
        first = people.stop_person(uow, dana, reason="asked", asked_by=None)
        again = people.stop_person(uow, twin, reason="asked again", asked_by=None)
        during = people.stopped(uow.session, everybody)
        lifted = people.lift(uow, channel="phone", mark=people.mark_of("phone", "303 555 0142"))
        after = people.stopped(uow.session, everybody)
        stopped_again = people.stop_person(uow, dana, reason="once more", asked_by=None)
        return (dana.id, twin.id), first, again, during, lifted, after, stopped_again

    (dana, twin), first, again, during, lifted, after, stopped_again = do(story)
    assert (first, again, lifted, stopped_again) == (2, 0, True, 1)
    assert during == {dana: frozenset({"email", "phone"}), twin: frozenset({"email", "phone"})}
    assert after == {dana: frozenset({"email"}), twin: frozenset({"email"})}


def test_a_link_is_good_for_its_person_and_its_purpose_alone(app, do):
    def story(uow):
        dana = people.add_person(uow, DANA)
        eli = people.add_person(uow, Contact("Eli"))
        token = people.token_for(dana, "stop")
        forged = eli.public_id + token[20:]
        tries = [(token, "stop"), (token, "confirm"), (forged, "stop"), ("", "stop")]
        found = [people.person_of_token(uow.session, *each) for each in tries]
        return dana.id, [person and person.id for person in found]

    dana, found = do(story)
    assert found == [dana, None, None, None]
