"""People make a form on a page, copy its HTML to theirs, and find who filled it in on their desk."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.models import Consultant, Lead, LeadForm, Pack
from tests.browser import Screen, chromium, cookies, served
from tests.people import invite_cast

OWN = "/settings/integrations/forms"
COMPANY = "/admin/integrations/forms"


def made(browser, page, **fields):
    browser.visit(page)
    answer = browser.submit(page, {"name": "My page", "service": "", **fields})
    assert answer.status_code == 303, browser.words
    browser.follow()
    return answer.location.rpartition("/")[2]


def html_of(browser):
    [snippet] = re.findall(r'<pre[^>]*id="snippet"[^>]*>(.*?)</pre>', browser.page.text, re.DOTALL)
    return unescape(snippet)


def test_a_form_is_made_seen_and_ended(app, signed_in):
    ben = signed_in("Ben")
    form_id = made(ben, OWN, origins="https://Example.com/\nhttps://shop.example.com:8443", ask_phone="y")
    html = html_of(ben)

    assert "https://example.com, https://shop.example.com:8443" in ben.words
    assert f"/api/v1/forms/{form_id}/leads" in html and "<script" not in html
    assert all(line.strip().startswith("<") and line.count("<p") <= 1 for line in html.splitlines())
    assert 'name="phone"' in html and "Ben" in html
    assert re.search(r'name="contact" type="checkbox" value="contact-1:[0-9a-f]{64}" required', html)
    assert "signup" not in html
    ben.visit(f"/forms/{form_id}")
    assert "is your consultant" in ben.words
    ben.visit(f"{OWN}/{form_id}")
    assert ben.submit(f"{OWN}/{form_id}/end").status_code == 303
    assert ben.visit(f"/forms/{form_id}").status_code == 404
    ben.visit(f"{OWN}/{form_id}")
    assert "This form is over" in ben.words and "snippet" not in ben.page.text
    ben.visit(OWN)
    assert "No form" in ben.words


@pytest.mark.parametrize(
    "field, written",
    [
        ("origins", "http://example.com"),
        ("origins", "https://example.com/page"),
        ("origins", "example.com"),
        ("origins", "https://a b"),
        ("origins", "https://user@example.com"),
        ("thanks_url", "https://elsewhere.example/thanks"),
        ("thanks_url", "https://example.com.evil.example/"),
        ("thanks_url", "javascript:alert(1)"),
        ("thanks_url", "/thanks"),
        ("name", ""),
        ("service", "99"),
    ],
)
def test_what_no_form_can_be_is_refused_at_its_field(signed_in, field, written):
    ben = signed_in("Ben")
    ben.visit(OWN)
    fields = {"name": "My page", "service": "", "origins": "https://example.com", field: written}

    assert ben.submit(OWN, fields).status_code == 422
    assert 'aria-invalid="true"' in ben.page.text and f'href="#{field}"' in ben.page.text


def test_a_page_afterwards_needs_a_website_it_stands_on(signed_in):
    ben = signed_in("Ben")
    ben.visit(OWN)

    fields = {"name": "x", "service": "", "thanks_url": "https://example.com/ok"}
    assert ben.submit(OWN, fields).status_code == 422
    assert ben.submit(OWN, {**fields, "origins": "https://example.com"}).status_code == 303


def test_forms_are_their_makers_alone(app, signed_in):
    form_id = made(signed_in("Ben"), OWN)
    for name, page in (("Ana", OWN), ("Ada", COMPANY)):
        browser = signed_in(name)
        browser.visit(page)
        assert "My page" not in browser.words
        assert browser.visit(f"{page}/{form_id}").status_code == 404
        browser.visit(page)
        assert browser.submit(f"{page}/{form_id}/end").status_code == 404
    assert signed_in("Fin").visit(COMPANY).status_code == 403


def test_a_plan_without_a_lead_desk_has_no_forms(app, do, cast, signed_in):
    def lose_desk(uow):
        pack = uow.session.get_one(Pack, uow.session.get_one(Consultant, cast.ben).pack)
        pack.features = {**pack.features, "lead_desk": False}

    do(lose_desk)
    ben = signed_in("Ben")

    assert ben.visit(OWN).status_code == 404
    ben.visit("/settings/integrations")
    assert OWN not in ben.page.text


def test_the_company_makes_a_form_whose_leads_are_routed(app, signed_in):
    ada = signed_in("Ada")
    form_id = made(ada, COMPANY)

    assert "A consultant near you" in html_of(ada)
    with app.app_context():
        assert db.session.scalars(select(LeadForm.consultant_id)).one() is None
        db.session.rollback()
    ada.visit(f"/forms/{form_id}")
    assert "A consultant near you" in ada.words


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def website(folder):
    """Somebody's own pages, on another port and so of another origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.browser
def test_a_page_elsewhere_brings_a_lead_to_the_desk_and_leads_on(sqlite_app, tmp_path):
    invite_cast(sqlite_app)
    (tmp_path / "thanks.html").write_text("<title>Thank you from us</title>")
    with (
        served(sqlite_app) as address,
        website(tmp_path) as own,
        website(tmp_path) as foreign,
        chromium() as browser,
    ):
        ben = Screen(browser)
        ben.context.add_cookies(cookies(sqlite_app, address, "Ben"))
        html = _make(ben.page, address, origins=own, thanks=f"{own}/thanks.html")
        # The portal is served on a port of its own here, which its settings do not know.
        html = re.sub(r'action="https?://[^/"]+', f'action="{address}', html)
        (tmp_path / "index.html").write_text(f"<!doctype html><title>Roofs</title>{html}")

        page = Screen(browser).page
        page.goto(f"{own}/index.html")
        _fill(page, email="dana@")
        assert page.title().startswith("Get in touch")
        assert page.input_value("#name") == "Dana Reed" and page.is_checked("#contact")
        page.fill("#email", "dana@example.com")
        page.click("button:has-text('Send')")
        page.wait_for_url("**/thanks")
        page.click("text=Go on to")
        page.wait_for_url(f"{own}/thanks.html")

        page.goto(f"{own}/index.html")
        _fill(page, email="eli@example.com")
        page.wait_for_url(f"{own}/thanks.html")
        assert page.title() == "Thank you from us"

        page.goto(f"{foreign}/index.html")
        _fill(page, email="mallory@example.com")
        assert "This form belongs to another website" in page.inner_text("main")

        ben.page.goto(f"{address}/leads")
        seen = ben.page.inner_text("main")
    assert seen.count("Dana Reed") == 2
    with sqlite_app.app_context():
        assert len(db.session.scalars(select(Lead)).unique().all()) == 2
        db.session.rollback()


@pytest.mark.browser
def test_a_script_of_the_page_sends_it_and_one_of_another_cannot(sqlite_app, tmp_path):
    invite_cast(sqlite_app)
    (tmp_path / "index.html").write_text("<!doctype html><title>Roofs</title>")
    send = """([url, contact]) => fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({name: 'Dana Reed', email: 'dana@example.com', contact})})
        .then(answer => answer.json(), () => 'refused')"""
    with (
        served(sqlite_app) as address,
        website(tmp_path) as own,
        website(tmp_path) as foreign,
        chromium() as browser,
    ):
        ben = Screen(browser)
        ben.context.add_cookies(cookies(sqlite_app, address, "Ben"))
        html = _make(ben.page, address, origins=own)
        [path] = re.findall(r"/api/v1/forms/[a-z2-7]+/leads", html)
        [contact] = re.findall(r'"(contact-1:[0-9a-f]{64})"', html)
        page = Screen(browser).page
        answers = []
        for site in (foreign, own):
            page.goto(f"{site}/index.html")
            answers.append(page.evaluate(send, [address + path, contact]))

    assert answers[0] == "refused"
    assert answers[1]["received"] is True


def _make(page, address, *, origins, thanks=""):
    page.goto(f"{address}{OWN}")
    page.fill("#name", "My page")
    page.fill("#origins", origins)
    page.fill("#thanks_url", thanks)
    page.click("button:has-text('Make the form')")
    page.wait_for_selector("#snippet")
    return page.inner_text("#snippet")


def _fill(page, *, email):
    page.evaluate("document.querySelector('form').noValidate = true")
    page.fill("[name=name]", "Dana Reed")
    page.fill("[name=email]", email)
    page.check("[name=contact]")
    with page.expect_navigation():
        page.click("button:has-text('Send')")
