"""The pages of held sales: why, how much, settled with a reason; the consultant reads what is missing."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Customer, HeldSale
from portal.store import perform
from tests.html import Visitor
from tests.people import PASSWORD
from tests.sales.rules import held, net, rule, tell
from tests.vendors import activated, invite_vera


@pytest.fixture
def held_id(app, cast):
    vera = invite_vera(app, cast)
    with app.app_context():
        rule(licence_kind="solar", licence_states=["CA"])
        tell(vera, activated(vera, customer_state="CA"))
        return db.session.scalars(select(HeldSale.public_id)).one()


def laptop(app, name):
    visitor = Visitor(app)
    visitor.sign_in(f"{name}@example.com", PASSWORD)
    return visitor


def test_it_is_listed_with_its_reason_and_released_with_one(app, held_id):
    fin = laptop(app, "fin")
    fin.visit("/admin/held")
    assert "no verified solar licence for California covers Nov 2, 2026" in fin.words
    assert "1 sale, 184 volume, $620.00 revenue" in fin.words

    fin.visit(f"/admin/held/{held_id}")
    assert fin.submit(f"/admin/held/{held_id}/release", {"note": " "}).status_code == 422
    assert "Please write why" in fin.words
    assert fin.submit(f"/admin/held/{held_id}/release", {"note": "Seen on paper"}).status_code == 303
    fin.follow()

    assert "Released" in fin.words and "Seen on paper" in fin.words
    with app.app_context():
        assert net() == (184_00, 620_00)
    assert fin.submit(f"/admin/held/{held_id}/refuse", {"note": "No"}).status_code == 409


def test_it_is_refused_with_a_reason(app, held_id):
    ada = laptop(app, "ada")
    ada.visit(f"/admin/held/{held_id}")
    ada.submit(f"/admin/held/{held_id}/refuse", {"note": "No licence then"})

    with app.app_context():
        assert (held()[0][0], net()) == ("refused", (0, 0))
    ben = laptop(app, "ben")
    ben.visit("/earnings")
    assert "Refused: No licence then" in ben.words


def test_a_customer_is_marked_as_own_household_and_back(app, held_id):
    ada = laptop(app, "ada")
    ada.visit(f"/admin/held/{held_id}")
    marks = []
    for chosen in ("y", ""):
        ada.submit(f"/admin/held/{held_id}/own-use", {"own_use": chosen})
        with app.app_context():
            customer = db.session.scalars(select(Customer)).unique().one()
            marks.append((customer.own_use, customer.verified_by))

    assert marks == [(True, None), (False, "admin")]


def test_settling_asks_for_a_fresh_password_and_for_the_permission(app, held_id, monkeypatch):
    ben, ada = laptop(app, "ben"), laptop(app, "ada")
    assert ben.visit("/admin/held").status_code in (403, 404)
    ada.visit(f"/admin/held/{held_id}")
    monkeypatch.setattr("portal.access.guard.confirmed_within", lambda minutes: False)
    for deed in ("release", "refuse", "own-use"):
        answer = ada.submit(f"/admin/held/{held_id}/{deed}", {"note": "Yes"})
        assert answer.status_code == 303 and "/confirm" in answer.location
    assert ada.visit("/admin/held/nothing").status_code == 404


def test_the_consultant_reads_what_is_missing(app, held_id):
    ben, cem = laptop(app, "ben"), laptop(app, "cem")
    ben.visit("/earnings")
    cem.visit("/earnings")

    wanted = "Earns nothing: no verified solar licence for California covers Nov 2, 2026."
    assert wanted in ben.words and "184 volume" in ben.words
    assert 'href="/licences"' in ben.page.text.partition('id="held"')[2]
    assert wanted not in cem.words

    ben.visit("/home")
    cem.visit("/home")
    assert wanted in ben.words and wanted not in cem.words


def test_a_refused_one_leaves_the_home_page_after_a_week(app, cast, held_id):
    ben, seen = laptop(app, "ben"), []
    for days in (6, 8):
        refused_at = utc_now() - timedelta(days=days)
        with app.app_context():
            perform(partial(_refuse, held_id, cast.fin, refused_at))
        ben.visit("/home")
        seen.append("Refused: Not ours" in ben.words)
        ben.visit("/earnings")
        assert "Refused: Not ours" in ben.words

    assert seen == [True, False]


def _refuse(held_id, actor_id, refused_at, uow):
    row = uow.session.scalars(select(HeldSale).where(HeldSale.public_id == held_id)).unique().one()
    row.state, row.settled_at, row.settled_by, row.settled_note = "refused", refused_at, actor_id, "Not ours"
