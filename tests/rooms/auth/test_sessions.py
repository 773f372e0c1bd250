"""The traps of signed cookies, each closed: only a row decides who is signed in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from portal.access import passwords, sessions
from portal.extensions import db
from portal.models import AccountUser, LoginSession, RoleGrant
from portal.store import perform
from tests.html import Visitor
from tests.people import PASSWORD


def _is_in(browser: Visitor) -> bool:
    return browser.client.get("/probe").status_code == 200


def _cookies_of(browser: Visitor) -> str:
    cookie = browser.client.get_cookie("canopy")
    assert cookie is not None
    return cookie.value


def _copy(house: Flask, value: str) -> Visitor:
    """Another browser that holds a stolen or kept session cookie."""
    other = Visitor(house)
    other.client.set_cookie("canopy", value)
    return other


def test_consultants_start_at_home_and_staff_in_the_company(house):
    assert Visitor(house).sign_in("ana@example.com", PASSWORD).location == "/home"
    assert Visitor(house).sign_in("ADA@Example.com ", PASSWORD).location == "/admin"
    assert Visitor(house).sign_in("fin@example.com", PASSWORD).location == "/admin"


def test_signing_in_gives_a_new_session_and_drops_what_was_planted(house):
    browser = Visitor(house)
    with browser.client.session_transaction() as kept:
        kept["planted"] = "by somebody else"
        kept["token"] = "planted-token"

    browser.sign_in("ana@example.com", PASSWORD)

    kept = browser.client.get("/probe/session").json
    assert "planted" not in kept
    assert kept["token"] != "planted-token"


def test_signing_in_again_ends_the_session_that_was_there(house, ana):
    old = _cookies_of(ana)
    ana.client.delete_cookie("canopy")
    fresh = _copy(house, old)
    fresh.visit("/probe/session")
    with fresh.client.session_transaction() as kept:
        token = kept["token"]
    with house.test_request_context():
        from flask import session

        from portal.auth import service
        from portal.auth.queries import user_by_email

        session["token"] = token
        service.begin(user_by_email(db.session(), "ana@example.com"), PASSWORD)

    assert not _is_in(_copy(house, old))


def test_after_signing_out_the_old_cookie_opens_nothing(house, ana):
    old = _cookies_of(ana)
    assert _is_in(_copy(house, old))

    ana.visit("/login/confirm")
    assert ana.submit("/logout").status_code == 303

    assert not _is_in(ana)
    assert not _is_in(_copy(house, old))


def test_signing_out_needs_the_csrf_token(ana):
    assert ana.client.post("/logout").status_code == 400
    assert _is_in(ana)


def test_a_changed_password_signs_out_everywhere(house, ana, cast):
    tablet = Visitor(house)
    tablet.sign_in("ana@example.com", PASSWORD)

    new = passwords.hash_password("other words entirely")
    with house.app_context():
        perform(lambda uow: sessions.change_password(uow, user_id=cast.ana, password_hash=new))

    assert not _is_in(ana) and not _is_in(tablet)


def test_a_disabled_user_is_out_at_once_and_stays_out(house, ana, cast):
    with house.app_context():
        perform(lambda uow: sessions.disable_user(uow, user_id=cast.ana))

    assert not _is_in(ana)
    browser = Visitor(house)
    browser.visit("/login")
    assert browser.submit("/login", {"email": "ana@example.com", "password": PASSWORD}).status_code == 422


def test_disabling_alone_is_enough(house, ana, cast):
    with house.app_context():
        perform(lambda uow: setattr(uow.session.get(AccountUser, cast.ana), "disabled_at", uow.clock()))

    assert not _is_in(ana)


def test_a_consultant_is_remembered_for_fourteen_days_of_rest(ana, travel):
    travel(timedelta(days=13, hours=23))
    assert _is_in(ana)
    travel(timedelta(days=13, hours=23))
    assert _is_in(ana)
    travel(timedelta(days=14, minutes=1))
    assert not _is_in(ana)


def test_nobody_is_remembered_beyond_ninety_days(ana, travel):
    for _fortnight in range(6):
        travel(timedelta(days=13))
        assert _is_in(ana)
    travel(timedelta(days=12, hours=1))
    assert not _is_in(ana)


def test_staff_is_out_after_a_quarter_of_an_hour(ada, travel):
    travel(timedelta(minutes=14))
    assert _is_in(ada)
    travel(timedelta(minutes=14))
    assert _is_in(ada)
    travel(timedelta(minutes=15, seconds=1))
    assert not _is_in(ada)


def test_staff_is_out_after_twelve_hours_of_work(ada, travel):
    for _quarter in range(51):
        travel(timedelta(minutes=14))
        assert _is_in(ada)
    travel(timedelta(minutes=7))
    assert not _is_in(ada)


@pytest.mark.parametrize("mark", [{"headers": {"Canopy-Tick": "1"}}, {"query_string": {"tick": "1"}}])
def test_a_page_that_asks_by_itself_keeps_nobody_in(ada, travel, mark):
    for _tick in range(14):
        travel(timedelta(minutes=1))
        assert ada.client.get("/probe", **mark).status_code == 200
    travel(timedelta(minutes=1, seconds=1))
    assert ada.client.get("/probe", **mark).status_code == 303


def test_use_is_written_down_once_a_minute_at_most(house, ana, travel):
    def used() -> object:
        with house.app_context():
            return db.session.scalars(select(LoginSession.used_at)).one()

    first = used()
    travel(timedelta(seconds=30))
    _is_in(ana)
    assert used() == first
    travel(timedelta(seconds=31))
    _is_in(ana)
    assert used() > first


def test_only_the_hash_of_the_token_is_kept(house, ana):
    token = ana.client.get("/probe/session").json["token"]
    with house.app_context():
        kept = db.session.scalars(select(LoginSession.token_hash)).one()
    assert len(token) >= 43
    assert kept != token and len(kept) == 64


@pytest.mark.parametrize("name", ["remember_token", "=", ""])
def test_a_remember_me_cookie_of_flask_login_means_nothing(house, ana, cast, name):
    with house.test_request_context():
        from flask_login import encode_cookie

        forged = encode_cookie(str(cast.ana))
    stranger = Visitor(house)
    headers = {"Cookie": f"{name}={forged}"}
    assert stranger.client.get("/probe", headers=headers).status_code == 303

    ana.client.set_cookie("remember_token", forged)
    assert _is_in(ana)


def test_flask_logins_own_user_id_means_nothing(house, cast):
    browser = Visitor(house)
    with browser.client.session_transaction() as kept:
        kept["_user_id"] = str(cast.ada)
        kept["_fresh"] = True
    assert not _is_in(browser)


def test_the_cookie_is_shut_to_scripts_and_other_sites(house):
    browser = Visitor(house)
    answer = browser.sign_in("ana@example.com", PASSWORD)
    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("canopy="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_under_https_all_cookies_are_host_cookies(sqlite_database, make_app):
    from tests.people import invite_cast

    app = make_app(sqlite_database, CANOPY_BASE_URL="https://portal.example.com")
    invite_cast(app)
    browser = Visitor(app)
    browser.visit("/login", base_url="https://portal.example.com")
    data = {**browser.hidden, "email": "ana@example.com", "password": PASSWORD}
    headers = {"Referer": "https://portal.example.com/login"}
    answer = browser.client.post("/login", data=data, base_url="https://portal.example.com", headers=headers)

    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    assert all(cookie.startswith("__Host-") and "Secure" in cookie for cookie in cookies)


def test_a_stranger_is_sent_to_sign_in_and_back(house):
    browser = Visitor(house)
    answer = browser.visit("/probe?week=3")
    assert (answer.status_code, answer.location) == (303, "/login?next=/probe?week%3D3")
    browser.follow()
    answer = browser.submit("/login", {"email": "ana@example.com", "password": PASSWORD})
    assert answer.location == "/probe?week=3"


def test_a_role_taken_away_counts_on_the_next_request(house, ada, cast):
    assert _is_in(ada)
    with house.app_context():
        perform(lambda uow: uow.session.execute(delete(RoleGrant).where(RoleGrant.user_id == cast.ada)))
    assert ada.client.get("/probe").status_code == 403
