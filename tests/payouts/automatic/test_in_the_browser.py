"""The pages of automatic payouts in Chromium: no finding of axe, no complaint, no sideways scroll."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from jobs import matching as job
from portal.payouts import stops
from portal.payouts.automatic import review, steps
from portal.payouts.automatic.review import Proposal
from portal.store import perform
from tests.browser import AXE, Screen, chromium, cookies
from tools.soak.people import a_method

QUEUE = "/admin/payouts/sending"
PICTURES = os.environ.get("CANOPY_PICTURES", "")

pytestmark = pytest.mark.browser


@pytest.fixture
def database(sqlite_database):
    """Pages do not depend on the engine."""
    return sqlite_database


@pytest.fixture
def busy(show, cast):
    """Payouts in several states, one proposal, a stop and a match with a difference; two public ids."""
    first, second, *_ = show.queue(5, people=5, cents=1_234_56)
    show.do(steps.send_to_review, first, old="queued", reason="Nobody knows.")
    show.do(steps.send_to_review, second, old="queued", reason="Over the limit.")
    proposal = Proposal("release", "The provider's page shows none.")
    show.do(lambda uow: review.propose(uow, proposal, withdrawal_id=second, actor_id=cast.fin) and None)
    show.order("stripe.transfers.create", "drop_after", "500_before")
    show.drain()
    with show.play.store.writing() as books:
        transfer = books.newest("transfer")[0]
        books.save("transfer", {**transfer, "id": "tr_stranger", "transfer_group": "po_nobody"})
    show.later(seconds=2)
    with show.app.app_context():
        job.match_all()
        perform(lambda uow: stops.stop(uow, cause="a test", detail="Somebody has to look.") and None)
        perform(lambda uow: a_method(uow, "stripe"))
    return [show.row(one).public_id for one in (first, second)]


def look_at(screen, address, path):
    found = []
    screen.page.goto(address + path)
    for scheme, width in (("light", 1280), ("dark", 375), ("light", 375), ("dark", 1280)):
        screen.page.emulate_media(color_scheme=scheme)
        screen.page.set_viewport_size({"width": width, "height": 900})
        faults = Axe().run(screen.page, options=AXE).response["violations"]
        found += [f"{path}, {scheme} {width}: {fault['id']}" for fault in faults]
        if PICTURES:
            name = f"{path.strip('/').replace('/', '-')}-{scheme}-{width}.png"
            screen.page.screenshot(path=str(Path(PICTURES) / name), full_page=True)
    screen.page.set_viewport_size({"width": 320, "height": 900})
    found += [f"{path} scrolls sideways"] if screen.is_too_wide() else []
    return found + screen.complaints


def test_the_companys_pages_are_fit_for_everybody(show, busy):
    address = show.app.config["SETTINGS"].base_url
    with chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(show.app, address, "Ada"))
        found = [
            finding
            for path in (QUEUE, f"{QUEUE}?state=sent", *(f"{QUEUE}/{public_id}" for public_id in busy))
            for finding in look_at(screen, address, path)
        ]

    assert found == []


def test_a_consultant_sets_up_stripe_with_a_few_clicks(show, cast, busy):
    address = show.app.config["SETTINGS"].base_url
    with chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(show.app, address, "Ben"))
        page = screen.page
        found = look_at(screen, address, "/earnings/payees/stripe")
        page.click("text=Set up payouts with Stripe")
        page.wait_for_url("**/sandbox/connect/onboarding/**")
        page.click("text=Everything is given")
        page.wait_for_url("**/earnings/payees/stripe/back")
        show.hear()
        found += look_at(screen, address, "/earnings/payees/stripe/back")
        found += look_at(screen, address, "/earnings/payees/stripe/again")
        assert "may go there from" in page.inner_text("#account")

    assert found == []
