"""The pages of moves: found by name, proposed with a reason, agreed to by another, done with a cycle."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.commissions import cycles
from portal.extensions import db
from portal.models import Consultant, PlacementMove
from tests.commissions.closed import ZONE
from tests.html import Visitor
from tests.people import PASSWORD, add_consultant

WHY = "Placed on the wrong side by mistake"


@pytest.fixture
def people(app, cast, do):
    do(add_consultant, "Eve", sponsor=cast.ben, under=(cast.ben, "L"))
    with app.app_context():
        return {one.person.name: (one.public_id, one.code) for one in db.session.query(Consultant)}


def laptop(app, name):
    visitor = Visitor(app)
    visitor.sign_in(f"{name}@example.com", PASSWORD)
    return visitor


def test_a_move_from_finding_somebody_to_its_end(app, cast, do, people):
    ada, fin = laptop(app, "ada"), laptop(app, "fin")
    eve, cem_code = people["Eve"][0], people["Cem"][1]

    ada.visit("/admin/moves?who=ev")
    assert f'href="/admin/consultants/{eve}/move"' in ada.page.text
    ada.visit(f"/admin/consultants/{eve}/move")
    assert "Stands now left of Ben" in ada.words
    form = {"parent": cem_code.lower(), "leg": "R", "reason": WHY}
    assert ada.submit(f"/admin/consultants/{eve}/move", form).status_code == 303
    move = ada.follow().request.path
    assert f"Is to stand right of Cem, code {cem_code}" in ada.words and "You proposed this" in ada.words
    assert 'href="/admin/moves"' in fin.visit("/admin").text and "1 move in the tree waits" in fin.words
    assert ada.submit(f"{move}/approve").status_code == 422
    assert "Somebody else has to decide" in ada.words

    fin.visit(move)
    assert fin.submit(f"{move}/approve").status_code == 303
    fin.follow()
    assert "Waits for the next cycle" in fin.words
    do(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True) and None)
    fin.visit(move)

    assert "State Done" in fin.words and "Stands now right of Cem" in fin.words


def test_what_cannot_be_is_said_at_its_field(app, cast, people):
    ada, eve = laptop(app, "ada"), people["Eve"][0]
    for form, words in (
        ({"parent": "NOBODY", "leg": "L", "reason": WHY}, "Nobody has this code."),
        ({"parent": people["Eve"][1], "leg": "L", "reason": WHY}, "own team"),
        ({"parent": people["Ana"][1], "leg": "L", "reason": WHY}, "Somebody stands on this spot."),
        ({"parent": people["Cem"][1], "leg": "L", "reason": "no"}, "a reason of at least ten letters"),
        ({"parent": "", "leg": "L", "reason": WHY}, "Please write a code."),
    ):
        ada.visit(f"/admin/consultants/{eve}/move")
        assert ada.submit(f"/admin/consultants/{eve}/move", form).status_code in (409, 422)
        assert words in ada.words
    with app.app_context():
        assert db.session.scalars(select(PlacementMove)).all() == []


def test_a_no_needs_a_reason(app, cast, people):
    ada, fin = laptop(app, "ada"), laptop(app, "fin")
    ada.visit(f"/admin/consultants/{people['Eve'][0]}/move")
    ada.submit(
        f"/admin/consultants/{people['Eve'][0]}/move",
        {"parent": people["Cem"][1], "leg": "R", "reason": WHY},
    )
    move = ada.follow().request.path

    fin.visit(move)
    assert fin.submit(f"{move}/reject", {"decision": ""}).status_code == 422
    assert fin.submit(f"{move}/reject", {"decision": "There is no mistake"}).status_code == 303
    fin.follow()

    assert "There is no mistake" in fin.words and "Not approved" in fin.words


def test_consultants_cannot_see_moves(app, cast, people):
    ben = laptop(app, "ben")

    for path in ("/admin/moves", "/admin/moves/x", f"/admin/consultants/{people['Eve'][0]}/move"):
        assert ben.visit(path).status_code in (403, 404)
