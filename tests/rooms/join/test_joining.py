"""Joining in a browser without scripts: link, plan, you, check, payment, done."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from portal.access import sessions
from portal.extensions import db
from portal.models import AccountUser, Agreement, Consultant, Placement, RoleGrant
from portal.store import perform
from tests.people import PASSWORD as ANAS
from tests.rooms.join.conftest import ABOUT, PASSWORD

AGREED = {"agrees": "y"}


def test_a_person_joins_pays_and_signs_in(portal):
    browser = portal.browser()
    browser.visit(f"/r/{portal.code.lower()}?side=right")
    assert "Ana invites you" in browser.words
    assert "right side" in browser.words

    assert browser.visit("/join").location == "/join/plan"
    browser.follow()
    for words in (
        "Smart",
        "Free",
        "Consultant Pack",
        "$49.00",
        "Consultant Plus+",
        "$149.00 and $19.00 a month",
    ):
        assert words in browser.words
    assert "No earnings are promised." in browser.words
    assert browser.submit("/join/plan", {"pack": "pack"}).location == "/join/you"

    browser.follow()
    assert browser.submit("/join/you", ABOUT).location == "/join/check"

    browser.follow()
    for words in (
        "Maya Torres",
        "maya.torres@example.com",
        "Consultant Pack",
        "$49.00",
        "independent contractor",
    ):
        assert words in browser.words
    payment = browser.submit("/join/check", AGREED)
    assert payment.status_code == 303
    assert payment.location.startswith(f"{portal.address}/sandbox/checkout/cs_test_")

    waiting = portal.registrations()[0]
    assert waiting.state == "started"
    page = browser.visit(f"/join/done/{waiting.public_id}")
    assert "One moment" in browser.words
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.text
    assert 'hx-trigger="tick from:body"' in page.text

    portal.pay(payment.location)

    page = browser.visit(f"/join/done/{waiting.public_id}")
    assert "You are in" in browser.words
    assert "refresh" not in page.text and "hx-get" not in page.text
    assert browser.sign_in("maya.torres@example.com", PASSWORD).location == "/home"
    with portal.app.app_context():
        maya = db.session.scalars(select(Consultant).where(Consultant.id != portal.ana)).one()
        place = db.session.scalars(select(Placement).where(Placement.consultant_id == maya.id)).one()
        assert (maya.sponsor_id, maya.pack) == (portal.ana, "pack")
        assert (place.parent_id, place.leg) == (portal.ana, "R")


def test_plus_is_paid_with_its_first_month(portal):
    browser = portal.at_check("plus")
    assert "$168.00" in browser.words
    portal.pay(browser.submit("/join/check", AGREED).location)
    assert portal.consultants() == ["Ana", "Maya Torres"]
    assert portal.inbox_states() <= {"done", "ignored"}


def test_the_free_plan_needs_no_payment(portal):
    browser = portal.at_check("smart")
    assert "Join for free" in browser.words
    answer = browser.submit("/join/check", AGREED)
    assert answer.location == f"/join/done/{portal.registrations()[0].public_id}"
    browser.follow()
    assert "You are in" in browser.words
    assert portal.consultants() == ["Ana", "Maya Torres"]


def test_an_unknown_link_says_so(portal):
    browser = portal.browser()
    assert browser.visit("/r/NOSUCH22").status_code == 404
    assert "This link is not known" in browser.words
    assert browser.client.get_cookie("canopy_invitation") is None


def test_the_link_of_somebody_who_left_is_not_known(portal):
    with portal.app.app_context():
        perform(lambda uow: setattr(uow.session.get(Consultant, portal.ana), "status", "terminated"))
    assert portal.browser().visit(f"/r/{portal.code}").status_code == 404


def test_a_link_shows_no_more_than_the_first_name(portal):
    with portal.app.app_context():
        perform(lambda uow: setattr(uow.session.get(Consultant, portal.ana).person, "name", "Ana Secretname"))
    page = portal.browser().visit(f"/r/{portal.code}").text
    assert "Ana" in page
    assert "Secretname" not in page and "ana@example.com" not in page


def test_the_invitation_lasts_thirty_days_and_cannot_be_forged(portal):
    browser = portal.browser()
    answer = browser.visit(f"/r/{portal.code}")
    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if "canopy_invitation" in value)
    assert "Max-Age=2592000" in cookie and "HttpOnly" in cookie

    browser.client.set_cookie("canopy_invitation", "e30.forged.signature")
    assert browser.visit("/join").status_code == 200


def test_without_a_link_the_code_can_be_written(portal):
    browser = portal.browser()
    browser.visit("/join")
    assert browser.submit("/join", {"code": "WRONG234"}).status_code == 422
    assert "This code is not known" in browser.words
    assert browser.submit("/join", {"code": f" {portal.code} "}).location == f"/r/{portal.code}"


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [("/join/plan", "/join"), ("/join/you", "/join/plan"), ("/join/check", "/join/you")],
)
def test_nobody_skips_a_step(portal, path, leads_to):
    assert portal.browser().visit(path).location == leads_to


def test_a_plan_must_be_chosen(portal):
    browser = portal.browser()
    browser.visit(f"/r/{portal.code}")
    browser.visit("/join/plan")
    for choice in ({}, {"pack": "gold"}):
        assert browser.submit("/join/plan", choice).status_code == 422
        assert "Please check this" in browser.words


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "Please write your name."),
        ({"name": "<script>"}, "A name cannot hold these signs."),
        ({"email": "maya"}, "This does not look like an e-mail address."),
        ({"password": "short"}, "Please use at least 12 characters."),
        ({"password": "MayaTorres2026!"}, "This is easy to guess."),
    ],
)
def test_wrong_answers_are_named_next_to_their_fields(portal, wrong, words):
    browser = portal.browser()
    browser.visit(f"/r/{portal.code}")
    browser.visit("/join/plan")
    browser.submit("/join/plan", {"pack": "pack"})
    browser.follow()

    assert browser.submit("/join/you", {**ABOUT, **wrong}).status_code == 422

    assert words in browser.words
    (field,) = wrong
    assert f'id="{field}-error"' in browser.page.text
    assert ABOUT["password"] not in browser.page.text
    assert portal.registrations() == []


def test_the_password_is_kept_hashed_and_nowhere_else(portal):
    browser = portal.at_check()
    registration = portal.registrations()[0]
    assert registration.password_hash.startswith("$argon2id$")
    with browser.client.session_transaction() as kept:
        assert set(kept["join"]) == {"pack", "registration"}
        assert PASSWORD not in str(dict(kept)) and "argon2" not in str(dict(kept))


def test_the_agreement_must_be_accepted(portal):
    browser = portal.at_check()
    assert browser.submit("/join/check", {}).status_code == 422
    assert "To join, please accept the agreement." in browser.words
    assert portal.registrations()[0].agreed_at is None


def test_the_words_shown_are_the_words_kept(portal):
    browser = portal.at_check()
    browser.submit("/join/check", AGREED)
    kept = portal.registrations()[0]
    with portal.app.app_context():
        body = db.session.scalars(select(Agreement.body)).one()
    assert kept.agreement_sha256 == hashlib.sha256(body.encode()).hexdigest()
    assert kept.agreement_version == "2026-11"


def test_an_agreement_that_changed_meanwhile_is_shown_again(portal):
    browser = portal.at_check()

    def publish(uow):
        uow.session.add(
            Agreement(version="2027-01", body="New words", sha256="1" * 64, published_at=uow.clock())
        )

    with portal.app.app_context():
        perform(publish)

    assert browser.submit("/join/check", AGREED).status_code == 409
    assert "New words" in browser.words
    assert browser.submit("/join/check", AGREED).status_code == 303
    assert portal.registrations()[0].agreement_version == "2027-01"


def test_going_back_keeps_the_answers(portal):
    browser = portal.at_check()
    browser.visit("/join/you")
    assert 'value="Maya Torres"' in browser.page.text
    browser.visit("/join/plan")
    assert browser.submit("/join/plan", {"pack": "smart"}).location == "/join/check"
    browser.follow()
    assert "Join for free" in browser.words
    assert len(portal.registrations()) == 1


def test_asking_for_the_payment_page_again_gives_the_same_page(portal):
    browser = portal.at_check()
    first = browser.submit("/join/check", AGREED).location
    browser.visit("/join/check?cancelled=1")
    assert "You left the payment page" in browser.words
    assert browser.submit("/join/check", AGREED).location == first


@pytest.mark.parametrize(
    ("fault", "times"),
    [("500_before", 1), ("500_after", 1), ("429", 1), ("drop_before", 3), ("drop_after", 3)],
)
def test_a_provider_that_fails_costs_nothing_and_keeps_everything(portal, fault, times):
    portal.order(*[fault] * times)
    browser = portal.at_check()

    assert browser.submit("/join/check", AGREED).status_code == 503
    assert "The payment page cannot be reached at the moment" in browser.words
    assert "Maya Torres" in browser.words

    answer = browser.submit("/join/check", AGREED)
    assert answer.status_code == 303
    portal.pay(answer.location)
    assert portal.consultants() == ["Ana", "Maya Torres"]


def test_after_the_payment_page_closed_one_goes_on_with_a_fresh_one(portal):
    browser = portal.at_check()
    first = browser.submit("/join/check", AGREED).location
    portal.pay(first, how="expire")
    old = portal.registrations()[0]
    browser.visit(f"/join/done/{old.public_id}")
    assert "The payment page has closed" in browser.words

    browser.visit("/join/check")
    second = browser.submit("/join/check", AGREED)
    assert second.status_code == 303 and second.location != first
    portal.pay(second.location)
    assert [row.state for row in portal.registrations()] == ["expired", "complete"]


def test_a_taken_email_is_refused_before_money_moves(portal):
    browser = portal.at_check(email="ana@example.com")
    assert browser.submit("/join/check", AGREED).status_code == 422
    assert "This e-mail cannot be used to join" in browser.words
    assert portal.registrations()[0].checkout_session is None


def test_two_who_pay_with_one_email_lose_no_money(portal):
    first, second = portal.at_check(), portal.at_check()
    pages = [browser.submit("/join/check", AGREED).location for browser in (first, second)]
    for page in pages:
        portal.pay(page)
    assert [row.state for row in portal.registrations()] == ["complete", "duplicate"]
    second.visit(f"/join/done/{portal.registrations()[1].public_id}")
    assert "We have to look at this" in second.words


def test_who_is_in_is_not_asked_again(portal):
    browser = portal.at_check("smart")
    browser.submit("/join/check", AGREED)
    done = browser.page.location
    assert browser.visit("/join/check").location == done
    assert browser.submit("/join/check", AGREED).location == done
    assert portal.consultants() == ["Ana", "Maya Torres"]


def test_an_unknown_registration_has_no_page(portal):
    assert portal.browser().visit(f"/join/done/{'a' * 20}").status_code == 404


def test_htmx_gets_the_waiting_block_alone(portal):
    browser = portal.at_check()
    browser.submit("/join/check", AGREED)
    address = f"/join/done/{portal.registrations()[0].public_id}"
    block = browser.client.get(address, headers={"HX-Request": "true", "HX-Request-Type": "partial"}).text
    assert block.strip().startswith('<div id="state"')
    assert "<html" not in block


def test_more_fields_than_asked_for_change_nothing(portal):
    more = {
        **dict.fromkeys(("role", "roles"), "admin"),
        **dict.fromkeys(("plan", "status", "state", "password_hash", "checkout_session"), "complete"),
        **dict.fromkeys(("owner_id", "is_admin", "sponsor_id", "consultant_id", "person_id", "balance"), "2"),
        "price_cents": "0",
        "public_id": "a" * 20,
        "agreed_at": "2020-01-01",
        "leg_wish": "L",
    }
    browser = portal.browser()
    browser.visit(f"/r/{portal.code}", query_string=more)
    browser.visit("/join/plan")
    browser.submit("/join/plan", {**more, "pack": "smart"})
    browser.visit("/join/you")
    browser.submit("/join/you", {**ABOUT, **more})
    row = portal.registrations()[0]
    assert (row.state, row.pack, row.sponsor_id, row.leg_wish) == ("started", "smart", portal.ana, None)
    assert (row.agreed_at, row.consultant_id, row.checkout_session) == (None, None, None)
    assert row.public_id != "a" * 20 and row.password_hash.startswith("$argon2id$")

    browser.follow()
    browser.submit("/join/check", {**AGREED, **more})
    with portal.app.app_context():
        grants = db.session.scalars(select(RoleGrant.role)).all()
        assert set(grants) == {"consultant"}
        assert len(db.session.scalars(select(AccountUser)).all()) == 2


def test_every_form_needs_its_token(portal):
    browser = portal.at_check()
    for path in ("/join", "/join/plan", "/join/you", "/join/check", "/login", "/theme"):
        assert browser.client.post(path, data={**ABOUT, **AGREED}).status_code == 400, path


def test_somebody_signed_in_may_follow_a_link_too(portal):
    browser = portal.browser()
    browser.sign_in("ana@example.com", ANAS)
    assert browser.visit(f"/r/{portal.code}").status_code == 200
    with browser.client.session_transaction() as kept:
        assert sessions.TOKEN in kept
