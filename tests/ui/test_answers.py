"""Pages, fragments, redirects and headers."""

from __future__ import annotations

import re

import pytest
from flask import make_response

from portal.ui import show
from portal.ui.headers import HEADERS
from portal.ui.htmx import request

FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}


def test_a_page_and_its_fragment_share_an_address(browser):
    page = browser.get("/style")
    fragment = browser.get("/style", headers=FRAGMENT)

    assert page.text.startswith("<!doctype html>")
    assert "<html" not in fragment.text
    assert without_token(fragment.text).strip() in without_token(page.text)
    assert {"HX-Request", "HX-Request-Type"} <= set(fragment.headers["Vary"].split(", "))
    assert page.headers["Vary"] == fragment.headers["Vary"]


def without_token(text):
    return re.sub(r'(name="csrf_token"[^>]* value=")[^"]+', r"\1", text)


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request-Type": "full"},
        {"HX-Boosted": "true"},
        {"HX-History-Restore-Request": "true"},
        {"HX-Request": "false"},
    ],
)
def test_some_requests_of_htmx_want_the_whole_page(browser, headers):
    assert browser.get("/style", headers=FRAGMENT | headers).text.startswith("<!doctype html>")


def test_a_redirect_reaches_htmx_as_a_header(browser):
    plain = browser.get("/moved")
    fragment = browser.get("/moved", headers=FRAGMENT)

    assert (plain.status_code, plain.location) == (302, "/style")
    assert (fragment.status_code, fragment.headers["HX-Redirect"], fragment.data) == (204, "/style", b"")
    assert "Location" not in fragment.headers


def test_an_answer_can_ring_a_bell_on_the_page(small_app):
    with small_app.test_request_context():
        small_app.preprocess_request()
        answer = show("errors/404.html", "main", status=404, trigger="wallet-changed")

    assert (answer.status_code, answer.headers["HX-Trigger"]) == (404, "wallet-changed")


def test_every_answer_carries_the_security_headers(browser):
    page = browser.get("/style")

    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in page.headers


def test_https_is_remembered_once_it_was_used(browser):
    page = browser.get("/style", base_url="https://canopy.example.com")

    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_a_view_may_be_stricter_than_the_house(small_app):
    with small_app.test_request_context():
        strict = make_response("x")
        strict.headers["Referrer-Policy"] = "no-referrer"
        assert small_app.process_response(strict).headers["Referrer-Policy"] == "no-referrer"


def test_nothing_in_a_page_needs_an_unsafe_policy(browser):
    text = browser.get("/style").text

    assert (
        re.findall(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|javascript:|hx-on|hx-vals=.js:", text)
        == []
    )


@pytest.mark.parametrize(("cookie", "mark"), [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"')])
def test_the_chosen_look_is_there_before_the_first_paint(small_app, cookie, mark):
    browser = small_app.test_client()
    browser.set_cookie("canopy_theme", cookie)

    assert f'<html lang="en-US" {mark}>' in browser.get("/style").text


def test_an_unknown_look_is_the_system_s(small_app):
    browser = small_app.test_client()
    browser.set_cookie("canopy_theme", '"><script>')

    assert '<html lang="en-US">' in browser.get("/style").text


@pytest.mark.parametrize("status", [403, 404, 422, 429, 500])
def test_error_pages_stand_without_a_signed_in_reader(small_app, status):
    with small_app.test_request_context():
        small_app.preprocess_request()
        text = small_app.jinja_env.get_template(f"errors/{status}.html").render(
            message="", theme="system", language="en", request_id="r1"
        )

    assert text.count("<h1>") == 1
    assert "r1" in text


def test_an_error_in_a_fragment_speaks_in_the_corner_and_leaves_the_page_alone(small_app):
    with small_app.test_request_context():
        text = small_app.jinja_env.get_template("errors/fragment.html").render(
            message="Not enough money.", status=422, request=request
        )

    assert re.fullmatch(
        r'\s*<div class="toasts" id="toasts" role="status" hx-swap-oob="outerHTML">.*</div>\s*', text, re.S
    )
    assert "Not enough money." in text
