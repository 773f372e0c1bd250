"""A week's page in Chromium: it shows by itself when the job is done; no finding of axe at any step."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import select

from jobs import commissions as jobs
from portal.commissions import cycles as service
from portal.extensions import db
from portal.models import Cycle
from tests.browser import AXE, Screen, chromium, cookies, served
from tests.shop import add_sale

pytestmark = pytest.mark.browser


@pytest.fixture
def week(app, cast, do):
    do(add_sale, cast.ben, 400_00, revenue=3_000_00)
    do(add_sale, cast.cem, 300_00, revenue=3_000_00)
    with app.app_context():
        zone = jobs.company_zone()
    do(service.end_if_due, zone=zone, early=True)
    with app.app_context():
        return db.session.scalar(select(Cycle.name).where(Cycle.state == "ended"))


def work(app):
    with app.app_context():
        jobs.do_requested()


def findings(screen):
    found = []
    for scheme, width in (("light", 1280), ("dark", 375), ("light", 320)):
        screen.page.emulate_media(color_scheme=scheme)
        screen.page.set_viewport_size({"width": width, "height": 900})
        violations = Axe().run(screen.page, options=AXE).response["violations"]
        found += [f"{scheme} {width}: {fault['id']}" for fault in violations]
    return found + (["scrolls sideways"] if screen.is_too_wide() else [])


def test_the_page_shows_what_the_jobs_did_without_a_reload(app, week):
    with served(app) as address, chromium() as browser:
        ada, fin = Screen(browser), Screen(browser)
        for screen, name in ((ada, "Ada"), (fin, "Fin")):
            screen.context.add_cookies(cookies(app, address, name))
            screen.page.goto(f"{address}/admin/cycles/{week}")
        found = findings(ada)

        ada.page.click("text=Preview week")
        ada.page.wait_for_selector("text=The week is being worked out")
        ada.page.evaluate("window.kept = true")
        work(app)
        ada.page.wait_for_selector("text=Biggest moves", timeout=5_000)
        assert ada.page.evaluate("window.kept")
        found += findings(ada)
        ada.page.click("text=Approve week")
        ada.page.wait_for_selector("text=A second person has to approve it too")

        fin.page.reload()
        fin.page.click("text=Approve and close week")
        fin.page.wait_for_selector("text=The week is being closed")
        work(app)
        fin.page.wait_for_selector("text=Pay week", timeout=5_000)
        found += findings(fin)

    assert (found, ada.complaints, fin.complaints) == ([], [], [])
