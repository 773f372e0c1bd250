"""A company that was computed elsewhere goes on here as if it had always been here."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from portal.commissions import projection
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.ledger.audit import broken_invariants
from portal.ledger.statements import balances
from portal.live import legs as live_legs
from portal.models import (
    AccountUser,
    Carry,
    CommissionLine,
    Consultant,
    Cycle,
    Entry,
    ImportedFiles,
    Pack,
    Person,
    Release,
    Run,
)
from portal.store import perform
from tests.arrival import companies
from tests.arrival.test_faults import EXAMPLE
from tests.conftest import environment
from tests.people import PASSWORD, add_user
from tests.processes import ROOT


def staff():
    emails = ("ada@example.com", "abe@example.com")
    return list(db.session.scalars(select(AccountUser.id).where(AccountUser.email.in_(emails))))


def people():
    return list(db.session.scalars(select(Consultant.id).order_by(Consultant.id)))


def fourth_week(fourth):
    companies.sell(fourth, people())
    return companies.found_in(companies.close_week(staff()))


def test_the_next_week_is_what_it_would_have_been_and_the_books_hold(app, move_in, files, old_company):
    _, fourth, expected = old_company

    answer = move_in(files)
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.output)["rows"]["consultants"] == 40
    with app.app_context():
        assert broken_invariants(db.session()) == []
        found = fourth_week(fourth)
        assert {kind for _, kind, *_ in found["lines"]} == {"retail", "direct", "binary", "matching"}
        assert found == expected
        assert broken_invariants(db.session()) == []


def test_a_cent_of_carry_more_is_seen_in_the_next_week(app, move_in, files, old_company):
    _, fourth, expected = old_company
    rows = list(csv.reader((files / "carry.csv").open()))
    rows[1][1] = companies.text(int(rows[1][1].replace(".", "")) + 1)
    with (files / "carry.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)

    move_in(files)
    with app.app_context():
        assert fourth_week(fourth) != expected


def test_without_the_volume_of_past_weeks_others_are_active(app, move_in, files, old_company):
    _, fourth, expected = old_company
    (files / "volumes.csv").unlink()

    move_in(files)
    with app.app_context():
        assert fourth_week(fourth) != expected


def test_balances_open_as_entries_and_what_is_held_waits_for_its_day(app, move_in, files, old_company):
    rows = list(csv.DictReader((files / "balances.csv").open()))
    held = [row for row in rows if row["kind"] == "pending"]
    free = [row for row in rows if row["kind"] == "available"]
    assert held and free, "the old company has both"

    move_in(files)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Entry)) == len(rows)
        assert db.session.scalar(select(func.count()).select_from(Release)) == len(held)
        who = db.session.scalars(select(Consultant.id).where(Consultant.code == free[0]["code"])).one()
        assert companies.text(balances(db.session(), who).available) == free[0]["amount"]


def test_past_weeks_are_there_and_the_open_one_follows_them(app, move_in, files, old_company):
    move_in(files)
    with app.app_context():
        states = list(db.session.scalars(select(Cycle.state).order_by(Cycle.starts_at)))
        last, opened = db.session.scalars(select(Cycle).order_by(Cycle.starts_at)).all()[-2:]
        assert states == ["paid"] * companies.WEEKS + ["open"]
        assert (opened.previous_id, opened.starts_at) == (last.id, last.until)
        run = db.session.get_one(Run, last.close_run_id)
        assert (run.purpose, run.totals["paid_cents"] > 0, run.posted_at) == ("import", True, None)


@pytest.mark.parametrize(
    ("rhythm", "names", "days"),
    [
        ("day", ["2026-11-13", "2026-11-14", "2026-11-15"], ["2026-11-13", "2026-11-14", "2026-11-15"]),
        ("month", ["2026-08", "2026-09", "2026-10"], ["2026-08-01", "2026-09-01", "2026-10-01"]),
    ],
)
def test_days_and_months_go_on_in_their_rhythm(app, move_in, tmp_path, rhythm, names, days):
    files = tmp_path / rhythm
    shutil.copytree(EXAMPLE, files)
    ends = [*days[1:], {"day": "2026-11-16", "month": "2026-11-01"}[rhythm]]
    rows = [",".join(row) for row in zip(names, days, ends, strict=True)]
    (files / "cycles.csv").write_text("\n".join(["name,start,until", *rows]) + "\n")
    for name in ("lines.csv", "volumes.csv"):
        text = (files / name).read_text()
        for old, new in zip(("2026-W44", "2026-W45", "2026-W46"), names, strict=True):
            text = text.replace(old, new)
        (files / name).write_text(text)

    answer = move_in(files)

    assert answer.exit_code == 0, answer.output
    with app.app_context():
        found = db.session.scalars(select(Cycle).order_by(Cycle.starts_at)).all()
        assert [cycle.name for cycle in found[:-1]] == names
        assert {cycle.rhythm for cycle in found} == {rhythm} and found[-1].starts_at == found[-2].until


def test_the_same_files_again_change_nothing_and_others_are_refused(app, move_in, files, old_company):
    first, again = move_in(files), move_in(files)
    assert json.loads(first.output)["new"] and not json.loads(again.output)["new"]
    (files / "balances.csv").unlink()
    refused = move_in(files)

    assert refused.exit_code == 1 and "an import needs an empty one" in refused.output
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(ImportedFiles)) == 1


def test_a_check_writes_nothing(app, move_in, files, old_company):
    assert json.loads(move_in(files, "--check").output)["ok"]
    with app.app_context():
        assert people() == []


KILLED = """
import os, sys
import portal.arrival.service as service
service.open_balances = lambda *_, **__: os.kill(os.getpid(), 9)
from portal import create_app
create_app().test_cli_runner().invoke(args=["import", sys.argv[1], "--as", "ada@example.com"])
"""


def test_an_import_that_is_killed_midway_leaves_nothing(app, move_in, files, database, tmp_path):
    environ = {**os.environ, **environment(database, tmp_path / "killed")}
    killed = subprocess.run([sys.executable, "-c", KILLED, files], env=environ, cwd=ROOT, timeout=60)
    assert killed.returncode == -9

    with app.app_context():
        for model in (Consultant, Person, CommissionLine, Cycle, ImportedFiles):
            count = db.session.scalar(select(func.count()).select_from(model))
            assert count == (2 if model is Person else 0), "only Ada and Abe are there"
    assert move_in(files).exit_code == 0


def test_the_example_of_the_documentation_moves_in(app, move_in):
    answer = json.loads(move_in(EXAMPLE).output)
    assert (answer["rows"]["consultants"], answer["cycle"]) == (7, "2026-W47")
    with app.app_context():
        assert broken_invariants(db.session()) == []


def test_the_templates_are_files_that_move_in(app, move_in, tmp_path):
    written = app.test_cli_runner().invoke(args=["import", "--template", str(tmp_path / "new")])
    assert "consultants.csv" in written.output
    assert app.test_cli_runner().invoke(args=["import", "--template", str(tmp_path / "new")]).exit_code == 1
    assert move_in(tmp_path / "new").exit_code == 0


def test_who_moved_in_signs_in_with_the_password_that_the_company_gives(app, move_in, visitor):
    move_in(EXAMPLE)
    stranger = visitor()
    stranger.visit("/login")
    assert stranger.submit("/login", {"email": "maya@example.com", "password": "!"}).status_code == 422
    given = app.test_cli_runner().invoke(args=["user", "password", "maya@example.com"])
    password = given.output.strip().rpartition(" ")[2]

    maya = visitor()
    maya.sign_in("maya@example.com", password)
    assert "Maya" in maya.visit("/home").text


def test_the_open_week_is_live_at_once(app, move_in, files):
    with app.app_context():
        assert live_legs([1]).legs == [None]
        move_in(files)
        everybody = people()
        legs = live_legs(everybody).legs
        assert legs[0].people_left + legs[0].people_right == len(everybody) - 1
        assert projection.recalculate(db.session(), now=utc_now())
        carried = {one.consultant_id: one for one in db.session.scalars(select(Carry))}
        for who, projected in zip(everybody, projection.read_many(everybody), strict=True):
            carry = carried.get(who)
            assert (projected.left, projected.right) == ((carry.left, carry.right) if carry else (0, 0))


def test_nobody_without_the_permission_brings_a_company_in(app, move_in, files):
    with app.app_context():
        perform(lambda uow: add_user(uow, "Fin", role="finance") and None)
    refused = app.test_cli_runner().invoke(args=["import", str(files), "--as", "fin@example.com"])
    assert (refused.exit_code, "may not manage cycles" in refused.output) == (1, True)
    assert "--as EMAIL" in app.test_cli_runner().invoke(args=["import", str(files)]).output


def test_packs_of_its_own_come_along(app, move_in, files):
    (files / "packs.csv").write_text("code,name,summary,price,like\ngold,Gold,For teams.,99.00,plus\n")
    rows = (files / "consultants.csv").read_text()
    (files / "consultants.csv").write_text(rows.replace(",plus,", ",gold,", 1))

    assert move_in(files).exit_code == 0
    with app.app_context():
        gold, plus = db.session.get_one(Pack, "gold"), db.session.get_one(Pack, "plus")
        assert (gold.price_cents, gold.monthly_cents, gold.features) == (99_00, 0, plus.features)


def test_pages_show_what_came_along(app, move_in, visitor):
    move_in(EXAMPLE)
    given = app.test_cli_runner().invoke(args=["user", "password", "grace@example.com"])
    grace = visitor()
    grace.sign_in("grace@example.com", given.output.strip().rpartition(" ")[2])
    assert "$25.60" in grace.visit("/earnings/weeks/2026-W46").text
    assert "Brought along, on its way" in grace.visit("/earnings").text
    ada = visitor()
    ada.sign_in("ada@example.com", PASSWORD)
    for path in ("/admin", "/admin/cycles", "/admin/cycles/2026-W46", "/admin/cycles/2026-W46/lines.csv"):
        assert ada.visit(path).status_code == 200, path
    assert "Brought along from the system before" in ada.visit("/admin/books").text
    with app.app_context():
        entry_id = db.session.scalar(select(func.min(Entry.id)))
    assert "Brought along from the system before" in ada.visit(f"/admin/entries/{entry_id}").text
