"""A close is undone with a reason while its window is open; a closed week is computed again and compared."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Consultant, Cycle, Entry, Run
from tests.rooms.admin.cycle_steps import closed, entries, state, title

TICK = {"HX-Request": "true", "HX-Request-Type": "partial", "Canopy-Tick": "1"}
WHY = "A vendor sent last month's file."


@pytest.fixture
def shut(app, week, signed_in, work, do):
    """A week that was closed a moment ago; (its name, Ada, Fin)."""
    ada, fin = closed(signed_in, work, week)
    do(lambda uow: set_window(uow, week, utc_now() + timedelta(minutes=28, seconds=30)))
    return week, ada, fin


def set_window(uow, week, until):
    uow.session.scalars(select(Cycle).where(Cycle.name == week)).one().undo_until = until


def test_the_banner_says_until_when_and_counts_down_by_tick(app, shut, do):
    week, ada, _fin = shut
    page = ada.visit(f"/admin/cycles/{week}").text

    assert f"{title(week)} is closed. Undo until" in ada.words and "28 minutes left." in ada.words
    assert "Pay week" not in ada.words and "Payouts can start after" in ada.words
    assert f'hx-get="/admin/cycles/{week}/undo"' in page
    part = ada.client.get(f"/admin/cycles/{week}/undo", headers=TICK)
    assert part.text.lstrip().startswith('<p id="undo-left"') and "HX-Refresh" not in part.headers
    again = ada.client.get(
        f"/admin/cycles/{week}/undo", headers=TICK | {"Canopy-Tag": part.headers["Canopy-Tag"]}
    )
    assert again.status_code == 304
    assert ada.client.get(f"/admin/cycles/{week}/undo").status_code == 302

    do(lambda uow: set_window(uow, week, utc_now() - timedelta(seconds=1)))
    over = ada.client.get(f"/admin/cycles/{week}/undo", headers=TICK)
    assert over.headers["HX-Refresh"] == "true"
    ada.visit(f"/admin/cycles/{week}")
    assert "Undo" not in ada.words and "Pay week" in ada.words


def test_an_undone_close_is_told_and_has_to_be_approved_anew(app, shut, work):
    week, ada, fin = shut
    booked = len(entries(app))
    fin.visit(f"/admin/cycles/{week}")
    assert fin.submit(f"/admin/cycles/{week}/undo", {"reason": f"  {WHY} "}).status_code == 303
    fin.follow()
    assert f"The close of {title(week)} is being undone" in fin.words and "Undo until" not in fin.words
    work()

    ada.visit(f"/admin/cycles/{week}")
    assert "The close was undone" in ada.words and f"“{WHY}” Fin, run" in ada.words
    assert state(app, week) == "previewed" and "2 more people have to approve" in ada.words
    assert len(entries(app)) == 2 * booked, "nothing was deleted"


def test_an_undo_needs_a_reason_a_fresh_password_and_the_right(app, shut, signed_in, monkeypatch):
    week, ada, _fin = shut
    ada.visit(f"/admin/cycles/{week}")

    assert ada.submit(f"/admin/cycles/{week}/undo", {"reason": "  "}).status_code == 422
    assert "Please say why" in ada.words and 'aria-invalid="true"' in ada.page.text
    ana = signed_in("ana")
    ana.visit("/home")
    for deed in ("undo", "again"):
        assert ana.submit(f"/admin/cycles/{week}/{deed}", {"reason": WHY}).status_code == 403
    monkeypatch.setattr("portal.access.guard.confirmed_within", lambda minutes: False)
    assert "/confirm" in ada.submit(f"/admin/cycles/{week}/undo", {"reason": WHY}).location
    assert state(app, week) == "closed"


def test_payouts_of_a_week_that_can_be_undone_are_refused(app, shut):
    week, _ada, fin = shut
    fin.visit(f"/admin/cycles/{week}")

    assert fin.submit(f"/admin/cycles/{week}/pay").status_code == 409
    assert state(app, week) == "closed"


def test_a_closed_week_computed_again_comes_out_the_same_and_books_nothing(app, shut, work):
    week, ada, _fin = shut
    before = entries(app)
    ada.visit(f"/admin/cycles/{week}")
    for _ in range(2):
        assert ada.submit(f"/admin/cycles/{week}/again").status_code == 303
    assert f"{title(week)} is being computed again" in ada.follow().text
    work()

    ada.visit(f"/admin/cycles/{week}")
    assert "The same, to the last byte" in ada.words
    ada.visit(f"/admin/cycles/{week}/again")
    assert "Nobody gets more or less" in ada.words
    assert entries(app) == before
    with app.app_context():
        assert len(db.session.scalars(select(Run.id).where(Run.purpose == "compare")).all()) == 1


def test_a_difference_leads_to_a_correction(app, cast, shut, work, do):
    week, ada, _fin = shut

    def demote(uow):
        uow.session.get_one(Consultant, cast.ana).pack = "smart"

    do(demote)
    ada.visit(f"/admin/cycles/{week}")
    ada.submit(f"/admin/cycles/{week}/again")
    work()

    ada.visit(f"/admin/cycles/{week}")
    assert "It comes out otherwise" in ada.words
    page = ada.visit(f"/admin/cycles/{week}/again").text
    assert "Ana" in ada.words and "$58.00 $28.00 −$30.00" in ada.words
    with app.app_context():
        ana = db.session.get_one(Consultant, cast.ana).public_id
        assert db.session.scalar(select(Entry.id).where(Entry.kind == "correction")) is None
    assert f"/admin/consultants/{ana}/adjust" in page
    assert f"/admin/consultants/{ana}/adjust" in ada.visit(f"/admin/cycles/{week}/people/{ana}").text
    assert 'href="/admin/adjustments"' in ada.visit(f"/admin/cycles/{week}").text.split('id="decide"')[1]


def test_an_open_or_ended_week_is_previewed_instead(app, week, signed_in):
    ada = signed_in("ada")
    ada.visit(f"/admin/cycles/{week}")

    assert ada.submit(f"/admin/cycles/{week}/again").status_code == 409
    assert "preview it instead" in ada.words
    assert ada.visit(f"/admin/cycles/{week}/again").status_code == 404
