"""What was written when the password was asked for again is not lost, and is not shown to anybody else."""

from __future__ import annotations

import io
import re
import secrets
from datetime import timedelta
from html import unescape

import pytest

from portal.access import unsent
from tests.html import Visitor
from tests.people import PASSWORD

PAGE = "http://localhost/probe/money?amount=5"
WRITTEN = {"amount": "12.50", "chosen": ["one", "two"], "reason": 'Ana\'s "own" <b>words</b> ✓'}


@pytest.fixture
def late(ana, travel):
    """Ana's phone, whose password was entered too long ago."""
    ana.visit("/login/confirm")
    travel(timedelta(minutes=11))
    return ana


def send(browser, written, **options):
    answer = browser.submit("/probe/money?for=me", written, headers={"Referer": PAGE}, **options)
    assert answer.location == "/login/confirm?next=/probe/money?amount%3D5"
    return answer


def give_password(browser):
    browser.visit("/login/confirm?next=/probe/money?amount%3D5")
    return browser.submit("/login/confirm", {"password": PASSWORD})


def what_the_page_would_send(browser):
    form = re.search(
        r'<form class="form" method="post" action="([^"]+)">(.*?)</form>', browser.page.text, re.S
    )

    pairs = re.findall(r'name="([^"]+)" value="([^"]*)"', form[2])
    return unescape(form[1]), [(unescape(name), unescape(value)) for name, value in pairs]


def test_what_was_written_is_sent_on_with_one_button(late):
    send(late, WRITTEN)
    assert give_password(late).location == "/login/go-on?next=/probe/money?amount%3D5"
    late.follow()
    assert "Go on" in late.words and "is kept, and is sent when you go on" in late.words
    assert "Amount, as you wrote it 12.50" in late.words and "Chosen 2" in late.words
    path, pairs = what_the_page_would_send(late)
    assert path == "/probe/money?for=me"

    data = {}
    for name, value in pairs:
        data.setdefault(name, []).append(value)
    form, _files = late.client.post(path, data=data).json
    for ours in ("csrf_token", "next"):
        form.pop(ours)

    assert form == {name: value if isinstance(value, list) else [value] for name, value in WRITTEN.items()}
    assert late.visit("/login/go-on").status_code == 303, "it was sent, and waits no longer"


def test_the_way_back_is_open(late):
    send(late, WRITTEN)
    give_password(late)

    assert late.follow().status_code == 200
    assert 'href="/probe/money?amount=5"' in late.page.text


def test_files_and_secrets_are_not_kept(late):
    hidden = {"token": "sk_live_1", "tax_number": "123-45-6789", "account": "000123", "password": "hush"}
    data = {**WRITTEN, **hidden, "file": (io.BytesIO(b"bytes of a file"), "result.csv")}
    send(late, data, content_type="multipart/form-data")
    give_password(late)
    late.follow()

    assert "you are asked for them again" in late.words
    for secret in (*hidden.values(), "bytes of a file"):
        assert secret not in late.page.text
    assert "12.50" in late.page.text


def test_the_browser_keeps_it_sealed(late):
    send(late, {"reason": "a reason to be read by nobody"})
    with late.client.session_transaction() as kept:
        sealed = kept[unsent.KEY]

    assert "reason" not in sealed
    with late.client.session_transaction() as kept:
        kept[unsent.KEY] = sealed[:-4] + "AAAA"
    assert give_password(late).location == "/probe/money?amount=5"


def test_it_waits_ten_minutes_and_for_nobody_else(late, house, travel):
    send(late, WRITTEN)
    with late.client.session_transaction() as kept:
        sealed = kept[unsent.KEY]
    ben = Visitor(house)
    ben.sign_in("ben@example.com", PASSWORD)
    with ben.client.session_transaction() as kept:
        kept[unsent.KEY] = sealed
    assert ben.visit("/login/go-on?next=/probe").location == "/probe"

    travel(timedelta(minutes=11))
    assert give_password(late).location == "/probe/money?amount=5"


def test_a_form_that_is_too_long_for_a_cookie_is_not_kept(late):
    send(late, {"reason": secrets.token_hex(6_000)})

    assert give_password(late).location == "/probe/money?amount=5"


def test_a_page_that_is_only_read_forgets_what_waited(late):
    send(late, WRITTEN)
    late.visit("/probe/money?amount=5")

    assert give_password(late).location == "/probe/money?amount=5"


def test_nobody_who_is_not_signed_in_sees_it(house):
    assert Visitor(house).visit("/login/go-on").location.startswith("/login?next=")
