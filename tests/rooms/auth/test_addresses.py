"""Limits count people by their address: behind our proxy by what it says, never by what a stranger writes."""

from __future__ import annotations

import pytest

from portal.config import BadSettings

LIMIT = 60
LINK = "/r/NOBODY22"


def knock(app, *forwarded: str) -> int:
    return app.test_client().get(LINK, headers={"X-Forwarded-For": ", ".join(forwarded)}).status_code


def test_behind_the_proxy_one_person_does_not_use_up_the_tries_of_another(sqlite_database, make_app):
    app = make_app(sqlite_database, CANOPY_RATE_LIMITS="on", CANOPY_PROXIES="1")

    tries = [knock(app, f"9.9.9.{number}", "203.0.113.1") for number in range(LIMIT + 1)]

    assert tries == [404] * LIMIT + [429]
    assert knock(app, "203.0.113.2") == 404


def test_without_a_proxy_nobody_is_believed(sqlite_database, make_app):
    app = make_app(sqlite_database, CANOPY_RATE_LIMITS="on")

    tries = [knock(app, f"203.0.113.{number}") for number in range(LIMIT + 1)]

    assert tries[-1] == 429


def test_the_number_of_proxies_is_checked(sqlite_database, make_app):
    with pytest.raises(BadSettings, match="CANOPY_PROXIES"):
        make_app(sqlite_database, CANOPY_PROXIES="some")
