"""`flask cycle …`: a week from open to paid by hand, and what the commands say when they cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel import clock
from portal.kernel.clock import utc_now
from portal.ledger.audit import broken_invariants
from portal.models import Account, Cycle, Entry, PayoutBatch, Posting, Withdrawal
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

    def run(*words):
        return app.test_cli_runner().invoke(args=["cycle", *words])

    return run


@pytest.fixture
def moved_clock():
    """Moves the clock of the process on, and back afterwards."""
    yield lambda days: clock.start_at(utc_now() + timedelta(days=days))
    clock._offset = timedelta(0)


def answer(done):
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def books(app):
    with app.app_context():
        assert broken_invariants(db.session()) == []
        postings = select(Entry.key, Posting.debit_id, Posting.credit_id, Posting.amount_cents)
        return db.session.execute(postings.join(Posting.entry).order_by(Entry.id, Posting.id)).all()


def credited_owners():
    """The owner whose account each commission entry credits, in the order of the entries."""
    credited = select(Account.owner_id).join(Posting, Posting.credit_id == Account.id).join(Posting.entry)
    return list(db.session.scalars(credited.where(Entry.cause_type == "run").order_by(Entry.id)))


def named_owners():
    """The owner whom the key of each commission entry names."""
    keys = db.session.scalars(select(Entry.key).where(Entry.cause_type == "run").order_by(Entry.id))
    return [int(key.split("-")[3]) for key in keys]


def closed(cycle, week):
    cycle("preview", week, "--early")
    for email in (ADA, FIN):
        assert cycle("approve", week, "--as", email).exit_code == 0
    return answer(cycle("close", week, "--as", ADA, "--json"))


def test_a_week_goes_from_open_to_paid(app, cycle, week, moved_clock, tmp_path):
    previewed = answer(cycle("preview", week, "--early", "--json"))
    first = answer(cycle("approve", week, "--as", ADA, "--json"))
    second = answer(cycle("approve", week, "--as", FIN, "--json"))
    done = answer(cycle("close", week, "--as", ADA, "--json"))
    assert (first["approvals"], second["approvals"]) == (1, 2)
    assert previewed["paid_cents"] == done["paid_cents"] == 358_00
    assert done["hash"] == previewed["hash"] and done["state"] == "closed"

    moved_clock(40)
    file = tmp_path / "batch.csv"
    made = answer(cycle("pay", week, "--as", ADA, "--json"))
    assert (made["count"], made["sum_cents"], made["state"]) == (3, 358_00, "closed")
    assert "wait for the yes of another person" in cycle("pay", week, "--as", ADA).output
    out = answer(cycle("pay", week, "--as", FIN, "--out", str(file), "--json"))
    assert (out["count"], out["sum_cents"], out["state"]) == (3, 358_00, "closed")
    assert file.read_text().splitlines()[-1] == "CONTROL,3,,,,,358.00,USD,2026-W47"
    assert answer(cycle("pay", week, "--as", FIN, "--json"))["batch"] == out["batch"]
    paid = answer(cycle("pay", week, "--as", FIN, "--confirm", "--json"))
    assert paid["state"] == answer(cycle("pay", week, "--as", FIN, "--confirm", "--json"))["state"] == "paid"

    rows = {row["name"]: row for row in answer(cycle("list", "--json"))}
    assert (rows[week]["state"], rows[week]["volume"], rows[week]["paid"]) == ("paid", "700.00", "358.00")
    books(app)
    with app.app_context():
        assert set(db.session.scalars(select(Withdrawal.state))) == {"paid"}
        assert credited_owners() == named_owners() != []


def test_closing_again_changes_nothing(app, cycle, week):
    first = closed(cycle, week)
    before = books(app)

    assert answer(cycle("close", week, "--as", FIN, "--json")) == first
    assert books(app) == before


def test_a_newer_preview_leaves_earlier_approvals_without_effect(cycle, week):
    cycle("preview", week, "--early")
    cycle("approve", week, "--as", ADA)
    cycle("preview", week)

    assert answer(cycle("approve", week, "--as", FIN, "--json"))["approvals"] == 1
    refused = cycle("close", week, "--as", FIN)
    assert (refused.exit_code, refused.output.count("\n")) == (1, 1)
    assert "two people" in refused.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("preview", "2001-W01"), "There is no cycle 2001-W01."),
        (("approve", "2001-W01", "--as", ADA), "There is no cycle 2001-W01."),
        (("approve", "WEEK", "--as", "nobody@example.com"), "Nobody signs in as nobody@example.com."),
        (("approve", "WEEK", "--as", ANA), "ana@example.com may not approve cycles."),
        (("close", "WEEK", "--as", ADA), "two people have to approve it"),
        (("pay", "WEEK", "--as", FIN), "only a closed one can be paid"),
        (("pay", "WEEK", "--as", FIN, "--confirm"), "has no batch yet"),
        (("preview", "WEEK"), "cannot be previewed"),
        (("open",), "There are cycles already"),
    ],
)
def test_a_command_that_cannot_says_why_in_one_line(cycle, week, words, said):
    done = cycle(*(week if word == "WEEK" else word for word in words))

    assert done.exit_code == 1
    assert said in done.output and done.output.count("\n") == 1, done.output


def test_one_person_cannot_approve_twice(cycle, week):
    cycle("preview", week, "--early")
    cycle("approve", week, "--as", ADA)

    assert "A second person" in cycle("approve", week, "--as", ADA).output


def test_a_week_ends_by_itself_when_it_is_over(cycle, week, moved_clock):
    moved_clock(7)

    assert answer(cycle("preview", week, "--json"))["paid_cents"] == 358_00
    assert [row["state"] for row in answer(cycle("list", "--json"))] == ["open", "previewed"]


def test_production_ends_no_week_before_its_time(app, cycle, week):
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], environment="production")
    refused = cycle("preview", week, "--early")

    assert refused.exit_code == 1 and "--early" in refused.output
    assert answer(cycle("list", "--json"))[0]["state"] == "open"


def test_a_new_company_opens_its_first_week(app, cycle):
    assert answer(cycle("open", "--json"))["state"] == "open"
    (row,) = answer(cycle("list", "--json"))

    assert (row["state"], row["volume"], row["paid"]) == ("open", "0.00", None)
    assert answer(cycle("preview", row["name"], "--early", "--json"))["paid_cents"] == 0


def test_paying_a_week_in_which_nobody_has_enough_settles_it(app, cycle, week):
    closed(cycle, week)

    assert answer(cycle("pay", week, "--as", FIN, "--json")) == {"cycle": week, "state": "paid"}
    with app.app_context():
        assert db.session.scalar(select(PayoutBatch.id)) is None
