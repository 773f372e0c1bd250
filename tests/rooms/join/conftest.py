"""A portal on a local port with its sandbox, so that a payment page can really be opened and paid."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import inbox
from portal.extensions import db
from portal.members.packs import ensure_defaults
from portal.models import Consultant, Inbox, Registration
from portal.store import perform
from tests import people
from tests.gateways.outside import serve
from tests.html import Visitor

PASSWORD = "purple monkey dishwasher"
ABOUT = {"name": "Maya Torres", "email": "Maya.Torres@example.com", "password": PASSWORD}


@dataclass
class Portal:
    """The running portal, and the people in it: Ana's link is `/r/<code>`."""

    app: Flask
    address: str
    ana: int
    code: str

    def browser(self) -> Visitor:
        return Visitor(self.app)

    def at_check(self, pack: str = "pack", **about: str) -> Visitor:
        """A browser that has come as far as the page on which answers are checked."""
        browser = self.browser()
        browser.visit(f"/r/{self.code}")
        browser.visit("/join/plan")
        browser.submit("/join/plan", {"pack": pack})
        browser.follow()
        browser.submit("/join/you", {**ABOUT, **about})
        assert browser.page.location == "/join/check", browser.words
        browser.follow()
        return browser

    def order(self, *faults: Any) -> None:
        """Let the provider fail in these ways when the next payment pages are opened."""
        body = json.dumps({"operation": "stripe.checkout.create", "faults": list(faults)}).encode()
        self._send("/sandbox/faults", body, "application/json")

    def pay(self, page_url: str, how: str = "pay") -> None:
        """Pay on the provider's page and let the webhook take effect."""
        self._send(page_url.removeprefix(self.address) + f"/{how}", b"card=4242424242424242", "")
        with self.app.app_context():
            play = self.app.wsgi_app.mounts["/sandbox"].extensions["sandbox"]
            wait_until(lambda: play.courier.idle)
            inbox.drain()

    def registrations(self) -> list[Registration]:
        with self.app.app_context():
            return list(db.session.scalars(select(Registration).order_by(Registration.id)))

    def consultants(self) -> list[str]:
        with self.app.app_context():
            return [c.person.name for c in db.session.scalars(select(Consultant).order_by(Consultant.id))]

    def inbox_states(self) -> set[str]:
        with self.app.app_context():
            return set(db.session.scalars(select(Inbox.state)))

    def _send(self, path: str, body: bytes, kind: str) -> None:
        kind = kind or "application/x-www-form-urlencoded"
        request = urllib.request.Request(self.address + path, body, {"Content-Type": kind})
        _OPENER.open(request, timeout=10).close()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object, **_options: object) -> None:
        return None

    def http_error_302(self, _request: object, answer: Any, *_rest: object) -> Any:
        return answer

    http_error_303 = http_error_302


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


def wait_until(true: Any) -> None:
    import time

    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


class _Later:
    """A WSGI app whose address is known before it is built."""

    app: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


@pytest.fixture
def portal(sqlite_database, make_app) -> Iterator[Portal]:
    door = _Later()
    with serve(door) as address:
        app = door.app = make_app(sqlite_database, CANOPY_BASE_URL=address)
        with app.app_context():
            perform(ensure_defaults)
            ana = perform(lambda uow: people.add_consultant(uow, "Ana", pack="plus"))
            code = db.session.get(Consultant, ana).code
        yield Portal(app, address, ana, code)
