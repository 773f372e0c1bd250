"""The pages of the books in Chromium, with something in them: light, dark, wide, on a phone, and on paper."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.ledger.releases import claw_back
from portal.models import Adjustment, Consultant
from portal.payouts import adjustments, checks, stops
from portal.payouts.adjustments import Proposal
from portal.store import perform
from tests.browser import Screen, chromium, cookies, served
from tests.payouts.purses import earn
from tests.rooms.test_every_page_in_the_browser import look_at

pytestmark = pytest.mark.browser
REASON = "The vendor reported the size too small."


@pytest.fixture
def places(app, cast, asked, do):
    """Ben earned, was corrected and owes; a correction waits, the books were checked, payouts are stopped."""
    do(lambda uow: earn(uow, cast.ben, 75_25, cycle=cast.cycle) and None)
    do(claw_back, consultant_id=cast.ben, amount=600_00, key="claw", cause=("test", 1))
    for key, cents in (("a", 10_00), ("b", -20_00)):
        wanted = Proposal(cast.ben, "correction", cents, REASON, key)
        do(lambda uow, wanted=wanted: adjustments.propose(uow, wanted, actor_id=cast.ada) and None)
    with app.app_context():
        rows = db.session.scalars(select(Adjustment).order_by(Adjustment.id)).all()
        first, second = rows[0].id, rows[1].public_id
        perform(lambda uow: adjustments.approve(uow, adjustment_id=first, actor_id=cast.fin) and None)
        perform(lambda uow: stops.stop(uow, cause="match", detail="One transfer has no partner.") and None)
        checks.look(db.session(), now=utc_now())
        entry = db.session.get_one(Adjustment, first).entry_id
        booked = db.session.get_one(Adjustment, first).public_id
        ben = db.session.get_one(Consultant, cast.ben).public_id
    company = [
        "/admin/books",
        "/admin/books/company/commission_expense",
        "/admin/books/consultant/receivable",
        f"/admin/entries/{entry}",
        f"/admin/consultants/{ben}/statement",
        f"/admin/consultants/{ben}/adjust",
        "/admin/adjustments?who=b",
        f"/admin/adjustments/{booked}",
        f"/admin/adjustments/{second}",
        "/admin/cooling-off",
    ]
    own = ["/earnings/statement", "/earnings/statement?kind=corrections", f"/earnings/entries/{entry}"]
    return {"Fin": company, "Ben": own}


@pytest.mark.parametrize("reader", ["Fin", "Ben"])
def test_no_page_of_the_books_has_a_finding(app, places, reader):
    found = []
    with served(app) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(app, address, reader))
        for path in places[reader]:
            found += look_at(screen, address, path)

    assert found == []


def test_on_paper_the_statement_stands_alone(app, places):
    with served(app) as address, chromium() as browser:
        screen = Screen(browser, viewport={"width": 800, "height": 1100})
        screen.context.add_cookies(cookies(app, address, "Ben"))
        page = screen.page
        page.goto(address + "/earnings/statement?rows=all")
        page.emulate_media(media="print")

        assert page.locator(".table:visible").count() == 1
        assert page.locator(".only-print:visible").count() == 1
        for gone in (".top", ".side", ".tabs", "form", ".buttons", ".pager"):
            assert page.locator(f"{gone}:visible").count() == 0, gone
