"""Sharing a link in Chromium: the button is there only where the browser can, and gives the link away."""

from __future__ import annotations

import pytest

from tests.browser import Screen, chromium, cookies, served
from tests.people import invite_cast

pytestmark = pytest.mark.browser

# What a phone's browser has and a headless one may lack; it keeps what it was given.
CAN = "navigator.share = async (given) => { window.given = given; };"
CANNOT = "delete Navigator.prototype.share;"


@pytest.mark.parametrize("browser_is, shown", [(CAN, True), (CANNOT, False)])
def test_a_link_is_shared_where_the_browser_can(sqlite_app, browser_is, shown):
    invite_cast(sqlite_app)
    with served(sqlite_app) as address, chromium() as browser:
        screen = Screen(browser, viewport={"width": 375, "height": 800})
        screen.context.add_cookies(cookies(sqlite_app, address, "Ana"))
        page = screen.page
        page.add_init_script(browser_is)
        page.goto(address + "/customers")
        button = page.locator("[data-share]")
        assert button.is_visible() is shown and page.locator("#services-url ~ button").first.is_visible()
        if shown:
            button.click()
            assert page.evaluate("window.given") == {"url": page.input_value("#services-url")}
        assert screen.complaints == []
