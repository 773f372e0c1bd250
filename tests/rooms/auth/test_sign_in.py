"""The sign-in page: same answer for everybody who is wrong, slower and slower for those who guess."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from portal.access import attempts, passwords, sessions
from portal.extensions import db, redis
from portal.models import AccountUser, RoleGrant
from portal.store import perform
from tests.html import Visitor
from tests.people import PASSWORD

WRONG = {"email": "ana@example.com", "password": "wrong horse battery"}
# How alike the fastest answers must be, and how many rounds of tries they have for it.
EVEN, LEAST_ROUNDS, MOST_ROUNDS = 0.8, 9, 40
RIGHT = {"email": "ana@example.com", "password": PASSWORD}


def _try(browser: Visitor, data: dict[str, str]) -> int:
    if "csrf_token" not in browser.hidden:
        browser.visit("/login")
    return browser.submit("/login", data).status_code


def test_unknown_and_wrong_get_the_same_page(house):
    def answer(email: str) -> str:
        browser = Visitor(house)
        _try(browser, {"email": email, "password": "wrong horse battery"})
        token = browser.hidden["csrf_token"]
        return browser.page.text.replace(token, "").replace(email, "")

    assert answer("ana@example.com") == answer("nobody@example.com")


def test_unknown_wrong_disabled_and_waiting_take_the_same_time(house, cast):
    fastest = _fastest(house, cast)
    assert _evenness(fastest) > EVEN, fastest


def test_without_a_hash_for_nobody_the_times_tell_who_is_known(house, cast, monkeypatch):
    """The negative control: what the hash that belongs to nobody is for."""
    kept = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda known, tried: known is not None and kept(known, tried))
    fastest = _fastest(house, cast)
    assert _evenness(fastest) < EVEN, fastest


def _fastest(house, cast) -> dict[str, float]:
    """The fastest answer to each kind of wrong try, after as many rounds as it takes for them to be even.

    A machine that is busy with something else makes single answers slower and never the fastest one faster
    than it can be: more rounds bring the fastest ones together, unless they are different.
    """
    with house.app_context():
        perform(lambda uow: sessions.disable_user(uow, user_id=cast.dia))
    browser = Visitor(house)
    browser.visit("/login")

    def one_try(name: str) -> float:
        redis.client.flushdb()
        if name == "cem":
            for _guess in range(6):
                attempts.may_try("cem@example.com")
        start = time.perf_counter()
        _try(browser, {"email": f"{name}@example.com", "password": "wrong horse battery"})
        return time.perf_counter() - start

    fastest = dict.fromkeys(("ana", "nobody", "dia", "cem"), float("inf"))
    for number in range(1, MOST_ROUNDS + 1):
        fastest = {name: min(known, one_try(name)) for name, known in fastest.items()}
        if number >= LEAST_ROUNDS and _evenness(fastest) > EVEN:
            break
    return fastest


def _evenness(times: dict[str, float]) -> float:
    return min(times.values()) / max(times.values())


def test_empty_fields_are_named_next_to_them(house):
    browser = Visitor(house)
    assert _try(browser, {"email": "", "password": ""}) == 422
    assert "Please write your e-mail." in browser.words
    assert "Please write your password." in browser.words
    assert 'aria-invalid="true"' in browser.page.text


def test_the_page_never_carries_the_password_back(house):
    browser = Visitor(house)
    _try(browser, WRONG)
    assert "wrong horse battery" not in browser.page.text
    assert 'value="ana@example.com"' in browser.page.text


def test_password_managers_find_their_fields(house):
    page = Visitor(house).visit("/login").text
    assert 'autocomplete="username"' in page and 'autocomplete="current-password"' in page


def test_of_a_thousand_guesses_few_are_looked_at(house, monkeypatch):
    looked_at = []
    real = passwords.matches
    monkeypatch.setattr(
        passwords,
        "matches",
        lambda kept, given: looked_at.append(kept is not None) or (kept and real(kept, given)),
    )
    with house.test_request_context():
        from portal.auth.service import user_with_password

        for guess in range(1_000):
            assert user_with_password("ana@example.com", f"guess {guess}") is None
            if guess % 100 == 0:
                db.session.remove()

    assert 5 <= sum(looked_at) <= 20


def test_the_delay_grows_and_even_the_right_password_waits(house):
    browser = Visitor(house)
    _guess_on(browser)
    assert _try(browser, RIGHT) == 422

    for key in redis.client.scan_iter("*:wait"):
        redis.client.delete(key)
    assert _try(browser, RIGHT) == 303


def _guess_on(browser: Visitor) -> None:
    """Guess until the next try is minutes away, so that a slow machine does not outwait it."""
    _try(browser, WRONG)
    for key in list(redis.client.scan_iter("canopy:tries:*")):
        redis.client.set(key, 12)
    _try(browser, WRONG)


def test_a_stranger_cannot_keep_the_owner_out(house, ana):
    ana.visit("/login/confirm")
    ana.submit("/logout")
    stranger = Visitor(house)
    _guess_on(stranger)

    assert _try(stranger, RIGHT) == 422
    ana.visit("/login")
    assert ana.submit("/login", RIGHT).status_code == 303


def test_a_lost_redis_keeps_nobody_out(house, monkeypatch):
    from redis.exceptions import ConnectionError

    def gone(*_arguments: object, **_options: object) -> None:
        raise ConnectionError("gone")

    browser = Visitor(house)
    browser.visit("/login")
    with monkeypatch.context() as patch:
        patch.setattr(type(redis.client), "execute_command", gone)
        assert _try(browser, RIGHT) == 303


def test_one_address_may_try_twenty_times_a_minute(sqlite_database, make_app):
    from tests.people import invite_cast

    app = make_app(sqlite_database, CANOPY_RATE_LIMITS="on")
    from portal.extensions import limiter

    invite_cast(app)
    limiter.reset()
    browser = Visitor(app)
    browser.visit("/login")
    answers, told = [], []
    for number in range(21):
        answers.append(_try(browser, {**WRONG, "email": f"nobody{number}@example.com"}))
        told.append("Retry-After" in browser.page.headers)
    limiter.reset()

    assert answers == [422] * 20 + [429]
    assert told == [False] * 20 + [True]
    assert int(browser.page.headers["Retry-After"]) > 0


def test_a_hash_of_weaker_times_is_made_anew(house, cast):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with house.app_context():
        perform(lambda uow: setattr(uow.session.get(AccountUser, cast.ana), "password_hash", weak))

    Visitor(house).sign_in("ana@example.com", PASSWORD)

    with house.app_context():
        kept = db.session.get(AccountUser, cast.ana).password_hash
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_more_fields_than_asked_for_change_nothing(house):
    browser = Visitor(house)
    browser.visit("/login")
    more = {
        "role": "admin",
        "roles": "admin",
        "is_admin": "1",
        "user_id": "1",
        "plan": "plus",
        "balance": "9",
    }
    browser.submit("/login", {**RIGHT, **more})
    with house.app_context():
        ana = db.session.scalars(select(AccountUser).where(AccountUser.email == "ana@example.com")).one()
        assert ana.roles == {"consultant"}
        assert len(db.session.scalars(select(RoleGrant)).all()) == 6


def test_money_asks_for_the_password_again_after_ten_minutes(ana, travel):
    from datetime import timedelta

    assert ana.visit("/probe/money?amount=5").status_code == 200
    travel(timedelta(minutes=11))
    answer = ana.visit("/probe/money?amount=5")
    assert (answer.status_code, answer.location) == (303, "/login/confirm?next=/probe/money?amount%3D5")

    ana.follow()
    assert ana.submit("/login/confirm", {"password": "wrong horse battery"}).status_code == 422
    assert ana.submit("/login/confirm", {"password": PASSWORD}).location == "/probe/money?amount=5"
    assert ana.follow().status_code == 200


def test_confirming_gives_a_new_token(house, ana):
    before = ana.client.get("/probe/session").json["token"]
    ana.visit("/login/confirm")
    ana.submit("/login/confirm", {"password": PASSWORD})
    after = ana.client.get("/probe/session").json["token"]
    assert before != after
    thief = Visitor(house)
    with thief.client.session_transaction() as kept:
        kept["token"] = before
    assert thief.client.get("/probe").status_code == 303


def test_a_form_that_moves_money_leads_back_to_its_page(ana, travel):
    from datetime import timedelta

    ana.visit("/login/confirm")
    travel(timedelta(minutes=11))
    answer = ana.submit("/probe/money", headers={"Referer": "http://localhost/probe/money?amount=5"})
    assert answer.location == "/login/confirm?next=/probe/money?amount%3D5"


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_the_look_is_kept_by_the_browser(house, theme):
    browser = Visitor(house)
    browser.visit("/login")
    answer = browser.submit("/theme", {"theme": theme, "next": "/login?"})
    assert (answer.status_code, answer.location) == (303, "/login")
    assert browser.client.get_cookie("canopy_theme").value == theme
    assert (f'data-theme="{theme}"' in browser.follow().text) == (theme != "system")


def test_a_look_that_does_not_exist_is_not_kept(house):
    browser = Visitor(house)
    browser.visit("/login")
    browser.submit("/theme", {"theme": "neon", "next": "//evil.example"})
    assert browser.page.location == "/"
    assert browser.client.get_cookie("canopy_theme") is None


def test_the_first_page_leads_in(house, ana):
    stranger = Visitor(house)
    assert stranger.visit("/").status_code == 200
    assert 'href="/login"' in stranger.page.text and 'href="/join"' in stranger.page.text
    assert ana.visit("/").location == "/home"
