"""/team/place: who waits for a spot gets one, once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.models import Consultant, Pack, Person, Placement
from portal.store import perform
from tests.people import add_consultant


@pytest.fixture
def newcomer(app, cast):
    """Nia joined through Ana's link and waits."""
    with app.app_context():
        return perform(lambda uow: add_consultant(uow, "Nia", sponsor=cast.ana))


@pytest.fixture
def ana(signed_in, newcomer):
    return signed_in("Ana")


def public_id(app, consultant_id):
    with app.app_context():
        return db.session.get_one(Consultant, consultant_id).public_id


def spot_of(app, consultant_id):
    with app.app_context():
        found = db.session.scalar(select(Placement).where(Placement.consultant_id == consultant_id))
        return (found.parent_id, found.leg) if found else None


def test_the_waiting_are_named_on_home_team_and_their_page(ana):
    for page in ("/home", "/team"):
        ana.visit(page)
        assert "1 person waits for a spot" in ana.words
    ana.visit("/team/place")
    assert "Waiting for a spot N Nia" in ana.words


def test_choose_check_done(app, cast, newcomer, ana):
    person = public_id(app, newcomer)
    ana.visit(f"/team/place/{person}")
    assert "Next free spot on your left Below Ben" in ana.words

    ana.visit(f"/team/place/{person}?parent={public_id(app, cast.ben)}&leg=left")
    assert "Person Nia Below Ben Leg Left" in ana.words
    ana.submit(f"/team/place/{person}")

    assert spot_of(app, newcomer) == (cast.ben, "L")
    ana.follow()
    assert "Nia has a place in your team." in ana.words


def test_the_ends_of_the_legs_can_be_given_below_what_the_plan_shows(app, cast, newcomer, ana):
    def limit(uow):
        add_consultant(uow, "Low", sponsor=cast.ana, under=(cast.ben, "L"))
        uow.session.get_one(Pack, "plus").features = {"tree_levels": 1}

    with app.app_context():
        perform(limit)
        low = db.session.scalar(select(Consultant).join(Person).where(Person.name == "Low"))
        person, parent, low_id = public_id(app, newcomer), low.public_id, low.id

    page = ana.visit(f"/team/place/{person}")
    assert f"parent={parent}&amp;leg=left" in page.text
    ana.visit(f"/team/place/{person}?parent={parent}&leg=left")
    ana.submit(f"/team/place/{person}")

    assert spot_of(app, newcomer) == (low_id, "L")
    ana.follow()
    assert "Nia has a place in your team." in ana.words
    assert ana.visit(f"/team/{person}").status_code == 404
    ana.visit(f"/team/{public_id(app, cast.ana)}/bottom/left")
    ana.follow()
    assert "This leg goes on below the levels that your plan shows." in ana.words


def test_an_open_spot_of_the_tree_leads_to_the_choice_of_the_person(app, cast, newcomer, ana):
    page = ana.visit("/team")
    link = f"/team/place?parent={public_id(app, cast.cem)}&amp;leg=right"
    assert link in page.text

    page = ana.visit(link.replace("&amp;", "&"))

    assert (
        f"/team/place/{public_id(app, newcomer)}?parent={public_id(app, cast.cem)}&amp;leg=right" in page.text
    )


def test_a_spot_that_is_taken_meanwhile_is_refused_with_the_reason(app, cast, newcomer, ana):
    person = public_id(app, newcomer)
    ana.visit(f"/team/place/{person}?parent={public_id(app, cast.ben)}&leg=left")
    with app.app_context():
        perform(lambda uow: add_consultant(uow, "Fast", sponsor=cast.ben, under=(cast.ben, "L")))

    answer = ana.submit(f"/team/place/{person}")

    assert answer.status_code == 409
    assert "Somebody has just taken this spot." in ana.words
    assert spot_of(app, newcomer) is None


def test_nobody_is_placed_twice(app, cast, newcomer, ana):
    person = public_id(app, newcomer)
    ana.visit(f"/team/place/{person}?parent={public_id(app, cast.ben)}&leg=left")
    ana.submit(f"/team/place/{person}")

    again = ana.submit(f"/team/place/{person}")

    assert again.status_code == 404
    assert spot_of(app, newcomer) == (cast.ben, "L")


def test_only_one_s_own_people_go_into_one_s_own_tree(app, cast, newcomer, ana, signed_in):
    person, ben = public_id(app, newcomer), signed_in("Ben")

    assert ben.visit(f"/team/place/{person}").status_code == 404
    assert ana.visit(f"/team/place/{person}?parent={public_id(app, cast.dia)}&leg=left").status_code == 404
    ana.visit(f"/team/place/{person}?parent={public_id(app, cast.ben)}&leg=left")
    assert ana.submit(f"/team/place/{person}", {"parent": public_id(app, cast.dia)}).status_code == 404
    assert ana.submit(f"/team/place/{person}", {"leg": "up"}).status_code == 422
    assert spot_of(app, newcomer) is None


@pytest.mark.parametrize("preference", ["left", "right", "weaker", "hand"])
def test_the_standing_preference_is_kept(app, cast, ana, preference):
    ana.visit("/team/place")

    ana.submit("/team/preference", {"preference": preference})

    assert ana.page.status_code == 303
    ana.follow()
    assert "Your preference is kept." in ana.words
    with app.app_context():
        assert db.session.get_one(Consultant, cast.ana).preference == preference


def test_an_unknown_preference_comes_back_with_its_form(app, cast, ana):
    ana.visit("/team/place")

    answer = ana.submit("/team/preference", {"preference": "up"})

    assert answer.status_code == 422
    assert "Please check this" in ana.words
    with app.app_context():
        assert db.session.get_one(Consultant, cast.ana).preference == "weaker"
