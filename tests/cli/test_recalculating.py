"""`flask cycle recalculate`: an ended cycle is previewed anew, a closed one compared; nothing is booked."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from portal.extensions import db
from portal.models import Approval, Audit, Consultant, Cycle, Entry, Run
from portal.store import perform
from tests.shop import add_sale

ADA, FIN, ANA = "ada@example.com", "fin@example.com", "ana@example.com"


@pytest.fixture
def week(app, cast):
    """The name of the open week, in which Ben and Cem sold."""
    with app.app_context():
        perform(lambda uow: add_sale(uow, cast.ben, 400_00, revenue=3_000_00))
        perform(lambda uow: add_sale(uow, cast.cem, 300_00, revenue=3_000_00))
        return db.session.get_one(Cycle, cast.cycle).name


@pytest.fixture
def cycle(app):
    """Runs `flask cycle WORDS`; what it printed and its exit code."""
    return lambda *words: app.test_cli_runner().invoke(args=["cycle", *words])


def kept(app):
    """What may not change: entries, and how many runs of each purpose there are."""
    with app.app_context():
        runs = db.session.execute(select(Run.purpose, func.count()).group_by(Run.purpose)).all()
        return list(db.session.scalars(select(Entry.key).order_by(Entry.id))), {**dict(runs)}


def closed(cycle, week):
    cycle("preview", week, "--early")
    for email in (ADA, FIN):
        assert cycle("approve", week, "--as", email).exit_code == 0
    assert cycle("close", week, "--as", ADA).exit_code == 0


def test_an_ended_cycle_gets_a_new_preview_and_earlier_approvals_lose_their_effect(app, cast, cycle, week):
    cycle("preview", week, "--early")
    assert cycle("approve", week, "--as", ADA).exit_code == 0

    done = cycle("recalculate", week, "--as", ADA)

    assert done.exit_code == 0
    assert done.stdout.startswith(f"Cycle {week} has a new preview: $358.00 to 3 people. Run 2, ")
    assert done.stdout.endswith("Earlier approvals no longer count.\n")
    with app.app_context():
        found = db.session.get_one(Cycle, cast.cycle)
        assert (found.state, found.preview_run_id) == ("previewed", 2)
        assert db.session.get_one(Run, 2).requested_by == cast.ada
        assert db.session.scalar(select(func.count()).where(Approval.run_id == 2)) == 0
        noted = select(Audit.actor_id).where(Audit.action == "cycle.preview")
        assert list(db.session.scalars(noted)) == [cast.ada]


def test_a_closed_cycle_comes_out_the_same_and_nothing_is_booked(app, cycle, week):
    closed(cycle, week)
    before = kept(app)

    for _ in range(2):
        done = cycle("recalculate", week, "--as", ADA)
        assert done.exit_code == 0 and "is the same, to the last byte" in done.stdout

    entries, runs = kept(app)
    assert entries == before[0]
    assert runs == {"close": 1, "compare": 2}


def test_what_differs_is_told_for_each_person_and_by_the_exit_code(app, cast, cycle, week):
    closed(cycle, week)
    before, _runs = kept(app)
    with app.app_context():
        perform(lambda uow: setattr(uow.session.get_one(Consultant, cast.ana), "pack", "smart"))
        code = db.session.get_one(Consultant, cast.ana).code

    said = cycle("recalculate", week, "--as", ADA)
    told = cycle("recalculate", week, "--as", ADA, "--json")

    assert (said.exit_code, told.exit_code) == (1, 1)
    assert "1 person gets another amount. Nothing was booked." in said.stdout
    assert f"{code:<12}        $58.00 ->         $28.00  Ana" in said.stdout
    facts = json.loads(told.stdout)
    assert facts["same"] is False and facts["people"] == 1 and facts["hash"] != facts["closed_hash"]
    assert facts["differences"] == [{"code": code, "closed_cents": 58_00, "now_cents": 28_00}]
    assert kept(app)[0] == before


@pytest.mark.parametrize(
    ("name", "email", "words"),
    [
        ("2020-W01", ADA, "There is no cycle 2020-W01."),
        ("", ADA, "cannot be previewed: it ends on"),
        ("", ANA, "may not manage cycles"),
    ],
)
def test_a_refusal_is_one_line(cycle, week, name, email, words):
    done = cycle("recalculate", name or week, "--as", email)
    assert done.exit_code == 1
    assert words in done.stderr and done.stderr.count("\n") == 1
