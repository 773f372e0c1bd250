"""People set addresses up on a page and see what each was told; nobody sees those of somebody else."""

from __future__ import annotations

import re

from jobs import webhooks
from portal.extensions import db
from tests.integrations.receiver import listening
from tests.integrations.test_webhooks import app, cast  # noqa: F401

OWN = "/settings/integrations/webhooks"
COMPANY = "/admin/integrations/webhooks"


def added(browser, page, url):
    browser.visit(page)
    made = browser.submit(page, {"url": url, "kinds": ["sale.recorded"]})
    assert made.status_code == 201, browser.words
    return re.findall(rf"{page}/([a-z2-7]{{20}})/test", made.text)[0], made.text


def test_an_address_is_added_tried_and_watched(app, signed_in):  # noqa: F811
    with listening() as receiver:
        ben, receiver.answer = signed_in("Ben"), lambda: "200 OK"
        endpoint, page = added(ben, OWN, receiver.url)
        [secret] = set(re.findall(r"whsec_[A-Za-z0-9+/=]{44}", page.replace("&#43;", "+")))
        ben.visit(f"{OWN}/{endpoint}")
        assert secret not in ben.page.text
        ben.submit(f"{OWN}/{endpoint}/test")
        with app.app_context():
            webhooks.drain()
            db.session.rollback()
        ben.visit(f"{OWN}/{endpoint}")
        assert "taken" in ben.words
        [message] = set(re.findall(rf"{OWN}/{endpoint}/messages/([a-z2-7]{{20}})", ben.page.text))
        ben.visit(f"{OWN}/{endpoint}/messages/{message}")
        assert "This is a test" in ben.page.text and "heard" in ben.words
        ben.submit(f"{OWN}/{endpoint}/messages/{message}/again")
        with app.app_context():
            webhooks.drain()
            db.session.rollback()

        ids = [headers["webhook-id"] for headers, _body in receiver.calls]
        assert ids == [f"msg_{message}"] * 2


def test_an_address_that_is_off_is_asked_for_no_message(app, signed_in):  # noqa: F811
    with listening() as receiver:
        ben = signed_in("Ben")
        endpoint, _ = added(ben, OWN, receiver.url)
        page = f"{OWN}/{endpoint}"
        ben.visit(page)
        ben.submit(f"{page}/test")
        ben.visit(page)
        [message] = set(re.findall(rf"{page}/messages/([a-z2-7]{{20}})", ben.page.text))
        ben.submit(f"{page}/switch", {"to": "off"})
        ben.visit(page)
        assert "Send a test" not in ben.words and "Switch on again" in ben.words
        assert ben.submit(f"{page}/test").status_code == 409
        ben.visit(f"{page}/messages/{message}")
        assert "Send it again" not in ben.words
        assert ben.submit(f"{page}/messages/{message}/again").status_code == 409
        ben.visit(page)
        ben.submit(f"{page}/switch", {"to": "on"})
        ben.visit(page)
        assert ben.submit(f"{page}/test").status_code == 303


def test_an_address_of_somebody_else_is_not_there(app, signed_in):  # noqa: F811
    with listening() as receiver:
        endpoint, _ = added(signed_in("Ben"), OWN, receiver.url)
        ana, ada = signed_in("Ana"), signed_in("Ada")
        for browser, page in ((ana, OWN), (ada, COMPANY)):
            browser.visit(page)
            assert browser.visit(f"{page}/{endpoint}").status_code == 404
            browser.visit(page)
            for deed in ("test", "rotate", "switch"):
                assert browser.submit(f"{page}/{endpoint}/{deed}").status_code == 404
                browser.visit(page)


def test_an_address_inside_is_refused_at_its_field(signed_in):
    ben = signed_in("Ben")
    for url in ("http://example.com/", "https://localhost/", "https://example.com:22/", ""):
        ben.visit(OWN)
        assert ben.submit(OWN, {"url": url, "kinds": ["sale.recorded"]}).status_code == 422


def test_finance_makes_tokens_and_sets_up_no_webhooks(signed_in):
    fin = signed_in("Fin")

    assert fin.visit("/admin/integrations").status_code == 200
    assert fin.visit(COMPANY).status_code == 403
