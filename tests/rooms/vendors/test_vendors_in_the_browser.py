"""The vendors' pages in Chromium: fit for every reader, narrow and wide; keys appear without a reload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask

from jobs import inbox
from tests.browser import AXE, Screen, chromium, cookies, served
from tests.people import invite_cast
from tests.vendors import Vera, activated, cancelled, invite_vera, registered, send

pytestmark = pytest.mark.browser


@pytest.fixture
def vera(sqlite_app: Flask) -> Vera:
    """A vendor with events in every state but *given up*."""
    vera = invite_vera(sqlite_app, invite_cast(sqlite_app))
    client = sqlite_app.test_client()
    for number, event in enumerate((registered(vera), activated(vera), cancelled(vera), activated(vera))):
        send(client, vera, event, event_id=f"e{number}")
    send(client, vera, registered(vera, customer_ref="C2", consultant_code="NOBODY22"), event_id="e9")
    with sqlite_app.app_context():
        inbox.drain()
    send(client, vera, registered(vera, customer_ref="C3"), event_id="e10")
    return vera


@pytest.fixture
def screen(sqlite_app: Flask, vera: Vera) -> Iterator[Any]:
    with served(sqlite_app) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(sqlite_app, address, "Ada"))
        screen.page.set_default_timeout(10_000)
        yield screen, address


def test_the_pages_have_no_finding_and_never_scroll_sideways(screen: Any, vera: Vera) -> None:
    window, address = screen
    found = []
    one = f"/{vera.public_id}"
    solar = f"{one}/services/solar"
    for path in ("", "/new", one, f"{one}/new-service", solar, f"{solar}/compare"):
        window.page.goto(f"{address}/admin/vendors{path}")
        window.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        for scheme, width in (("light", 1280), ("dark", 375), ("light", 320)):
            window.page.emulate_media(color_scheme=scheme)
            window.page.set_viewport_size({"width": width, "height": 900})
            faults = Axe().run(window.page, options=AXE).response["violations"]
            found += [f"{path} {scheme} {width}: {fault['id']}" for fault in faults]
            found += [f"{path} {width}: sideways"] if window.is_too_wide() else []

    assert found + window.complaints == []


def test_a_key_is_made_and_shown_without_a_reload(screen: Any, vera: Vera) -> None:
    window, address = screen
    window.page.goto(f"{address}/admin/vendors/{vera.public_id}")
    window.page.evaluate("window.kept = true")

    window.page.click("text=Make a key")
    window.page.wait_for_selector("#key-secret")

    assert window.page.evaluate("window.kept")
    assert window.page.input_value("#key-secret").startswith("whsec_")
    assert window.page.locator("text=Two keys are live").count() == 1
    assert window.complaints == []


def test_what_arrives_shows_by_itself(sqlite_app: Flask, screen: Any, vera: Vera) -> None:
    window, address = screen
    window.page.goto(f"{address}/admin/vendors/{vera.public_id}")

    send(sqlite_app.test_client(), vera, registered(vera, customer_ref="C4"), event_id="e11")

    window.page.wait_for_function("() => document.querySelectorAll('#arrived tbody tr').length === 7")
    assert window.complaints == []
