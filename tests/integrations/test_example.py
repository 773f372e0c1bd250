"""The program of docs/integrations.md does what it says, against a server and messages of ours."""

from __future__ import annotations

import re
import runpy
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.gateways.vendor_signatures import sign
from portal.integrations import tokens
from portal.kernel.ids import new_signing_secret
from portal.models import AccountUser
from portal.store import perform
from tests.browser import served
from tests.people import invite_cast
from tests.shop import add_sale

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/integrations.md"


@pytest.fixture
def example(sqlite_app, monkeypatch, tmp_path):
    """The names of the program, beside Ben's token; his four sales are there."""
    cast = invite_cast(sqlite_app)
    [code] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)

    def work(uow):
        own = select(AccountUser.id).where(AccountUser.email == "ben@example.com")
        for _ in range(4):
            add_sale(uow, cast.ben, 10_00)
        wish = tokens.Wish("the example", tokens.SCOPES, 0)
        return tokens.add_token(uow, user_id=uow.session.scalars(own).one(), wish=wish).text

    with sqlite_app.app_context():
        monkeypatch.setenv("CANOPY_TOKEN", perform(work))
    with served(sqlite_app) as address:
        monkeypatch.setenv("CANOPY_URL", address)
        program = tmp_path / "example.py"
        program.write_text(code)
        yield runpy.run_path(str(program))


def test_it_reads_all_sales_and_then_only_new_ones(example):
    every = [sale["id"] for sale in example["sales_after"]("")]

    assert len(every) == 4
    assert [sale["id"] for sale in example["sales_after"](every[1])] == every[2:]


def test_it_brings_a_lead_once(example):
    lead = {"name": "Dana Reed", "email": "dana@example.com"}

    assert example["bring_lead"](lead, "a-1") == example["bring_lead"](lead, "a-1")


def test_it_says_which_field_of_a_lead_was_refused(example):
    with pytest.raises(ValueError, match='"field":"phone"'):
        example["bring_lead"]({"name": "Dana Reed", "phone": "555-0142"}, "a-2")


def test_it_believes_our_messages_alone(example):
    secret, now = new_signing_secret(), int(time.time())
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(now),
        "Webhook-Signature": sign(new_signing_secret(), "msg_1", now, b"{}")
        + " "
        + sign(secret, "msg_1", now, b"{}"),
    }

    assert example["is_ours"](secret, headers, b"{}")
    assert not example["is_ours"](secret, headers, b"[]")
    assert not example["is_ours"](new_signing_secret(), headers, b"{}")
    assert not example["is_ours"](secret, headers, b"{}", now=now + 301)
