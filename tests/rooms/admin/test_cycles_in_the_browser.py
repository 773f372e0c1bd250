"""A week's page in Chromium: it shows by itself when the job is done; no finding of axe at any step."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import select

from jobs import commissions as jobs
from portal.commissions import cycles as service
from portal.extensions import db
from portal.kernel.ids import new_id
from portal.models import Cycle, Vendor
from portal.store import progress
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
        ada.page.wait_for_selector("text=is being worked out")
        ada.page.evaluate("window.kept = true")
        work(app)
        ada.page.wait_for_selector("text=Biggest moves", timeout=5_000)
        assert ada.page.evaluate("window.kept")
        found += findings(ada)
        ada.page.click("text=Approve week")
        ada.page.wait_for_selector("text=A second person has to approve it too")

        fin.page.reload()
        fin.page.click("text=Approve and close week")
        fin.page.wait_for_selector("text=is being closed")
        work(app)
        fin.page.wait_for_selector("text=Pay week", timeout=5_000)
        found += findings(fin)

    assert (found, ada.complaints, fin.complaints) == ([], [], [])


def test_a_job_is_watched_without_a_script_and_survives_a_reload(app, week):
    steps = ("read", "calculate", "write")
    with app.app_context():
        cycle_id = db.session.scalar(select(Cycle.id).where(Cycle.name == week))
    with served(app) as address, chromium() as browser:
        ada = Screen(browser, java_script_enabled=False)
        ada.context.add_cookies(cookies(app, address, "Ada"))
        ada.page.goto(f"{address}/admin/cycles/{week}")
        ada.page.click("text=Preview week")
        assert "Waiting for its turn" in ada.page.inner_text("#job")
        with app.app_context():
            progress.report(f"cycle-{cycle_id}", step="calculate", steps=steps, done=500, total=2_000)

        ada.page.reload()
        assert "Matching 2,000 people\n41%" in ada.page.inner_text("#job")
        work(app)
        ada.page.wait_for_selector("text=Biggest moves", timeout=8_000)


def test_a_reason_that_is_being_written_stays_and_is_then_kept(app, week, do):
    """The page of a review does not tick, so that what is typed stays; a reason is kept and shown."""

    def silence(uow):
        uow.session.add(Vendor(public_id=new_id(), name="Quiet Cam", core=False, created_at=uow.clock()))

    do(silence)
    with served(app) as address, chromium() as browser:
        ada = Screen(browser)
        ada.context.add_cookies(cookies(app, address, "Ada"))
        ada.page.goto(f"{address}/admin/cycles/{week}")
        ada.page.click("text=Preview week")
        work(app)
        ada.page.wait_for_selector("#reason-vendors", timeout=5_000)
        found = findings(ada)
        ada.page.fill("#reason-vendors", "They told us that nothing")
        ada.page.wait_for_timeout(2_600)
        ada.page.type("#reason-vendors", " happened this week.")
        ada.page.click("text=Keep this reason")
        ada.page.wait_for_selector("text=“They told us that nothing happened this week.”")
        assert ada.page.is_visible("text=Approve week")
        found += findings(ada)

    assert (found, ada.complaints) == ([], [])
