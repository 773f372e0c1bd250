"""The page of people: found with their code, the pages about them, for those who keep the company alone."""

from __future__ import annotations

import re

import pytest

from portal.admin import people
from portal.commissions import cycles
from portal.extensions import db
from portal.models import Consultant
from tests.commissions.closed import ZONE
from tests.html import Visitor
from tests.people import PASSWORD


def signed_in(app, name):
    visitor = Visitor(app)
    visitor.sign_in(f"{name}@example.com", PASSWORD)
    return visitor


@pytest.fixture
def ben(app, cast):
    with app.app_context():
        return db.session.get_one(Consultant, cast.ben)


def test_somebody_is_found_with_code_sponsor_and_the_pages_about_them(app, cast, do, ben):
    do(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True) and None)
    ada = signed_in(app, "ada")
    assert 'href="/admin/people"' in ada.visit("/admin").text

    page = ada.visit("/admin/people?who=be").text
    assert ben.code in ada.words and "Ana" in ada.words and "active" in ada.words
    assert "Cem" not in ada.words
    for link in ("statement", "adjust", "move"):
        assert f'href="/admin/consultants/{ben.public_id}/{link}"' in page
    ada.visit("/admin/people?who=nobody")
    assert "Nobody found" in ada.words


def test_pages_lead_on_and_keep_what_was_asked(app, cast, monkeypatch):
    monkeypatch.setattr(people, "ROWS_A_PAGE", 3)
    fin = signed_in(app, "fin")

    first = fin.visit("/admin/people").text
    [following] = further(first)
    second = fin.visit(following).text

    assert further(second) == []
    with app.app_context():
        codes = {f"<code>{one.code}</code>" for one in db.session.query(Consultant)}
    assert all((code in first) != (code in second) for code in codes)


def further(page):
    return re.findall(r'href="(/admin/people\?after=[^"]+)"', page)


@pytest.mark.parametrize("name", ["ana", ""])
def test_nobody_else_looks_people_up(app, cast, name):
    visitor = signed_in(app, name) if name else Visitor(app)

    assert visitor.visit("/admin/people").status_code in (302, 303, 403, 404)
