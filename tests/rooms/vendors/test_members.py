"""People of a vendor: invited by e-mail, a link that works once, shut out at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from jobs.mail import compose
from portal.access.one_time import password_link
from portal.extensions import db
from portal.kernel import clock
from portal.models import AccountUser, Audit, Message, VendorMember
from tests.html import Visitor
from tests.people import PASSWORD, Cast
from tests.rooms.vendors.conftest import hire
from tests.vendors import Vera, invite_vera

NEW = "three words apart kettle"


@pytest.fixture
def ada(vera: Vera, visitor: Callable[[], Visitor]) -> Visitor:
    browser = visitor()
    browser.sign_in("ada@example.com", PASSWORD)
    return browser


def invited(app: Flask, ada: Visitor, vera: Vera, email: str = "Cleo@example.com") -> str:
    """The path of the link in the invitation of Cleo the clerk."""
    people = f"/admin/vendors/{vera.public_id}/people"
    ada.visit(people)
    answer = ada.submit(people, {"name": "Cleo Clerk", "email": email})
    assert answer.status_code == 303, ada.words
    with app.app_context():
        user = db.session.scalars(select(AccountUser).where(AccountUser.email == "cleo@example.com")).one()
        return password_link(user).partition("/password/")[2]


def test_a_clerk_is_invited_chooses_a_password_and_sees_the_vendor(
    app: Flask, ada: Visitor, vera: Vera, visitor: Callable[[], Visitor]
) -> None:
    token, cleo = invited(app, ada, vera), visitor()

    assert cleo.visit(f"/password/{token}").status_code == 200
    assert cleo.submit(f"/password/{token}", {"password": NEW}).location == "/login"
    cleo.sign_in("cleo@example.com", NEW)
    cleo.visit("/")
    cleo.follow()

    assert cleo.page is not None and cleo.page.request.path == "/vendor"
    assert "Vera Solar" in cleo.words


def test_the_mail_holds_a_link_that_is_kept_nowhere(app: Flask, ada: Visitor, vera: Vera) -> None:
    from portal.messages.sending import claim_next
    from portal.store import perform

    invited(app, ada, vera)
    with app.app_context():
        message = db.session.scalars(select(Message)).one()
        assert message.template == "vendor_invitation" and message.params == {"vendor": "Vera Solar"}
        db.session.rollback()
        claimed = perform(lambda uow: claim_next(uow, repeat_within=timedelta(minutes=5)))
        assert claimed is not None
        mail = compose(claimed)

    assert re.search(r"http://\S+/password/\S+", mail.text)
    assert "Vera Solar" in mail.subject


def test_the_link_opens_once(app: Flask, ada: Visitor, vera: Vera, visitor: Callable[[], Visitor]) -> None:
    token = invited(app, ada, vera)
    first, second = visitor(), visitor()
    for browser in (first, second):
        browser.visit(f"/password/{token}")

    first.submit(f"/password/{token}", {"password": NEW})
    late = second.submit(f"/password/{token}", {"password": "another three words apart"})

    assert late.status_code == 404
    assert second.visit(f"/password/{token}").status_code == 404
    first.sign_in("cleo@example.com", NEW)


def test_the_link_is_worthless_after_three_days_and_when_changed(
    app: Flask, ada: Visitor, vera: Vera, visitor: Callable[[], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    token, stranger = invited(app, ada, vera), visitor()

    assert stranger.visit(f"/password/{token[:-2]}xx").status_code == 404
    monkeypatch.setattr(clock, "_offset", timedelta(days=3, minutes=1))
    assert stranger.visit(f"/password/{token}").status_code == 404
    assert "used or too old" in stranger.words


def test_a_password_that_can_be_guessed_is_refused(
    app: Flask, ada: Visitor, vera: Vera, visitor: Callable[[], Visitor]
) -> None:
    token, cleo = invited(app, ada, vera), visitor()
    cleo.visit(f"/password/{token}")

    assert cleo.submit(f"/password/{token}", {"password": "short"}).status_code == 422
    assert "at least 12 characters" in cleo.words


def test_who_is_shut_out_is_out_everywhere_and_comes_back_only_invited_anew(
    app: Flask, ada: Visitor, vera: Vera, visitor: Callable[[], Visitor]
) -> None:
    token, cleo = invited(app, ada, vera), visitor()
    cleo.visit(f"/password/{token}")
    cleo.submit(f"/password/{token}", {"password": NEW})
    cleo.sign_in("cleo@example.com", NEW)
    with app.app_context():
        member = db.session.scalars(select(VendorMember)).one()
        user_id = member.user_id

    people = f"/admin/vendors/{vera.public_id}/people"
    ada.visit(people)
    ada.submit(f"{people}/{user_id}/end")
    out = cleo.visit("/vendor")
    again = invited(app, ada, vera)
    cleo.visit(f"/password/{again}")

    assert out.status_code == 303 and "/login" in str(out.location)
    assert cleo.submit(f"/password/{again}", {"password": NEW + " two"}).location == "/login"
    with app.app_context():
        said = db.session.scalars(select(Audit.action)).all()
    assert said.count("vendor member invited") == 2 and "vendor member ended" in said


@pytest.mark.parametrize("email", ["ana@example.com", "ada@example.com", "no address"])
def test_nobody_who_signs_in_already_becomes_a_vendors(ada: Visitor, vera: Vera, email: str) -> None:
    people = f"/admin/vendors/{vera.public_id}/people"
    ada.visit(people)

    assert ada.submit(people, {"name": "Ana", "email": email}).status_code == 422


def test_a_person_of_one_vendor_is_not_another_ones(app: Flask, ada: Visitor, vera: Vera, cast: Cast) -> None:
    other = invite_vera(app, cast, name="Other Solar")
    hire(app, other.vendor_id, "Olga")
    people = f"/admin/vendors/{vera.public_id}/people"
    ada.visit(people)

    assert ada.submit(people, {"name": "Olga", "email": "olga@example.com"}).status_code == 422
