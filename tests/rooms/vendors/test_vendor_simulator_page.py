"""/vendor/simulator: real signed events of made-up contracts, and none where money is real."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import inbox
from portal.extensions import db
from portal.models import Audit, Inbox, Sale
from tests.html import Visitor
from tests.vendors import Vera

SEND = {"scenario": "sale", "service": "solar", "count": "2"}
OTHER = "/vendor/simulator?scenario=refund&service=solar&consultant_code=ABCD2345&count=3&seed=7"


def test_events_are_sent_take_effect_and_show_what_they_did(app: Flask, vera: Vera, cleo: Visitor) -> None:
    cleo.visit("/vendor/simulator")
    sent = cleo.submit("/vendor/simulator", SEND | {"consultant_code": vera.ben})
    assert sent.status_code == 303, cleo.words
    with app.app_context():
        inbox.drain()
        rows = db.session.scalars(select(Inbox)).all()
        assert {row.found_by for row in rows} == {"simulator"} and len(rows) == 8
        assert len(db.session.scalars(select(Sale.id)).all()) == 2
        assert "events simulated" in db.session.scalars(select(Audit.action)).all()

    cleo.follow()
    assert "sold: activated" in cleo.words and "curl -X POST" in cleo.words


def test_the_form_keeps_what_was_sent(cleo: Visitor) -> None:
    page = cleo.visit(OTHER).text

    chosen = re.findall(r"<input[^>]*checked[^>]*>", page)
    assert [re.findall('value="([^"]*)"', one) for one in chosen] == [["refund"]]
    assert re.findall('value="([^"]*)"', re.findall('<input[^>]*name="count"[^>]*>', page)[0]) == ["3"]


def test_the_command_that_is_shown_is_one_the_door_takes(app: Flask, vera: Vera, cleo: Visitor) -> None:
    cleo.visit("/vendor/simulator")
    cleo.submit("/vendor/simulator", SEND | {"consultant_code": vera.ben})
    cleo.follow()
    headers = dict(re.findall(r"-H '([a-z-]+): ([^']+)'", cleo.words))
    body = re.search(r"--data-binary '([^']+)'", cleo.words)
    url = re.search(r"curl -X POST '([^']+)'", cleo.words)
    assert body and url

    answer = app.test_client().post(urlsplit(url[1]).path, data=body[1], headers=headers)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"consultant_code": "NOBODY22"}, "There is no consultant with this code."),
        ({"count": "21"}, "Please write 1 to 20."),
        ({"scenario": "odd"}, "Not a valid choice"),
    ],
)
def test_what_cannot_be_sent_is_said_in_the_form(
    app: Flask, vera: Vera, cleo: Visitor, wrong: dict[str, str], said: str
) -> None:
    cleo.visit("/vendor/simulator")

    answer = cleo.submit("/vendor/simulator", SEND | {"consultant_code": vera.ben} | wrong)

    assert answer.status_code == 422 and said in answer.text
    with app.app_context():
        assert db.session.scalars(select(Inbox.id)).all() == []


def test_it_is_closed_where_money_is_real(app: Flask, vera: Vera, cleo: Visitor) -> None:
    cleo.visit("/vendor/simulator")
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], environment="production")

    assert cleo.submit("/vendor/simulator", SEND | {"consultant_code": vera.ben}).status_code == 404
    cleo.visit("/vendor/simulator")
    assert "The simulator is closed here" in cleo.words
