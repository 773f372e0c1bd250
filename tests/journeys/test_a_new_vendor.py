"""A new vendor in under five minutes: typed in by an admin, paid on its first event, no restart.

One process as `make run` starts it, a real browser, the very command that the page shows, run in a shell.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import select

from portal.extensions import db
from portal.members.packs import ensure_defaults
from portal.models import Consultant
from portal.store import perform
from tests.browser import ARGUMENTS
from tests.conftest import environment
from tests.people import PASSWORD, invite_cast
from tests.processes import answers, running, wait_until
from tests.servers import free_port
from tests.services import require_chromium

pytestmark = pytest.mark.browser

FIVE_MINUTES = 300
# Seconds that somebody needs who does this for the first time: to write, to choose or press, to read a page.
WRITING, PRESSING, READING = 7, 3, 12


@dataclass
class Hand:
    """An admin at the keyboard, and what they did so far."""

    page: Page
    written: int = 0
    pressed: int = 0
    pages: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> int:
        return self.written * WRITING + self.pressed * PRESSING + len(self.pages) * READING

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            self.page.fill(f"#{name}", text)
            self.written += 1

    def press(self, selector: str) -> None:
        self.page.click(selector)
        self.pressed += 1

    def turn(self, selector: str, to: str) -> None:
        """Press what leads to another page."""
        self.press(selector)
        self.page.wait_for_url(re.compile(to))
        self.pages.append(to)


@pytest.fixture
def portal(sqlite_database, make_app, tmp_path):
    """The portal with its people and no vendor: the app beside it, its address, its settings."""
    app = make_app(sqlite_database)
    with app.app_context():
        perform(ensure_defaults)
        cast = invite_cast(app)
        codes = db.session.execute(select(Consultant.id, Consultant.code)).all()
    port = free_port()
    address = f"http://localhost:{port}"
    settings = environment(sqlite_database, tmp_path / "instance", PORT=str(port), CANOPY_BASE_URL=address)
    return dict(codes)[cast.ben], address, settings


def signed_in(browser, address: str, name: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{address}/login")
    page.fill("#email", f"{name}@example.com")
    page.fill("#password", PASSWORD)
    page.click("main form button")
    page.wait_for_url(re.compile("/home|/admin"))
    return page


def add_the_vendor(hand: Hand, address: str) -> None:
    """Vendor, a service by the pay plan, a recurring one that shares its revenue, the key."""
    hand.page.goto(f"{address}/admin/vendors")
    hand.pages.append("/admin/vendors$")
    hand.turn("main a:has-text('Add a vendor')", "/admin/vendors/new$")
    hand.write(name="Amper & Daughters")
    hand.turn("text=Add the vendor", "/new-service$")
    hand.write(name="Wall box", code="wallbox", unit="device")
    hand.write(volume_flat="80", revenue_flat_cents="150")
    hand.press("text=Keep it, then another service")
    hand.page.wait_for_selector("text=Wall box is in the catalogue.")
    hand.pages.append("/new-service$")
    hand.write(name="Charging plan", code="charging", unit="month")
    hand.press("label:has-text('Each month')")
    hand.write(volume_flat="20", revenue_flat_cents="100")
    hand.press("#part-residual summary")
    hand.write(residual_volume_flat="5", residual_revenue_flat_cents="19.90")
    hand.press("#part-shares summary")
    hand.write(share_vendor="60", share_company="27", share_consultant="10", share_upline="2, 1")
    hand.turn("text=Keep it, then the key", "/admin/vendors/[a-z0-9]+#keys$")
    hand.press("text=Make a key")
    hand.page.wait_for_selector("#key-secret")


def run(command: str, folder: Path, settings: dict[str, str]) -> str:
    """What a command of the page prints, run in a shell by a developer of the vendor."""
    root = Path(__file__).parents[2]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = {**settings, "PATH": path, "PYTHONPATH": str(root)}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=shell,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_vendor_typed_in_by_an_admin_pays_on_its_first_event(portal, tmp_path):
    code, address, settings = portal
    with sync_playwright() as playwright, running(settings, "gunicorn", "wsgi:app"):
        wait_until(lambda: answers(f"{address}/healthz"), seconds=30, what="the portal")
        browser = playwright.chromium.launch(executable_path=require_chromium(), args=list(ARGUMENTS))
        hand = Hand(signed_in(browser, address, "ada"))
        add_the_vendor(hand, address)
        curl, simulator = (
            hand.page.inner_text(f"#{name}").replace("ABCD2345", code)
            for name in ("try-curl", "try-simulator")
        )

        assert run(curl, tmp_path, settings).strip().endswith("202")
        ben = signed_in(browser, address, "ben")
        # 10% of $100.00 by the terms of the charging plan, not the pay plan's 5%.
        wait_until(lambda: ben.reload() and "$10.00" in ben.inner_text("main"), seconds=20, what="his share")
        assert "Sent 2: 2 accepted" in run(simulator, tmp_path, settings)
        wait_until(lambda: ben.reload() and "$20.00" in ben.inner_text("main"), seconds=20, what="both")
        browser.close()

    assert (hand.written, hand.pressed, len(hand.pages)) == (17, 8, 5)
    assert hand.seconds == 203 < FIVE_MINUTES
