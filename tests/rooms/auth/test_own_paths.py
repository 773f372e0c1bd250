"""After signing in, nobody is sent to another site."""

from __future__ import annotations

import pytest

from portal.access.paths import own_path, path_of
from tests.html import Visitor
from tests.people import PASSWORD

NASTY = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "http://evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/ /evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "%2f%2fevil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%252fevil.example",
    "/%25252fevil.example",
    "/%09/evil.example",
    "/%0d%0aLocation:%20evil",
    "/.//evil.example",
    "/..//evil.example",
    "/a/../..//evil.example",
    "/%2e%2e//evil.example",
    "user@evil.example",
    "evil.example",
    "//user:pass@evil.example",
    "/\u2215/evil.example",
    "／／evil.example",
    "/\u3002evil.example",
    "/\x00/evil.example",
    "//evil.example/%2f..",
    "https://portal.example.com@evil.example",
    "?next=//evil.example",
    "/" + "a" * 2001,
    "",
    "mailto:a@example.com",
    "/\ufeff/evil.example",
    "/\u00a0//evil.example",
    "/%E2%88%95/\\evil",
    "/;//evil.example",
]


@pytest.mark.parametrize("nasty", NASTY)
def test_what_could_lead_away_is_refused(nasty):
    assert own_path(nasty, otherwise="/home") == "/home"


@pytest.mark.parametrize(
    "own",
    [
        "/",
        "/home",
        "/team/abc",
        "/earnings?week=2026-W46&sort=-at",
        "/r/ABC?side=left",
        "/a%20b",
        "/earnings#top",
    ],
)
def test_own_pages_are_kept(own):
    assert own_path(own, otherwise="/else") == own


def test_signing_in_never_leaves_the_house(house):
    for nasty in NASTY:
        browser = Visitor(house)
        browser.visit("/login")
        answer = browser.submit("/login", {"email": "ana@example.com", "password": PASSWORD, "next": nasty})
        assert answer.location == "/home", nasty


def test_only_addresses_of_our_host_give_a_path():
    assert path_of("http://localhost/team?x=1", host="localhost") == "/team?x=1"
    assert path_of("http://evil.example/team", host="localhost") == ""
    assert path_of(None, host="localhost") == ""
