"""The pages of one webhook and one message in Chromium: light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from sqlalchemy import select

from portal.integrations import deliveries, endpoints, tokens
from portal.integrations.endpoints import KINDS, Wish
from portal.models import AccountUser
from portal.store import perform
from tests.browser import AXE, Screen, chromium, cookies, served
from tests.people import invite_cast

URL = "https://hooks.crm.example.com/services/canopy/in/7f1c9a20b7f34d5ea1"

pytestmark = pytest.mark.browser


def test_the_pages_of_integrations_are_sound(sqlite_app):
    cast = invite_cast(sqlite_app)

    def work(uow):
        own = select(AccountUser.id).where(AccountUser.email == "ben@example.com")
        user = uow.session.scalars(own).one()
        made = endpoints.add_endpoint(uow, consultant_id=cast.ben, wish=Wish(URL, KINDS), actor_id=user)
        tokens.add_token(uow, user_id=user, wish=tokens.Wish("My CRM", tokens.SCOPES, 90))
        message = deliveries.send_test(uow, endpoint=made)
        row = deliveries.delivery_of(uow.session, made.id, message)
        row.state, row.status_code, row.answer, row.attempts = "retry", 500, "Internal error", 3
        return [
            "",
            "/webhooks",
            f"/webhooks/{made.public_id}",
            f"/webhooks/{made.public_id}/messages/{message}",
        ]

    with sqlite_app.app_context():
        pages = perform(work)
    found = []
    with served(sqlite_app) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(sqlite_app, address, "Ben"))
        for path in pages:
            screen.page.goto(f"{address}/settings/integrations{path}")
            for scheme, width in (("light", 1280), ("dark", 375)):
                screen.page.emulate_media(color_scheme=scheme)
                screen.page.set_viewport_size({"width": width, "height": 900})
                faults = Axe().run(screen.page, options=AXE).response["violations"]
                found += [(path, scheme, fault["id"]) for fault in faults]
            screen.page.set_viewport_size({"width": 320, "height": 900})
            found += [(path, "scrolls sideways")] if screen.is_too_wide() else []
        found += screen.complaints

    assert found == []
