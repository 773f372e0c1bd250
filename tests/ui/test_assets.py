"""Static files: small, compressed, kept for ever under the address of their content."""

from __future__ import annotations

import gzip
import hashlib
import re

import pytest

from portal.config import ROOT
from portal.ui.assets import ASK_AGAIN, FOREVER, Assets

STATIC = ROOT / "static"


@pytest.fixture(scope="module")
def assets():
    return Assets(STATIC)


def packed(assets, *names):
    """Bytes over the wire with gzip, which brotli undercuts by about a tenth."""
    return sum(len(assets.files[name].packed or assets.files[name].body) for name in names)


def test_the_styles_stay_within_eight_kilobytes(assets):
    assert packed(assets, "css/main.css") <= 8_000


def test_the_scripts_stay_within_eighteen_kilobytes(assets):
    scripts = [name for name in assets.files if name.endswith(".js")]
    own = [name for name in scripts if not name.startswith("vendor/")]

    assert packed(assets, *scripts) <= 18_000
    assert packed(assets, *own) <= 3_000


def test_the_own_script_is_short():
    assert len((STATIC / "js/app.js").read_text().splitlines()) <= 60


def test_font_and_icons_stay_within_their_budgets(assets):
    assert packed(assets, "fonts/figtree-5.3.0-latin.woff2") <= 20_480
    assert packed(assets, "icons.svg") <= 4_000


def test_what_was_taken_over_is_unchanged_and_has_its_licence():
    sums = dict(reversed(line.split()) for line in (STATIC / "vendor/SHA256SUMS").read_text().splitlines())
    found = {name: hashlib.sha256((STATIC / name).read_bytes()).hexdigest() for name in sums}

    assert found == sums
    assert {path.name for path in (STATIC / "vendor").glob("*.js")} == {"htmx-4.0.1.min.js"}
    for licence in ("vendor/htmx-LICENSE.txt", "fonts/figtree-OFL.txt", "icons-LICENSE.txt"):
        assert (STATIC / licence).stat().st_size > 500


def test_every_icon_that_is_asked_for_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC / "icons.svg").read_text()))
    templates = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    asked = set(re.findall(r'\b(?:icon\(|picture=)"([a-z0-9-]*[a-z0-9])"', templates))

    assert asked - sprite == set()


def test_the_joined_styles_lose_no_rule_and_no_comment_stays(assets):
    text = assets.files["css/main.css"].body.decode()

    assert text.startswith("@layer reset,base,layout,components,utilities;")
    assert text.count("{") == text.count("}")
    assert "/*" not in text
    assert ".tree ol::before" in text
    assert re.search(r'url\("\.\./fonts/figtree-5\.3\.0-latin\.woff2\?v=[0-9a-f]{12}"\)', text)


def test_a_file_is_kept_for_ever_only_under_its_hash(browser, assets):
    kept = browser.get(assets.url("js/app.js"))
    asked = browser.get("/static/js/app.js")
    stale = browser.get("/static/js/app.js?v=000000000000")

    assert [answer.headers["Cache-Control"] for answer in (kept, asked, stale)] == [
        FOREVER,
        ASK_AGAIN,
        ASK_AGAIN,
    ]


def test_text_is_sent_packed_to_whoever_can_unpack_it(browser):
    plain = browser.get("/static/css/main.css")
    squeezed = browser.get("/static/css/main.css", headers={"Accept-Encoding": "gzip"})

    assert plain.headers.get("Content-Encoding") is None
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(squeezed.data) == plain.data
    assert "Accept-Encoding" in squeezed.headers["Vary"]


def test_an_unchanged_file_is_not_sent_again(browser):
    first = browser.get("/static/icons.svg")
    second = browser.get("/static/icons.svg", headers={"If-None-Match": first.headers["ETag"]})

    assert (second.status_code, second.data) == (304, b"")


def test_a_browser_finds_the_icon_it_was_not_told_of(browser):
    assert browser.get("/favicon.ico").data == browser.get("/static/favicon.svg").data != b""


def test_nothing_outside_the_folder_is_served(browser):
    for path in (
        "/static/../wsgi.py",
        "/static/%2e%2e/wsgi.py",
        "/static/css/tokens.css/..",
        "/static/none.css",
    ):
        assert browser.get(path).status_code == 404


def test_a_name_that_is_not_there_is_an_error_and_not_a_dead_link(assets):
    with pytest.raises(KeyError):
        assets.url("js/none.js")
