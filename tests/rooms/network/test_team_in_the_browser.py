"""An open genealogy in Chromium: who joins far below appears at once, and nothing jumps meanwhile."""

from __future__ import annotations

import pytest

from portal.commissions import projection
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.members.placement import place_by_hand
from portal.models import Consultant
from portal.store import perform
from tests.browser import Screen, chromium, cookies, served
from tests.people import add_consultant, invite_cast
from tests.shop import add_sale

pytestmark = pytest.mark.browser

LEVELS = 6
LIVE_MS = 3_000


@pytest.fixture
def tall(sqlite_app):
    """Six people stand one below the other under Ben, who stands under Ana; (application, cast, the last)."""
    cast = invite_cast(sqlite_app)

    def build(uow):
        last = cast.ben
        for level in range(LEVELS):
            last = add_consultant(uow, f"Level{level}", sponsor=last, under=(last, "L"))
        return last, uow.session.get_one(Consultant, last).public_id

    with sqlite_app.app_context():
        last, public_id = perform(build)
    return sqlite_app, cast, last, public_id


def join(app, sponsor):
    """Nia registers with the last one's link, and they place her on their left."""

    def work(uow):
        nia = add_consultant(uow, "Nia", sponsor=sponsor)
        people = [uow.session.get_one(Consultant, each) for each in (sponsor, nia, sponsor)]
        place_by_hand(uow, sponsor=people[0], consultant=people[1], parent=people[2], leg="L")

    with app.app_context():
        perform(work)


def window(browser, app, address, path):
    screen = Screen(browser, viewport={"width": 375, "height": 700})
    screen.context.add_cookies(cookies(app, address, "Ana"))
    screen.page.goto(address + path)
    screen.page.evaluate("window.kept = true")
    return screen


def test_who_joins_seven_levels_below_is_in_the_open_genealogy_at_once(tall):
    app, _cast, last, public_id = tall
    with served(app) as address, chromium() as browser:
        own = window(browser, app, address, "/team")
        there = window(browser, app, address, f"/team/{public_id}")
        assert "7 people" in own.page.inner_text(".node--focus")
        assert "Nia" not in there.page.inner_text("#tree")

        join(app, last)

        counted = "() => document.querySelector('.node--focus').innerText.includes('8 people')"
        own.page.wait_for_function(counted, timeout=LIVE_MS)
        shown = "() => document.querySelector('.node--pair')?.innerText.includes('Nia')"
        there.page.wait_for_function(shown, timeout=LIVE_MS)
        for screen in (own, there):
            assert screen.page.evaluate("window.kept") and screen.complaints == []


def test_a_live_part_that_changes_moves_neither_focus_nor_page(tall):
    app, _cast, last, _public_id = tall
    with served(app) as address, chromium() as browser:
        for path, focus in (("/team", ".node--pair"), ("/home", "#earnings-sum summary")):
            screen = window(browser, app, address, path)
            page = screen.page
            page.focus(focus)
            page.evaluate(f"window.element = document.querySelector('{focus}'); scrollTo(0, 120)")
            before = page.evaluate("scrollY")
            text = page.inner_text("main")

            with app.app_context():
                perform(lambda uow: add_sale(uow, last, 777_00, revenue=777_00))
                projection.recalculate(db.session(), now=utc_now())
                db.session.rollback()

            page.wait_for_function("text => document.querySelector('main').innerText !== text", arg=text)
            kept = "[document.activeElement === window.element, window.element.isConnected, scrollY]"
            assert page.evaluate(kept) == [True, True, before], path
            assert screen.complaints == []
            screen.context.close()
