"""The main job on real parts: join, pay, activate, watch it arrive, close the week, withdraw, be paid.

One process as `make run` starts it, a real browser, signed events over HTTP, the providers' sandbox.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import urllib3
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select

from portal.extensions import db
from portal.gateways.vendor_signatures import sign
from portal.ledger.audit import broken_invariants
from portal.members.packs import ensure_defaults
from portal.models import Consultant, Cycle, Entry
from portal.store import perform
from tests.browser import ARGUMENTS
from tests.conftest import environment
from tests.people import PASSWORD, invite_cast
from tests.processes import answers, running, wait_until
from tests.servers import free_port
from tests.services import require_chromium
from tests.vendors import invite_vera

ZONE = ZoneInfo("America/Denver")
LIVE_SECONDS = 3.0

pytestmark = pytest.mark.browser


@pytest.fixture
def monday() -> datetime:
    """Ten o'clock on the Wednesday of this week: the same in every week."""
    today = datetime.now(ZONE)
    wednesday = today.date() - timedelta(days=today.weekday()) + timedelta(days=2)
    return datetime.combine(wednesday, datetime.min.time(), ZONE).replace(hour=10).astimezone(UTC)


class Town:
    """The portal at an address, its people, its vendor, and a browser."""

    def __init__(self, address: str, vera, browser) -> None:
        self.address, self.vera, self.browser = address, vera, browser

    def page(self, email: str = "") -> Page:
        page = self.browser.new_context(viewport={"width": 375, "height": 800}).new_page()
        page.set_default_timeout(15_000)
        if email:
            page.goto(self.address + "/login")
            page.fill("#email", email)
            page.fill("#password", PASSWORD)
            page.click("main form button")
            page.wait_for_url(re.compile("/home|/admin"))
        return page

    def vendor_says(self, now: datetime, kind: str, ref: str, code: str) -> int:
        event = {
            "type": kind,
            "occurred_at": now.isoformat(),
            "consultant_code": code,
            "customer": {"ref": f"customer-{ref}", "name": "Rosa Ruiz", "email": "rosa@example.com"},
        }
        if kind != "customer.registered":
            signed_on = now.date().isoformat()
            contract = {"ref": f"contract-{ref}", "service": "solar", "size": "8.40", "signed_on": signed_on}
            event["contract"] = contract
        body = json.dumps(event).encode()
        stamp = int(now.timestamp())
        headers = {
            "webhook-id": f"event-{kind.replace('.', '-')}-{ref}",
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(
                self.vera.key.secret, f"event-{kind.replace('.', '-')}-{ref}", stamp, body
            ),
            "content-type": "application/json",
        }
        url = f"{self.address}/api/v1/vendors/{self.vera.public_id}/events"
        return urllib3.request("POST", url, body=body, headers=headers, timeout=10).status


def confirm_password(page: Page) -> None:
    if "/login/confirm" in page.url:
        page.fill("#password", PASSWORD)
        page.click("main form button")
        page.wait_for_load_state()
    if "/login/go-on" in page.url:
        page.get_by_role("button", name="Go on").click()


def join(town: Town, code: str) -> None:
    page = town.page()
    page.goto(f"{town.address}/r/{code}")
    page.goto(f"{town.address}/join/plan")
    page.check("input[name=pack][value=plus]", force=True)
    page.click("main form button")
    page.fill("#name", "Nia Newcomer")
    page.fill("#email", "nia@example.com")
    page.fill("#password", PASSWORD)
    page.click("main form button")
    page.wait_for_url("**/join/check")
    page.check("input[type=checkbox]", force=True)
    page.click("main form button")
    page.wait_for_url("**/sandbox/checkout/**")
    expect(page.locator("h1")).to_have_text("Test payment")
    page.fill("input[name=card]", "4242424242424242")
    page.click("main form button")
    page.wait_for_url("**/join/done/**")
    expect(page.locator("h1")).to_contain_text("You are in", timeout=20_000)


@pytest.fixture
def portal(sqlite_database, make_app, tmp_path, monday):
    """Starts the portal at an instant; again and again on the same books."""
    app = make_app(sqlite_database)
    with app.app_context():
        cast = invite_cast(app)
        perform(ensure_defaults)
        vera = invite_vera(app, cast)
    port = free_port()
    address = f"http://localhost:{port}"

    def start(now: datetime):
        settings = environment(
            sqlite_database,
            tmp_path / "instance",
            PORT=str(port),
            CANOPY_BASE_URL=address,
            CANOPY_NOW=now.isoformat(),
        )
        return running(settings, "gunicorn", "wsgi:app")

    return app, cast, vera, address, start


def test_from_the_link_to_the_paid_withdrawal(portal, monday):
    app, cast, vera, address, start = portal
    code = vera.ana
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_chromium(), args=list(ARGUMENTS))
        town = Town(address, vera, browser)

        with start(monday):
            wait_until(lambda: answers(f"{address}/healthz"), seconds=30, what="the portal")
            join(town, code)
            ana = town.page("ana@example.com")
            legs = ana.locator("#live")
            expect(legs).to_be_visible()

            assert town.vendor_says(monday, "customer.registered", "1", vera.ben) == 202
            assert town.vendor_says(monday, "service.activated", "1", vera.ben) == 202
            arrived = wait_until(lambda: "184" in legs.inner_text(), seconds=10, what="the left leg")
            assert arrived <= LIVE_SECONDS, f"the activation took {arrived:.1f} s to be seen"
            with app.app_context():
                cem = db.session.scalars(select(Consultant.code).where(Consultant.id == cast.cem)).one()
            assert town.vendor_says(monday, "service.activated", "2", cem) == 202
            assert town.vendor_says(monday, "service.activated", "2", cem) == 200
            browser.contexts[-1].close()

        with start(monday + timedelta(days=7)):
            wait_until(lambda: answers(f"{address}/healthz"), seconds=30, what="the portal")
            close_the_week(app, town)
        with start(monday + timedelta(days=28)):
            wait_until(lambda: answers(f"{address}/healthz"), seconds=30, what="the portal")
            withdraw_and_be_paid(app, town)
            mails = town.page()
            mails.goto(f"{address}/sandbox/mailbox")
            wait_until(
                lambda: mails.reload() and all(word in mails.inner_text("main") for word in WORDS_OF_MAILS),
                seconds=20,
                what="the four mails",
            )
        browser.close()
    with app.app_context():
        assert broken_invariants(db.session()) == []


WORDS_OF_MAILS = ("Welcome to Canopy", "We received your payment", "You earned", "We paid your withdrawal")


def close_the_week(app, town: Town) -> None:
    with app.app_context():
        name = wait_for_ended(app)
    ada = town.page("ada@example.com")
    ada.goto(f"{town.address}/admin/cycles/{name}")
    ada.get_by_role("button", name=re.compile("review", re.I)).first.click()
    confirm_password(ada)
    ada.get_by_role("button", name=re.compile("^Approve", re.I)).first.click(timeout=30_000)
    confirm_password(ada)
    fin = town.page("fin@example.com")
    fin.goto(f"{town.address}/admin/cycles/{name}")
    fin.get_by_role("button", name=re.compile("^Approve", re.I)).first.click()
    confirm_password(fin)
    ada.goto(f"{town.address}/admin/cycles/{name}")
    close = ada.get_by_role("button", name=re.compile("close", re.I))
    if close.count():
        close.first.click()
    with app.app_context():
        wait_until(lambda: closed(name), seconds=30, what="the close")
        assert db.session.scalars(select(Entry.key).where(Entry.kind == "commission binary")).all()


def withdraw_and_be_paid(app, town: Town) -> None:
    ana = town.page("ana@example.com")
    wait_until(
        lambda: ana.goto(f"{town.address}/earnings/withdraw") and ana.locator("#amount").count(),
        seconds=30,
        what="the release of the hold",
    )
    ana.fill("#amount", "12.00")
    ana.click("main form button")
    confirm_password(ana)
    ana.get_by_role("button", name="Withdraw $12.00").click()
    confirm_password(ana)
    if ana.get_by_role("button", name="Withdraw $12.00").count():
        ana.get_by_role("button", name="Withdraw $12.00").click()
    ana.wait_for_url("**/earnings/withdrawals/**")
    ada, fin = town.page("ada@example.com"), town.page("fin@example.com")
    for who, verb, state in ((ada, "Approve", "requested"), (fin, "Export", "approved")):
        who.goto(f"{town.address}/admin/payouts?state={state}")
        who.locator("input[type=checkbox]").last.check(force=True)
        who.get_by_role("button", name=re.compile(verb)).first.click()
        confirm_password(who)
        who.wait_for_load_state()
    fin.wait_for_url("**/admin/payouts/batches/**")
    fin.get_by_role("button", name=re.compile("paid", re.I)).first.click()
    confirm_password(fin)
    wait_until(lambda: ana.reload() and "Paid" in ana.inner_text("main"), what="the paid withdrawal")


def wait_for_ended(app) -> str:
    def name():
        db.session.rollback()
        return db.session.scalar(select(Cycle.name).where(Cycle.state == "ended"))

    wait_until(name, seconds=30, what="the end of the week")
    return str(name())


def closed(name: str) -> bool:
    db.session.rollback()
    return db.session.scalar(select(Cycle.state).where(Cycle.name == name)) == "closed"
