"""People make tokens on a page, see each once, and end them."""

from __future__ import annotations

import re

import pytest

from tests.integrations.conftest import Program

OWN, COMPANY = "/settings/integrations", "/admin/integrations"
WISH = {"name": "My CRM", "scopes": ["sales:read", "leads:read"], "days": "90"}


@pytest.mark.parametrize(("name", "page"), [("Ben", OWN), ("Ada", COMPANY), ("Fin", COMPANY)])
def test_a_token_is_shown_once_and_works_until_it_is_revoked(app, signed_in, name, page):
    browser = signed_in(name)
    browser.visit(page)
    made = browser.submit(page, WISH)
    [text] = set(re.findall(r"cnp_[A-Za-z0-9_-]{43}", made.text))
    program = Program(app, text)

    assert made.status_code == 201
    assert program.get("sales").status_code == 200
    assert program.get("members").status_code == 403
    browser.visit(page)
    assert text not in browser.page.text and "My CRM" in browser.words
    [revoke] = re.findall(rf'action="({page}/tokens/[a-z2-7]+/revoke)"', browser.page.text)
    browser.submit(revoke)
    assert program.get("sales").status_code == 401


def test_a_token_of_the_company_says_that_it_reads_everybody(signed_in):
    ben, ada = signed_in("Ben"), signed_in("Ada")
    ben.visit(OWN)
    ada.visit(COMPANY)
    assert "Read your team" in ben.words and "Read all members" not in ben.words
    assert "Read all members" in ada.words and "your team" not in ada.words

    ada.submit(COMPANY, {**WISH, "scopes": ["members:read"]})
    ada.visit(COMPANY)
    assert ada.words.count("Read all members") == 2


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"days": "4000"}]
)
def test_a_wish_that_cannot_be_met_says_so_at_its_field(signed_in, wrong):
    ben = signed_in("Ben")
    ben.visit(OWN)

    assert ben.submit(OWN, {**WISH, **wrong}).status_code == 422
    assert "cnp_" not in ben.page.text


def test_a_stranger_and_the_wrong_side_are_not_let_in(signed_in, visitor):
    assert visitor().visit(OWN).status_code == 303
    assert signed_in("Ben").visit(COMPANY).status_code == 403
    assert signed_in("Ada").visit(OWN).status_code == 403


def test_a_token_is_made_after_the_password_was_given(app, signed_in, do):
    from datetime import timedelta

    from sqlalchemy import update

    from portal.models import LoginSession

    ben = signed_in("Ben")
    ben.visit(OWN)
    long_ago = timedelta(hours=1)
    do(lambda uow: uow.session.execute(update(LoginSession).values(confirmed_at=uow.clock() - long_ago)))

    assert ben.submit(OWN, WISH).status_code == 303
    assert "/confirm" in ben.page.location
