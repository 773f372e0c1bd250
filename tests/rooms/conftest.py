"""What tests of rooms share: signed-in people, and the projection of what they sold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from portal.commissions import projection
from portal.extensions import db
from portal.kernel.clock import utc_now
from tests.html import Visitor
from tests.people import PASSWORD, Cast


@pytest.fixture
def signed_in(app: Flask, cast: Cast) -> Callable[[str], Visitor]:
    """A browser in which one of the cast is signed in."""

    def browser(name: str) -> Visitor:
        visitor = Visitor(app)
        visitor.sign_in(f"{name.lower()}@example.com", PASSWORD)
        return visitor

    return browser


@pytest.fixture
def project(app: Flask) -> Callable[[], None]:
    """Computes the open cycle and publishes it, as the job does."""

    def run() -> None:
        with app.app_context():
            assert projection.recalculate(db.session(), now=utc_now())
            db.session.rollback()

    return run
