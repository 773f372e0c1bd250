"""Preview, close, undo, close again: killed at every commit and started again, the books come out the same.

The commit points are not listed here: a run that nobody disturbs counts them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import psycopg
import pytest
from sqlalchemy import create_engine, event, make_url, select, text
from sqlalchemy.orm import Session

from jobs import commissions as jobs
from portal.commissions import closing, cycles, undo
from portal.extensions import db
from portal.ledger import bulk
from portal.ledger.audit import broken_invariants
from portal.ledger.releases import Holds, new_release_table
from portal.models import Approval, Cycle, Run
from portal.store import perform
from tests.commissions.closes import approve, close, end, end_open
from tests.conftest import Database
from tests.people import invite_cast
from tests.shop import add_sale, reverse_sale

FINGERPRINT = {
    "balances": "SELECT owner_type, owner_id, purpose, balance FROM account ORDER BY 1, 2, 3",
    "entries": """
        SELECT e.kind, r.kind, d.purpose, d.owner_id, c.purpose, c.owner_id, p.amount_cents
          FROM entry e JOIN posting p ON p.entry_id = e.id
          JOIN account d ON d.id = p.debit_id JOIN account c ON c.id = p.credit_id
          LEFT JOIN entry r ON r.id = e.reverses_id ORDER BY 1, 2, 3, 4, 5, 6, 7""",
    "holds": """SELECT consultant_id, cycle_id, amount_cents, clawed_cents, due_on, released_at IS NULL
                  FROM release ORDER BY 1, 2, 3, 4, 5, 6""",
    "runs": """SELECT purpose, input_hash, output_hash, undone_at IS NULL FROM run
                WHERE posted_at IS NOT NULL ORDER BY id""",
    "carry": """SELECT cycle.id, consultant_id, new_left, carry_left, carry_right, matched_to_date,
                       paid_to_date_cents
                  FROM carry JOIN cycle ON cycle.close_run_id = carry.run_id ORDER BY 1, 2""",
    "lines": """SELECT consultant_id, kind, amount_cents, base, sale_id, level FROM commission_line
                  JOIN run ON run.id = run_id WHERE posted_at IS NOT NULL ORDER BY 1, 2, 3, 4, 5, 6""",
    "facts": "SELECT name, count(*) FROM outbox WHERE name LIKE 'cycle.%' GROUP BY name ORDER BY 1",
}


@pytest.fixture
def company(database, make_app, tmp_path):
    """A closed week, and an ended one that takes money back and brings some; copies of it for each kill."""
    app = make_app(database)
    cast = invite_cast(app)
    with app.app_context():
        first = perform(lambda uow: add_sale(uow, cast.ben, 400_00, revenue=3_000_00))
        perform(lambda uow: add_sale(uow, cast.cem, 300_00, revenue=3_000_00))
        approve(end(cast), cast.ada, cast.fin)
        close(cast.cycle)
        perform(lambda uow: reverse_sale(uow, first, volume=100_00, revenue=750_00))
        perform(lambda uow: add_sale(uow, cast.cem, 50_00, revenue=100_00))
        week = end_open()
        db.session.remove()
        db.engine.dispose()
    return Company(database, make_app, (cast.ada, cast.fin), week, tmp_path)


class Company:
    def __init__(self, database, make_app, admins, week, folder) -> None:
        self.database, self.make_app, self.admins, self.week = database, make_app, admins, week
        self.folder: Path = folder
        self.copies = 0

    @contextmanager
    def copy(self):
        self.copies += 1
        name = f"killed_{os.getpid()}_{self.copies}"
        if self.database.engine == "sqlite":
            file = self.folder / f"{name}.sqlite"
            shutil.copy(make_url(self.database.url).database, file)
            yield replace(self.database, url=f"sqlite:///{file}", owner_url=f"sqlite:///{file}")
            return
        owner = make_url(self.database.owner_url)
        with psycopg.connect(_plain(owner.set(database="postgres")), autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name} TEMPLATE {owner.database} STRATEGY file_copy")
            yield Database(
                "postgresql",
                make_url(self.database.url).set(database=name).render_as_string(hide_password=False),
                owner.set(database=name).render_as_string(hide_password=False),
            )
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, database: Database, killed: Callable[[int], bool], careless: bool = False) -> int | None:
        """Tell the story in a process of its own; how many commits it made, None when it was killed."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                made = self._tell(database, killed, careless)
                os.write(write, str(made).encode())
            finally:
                os._exit(0 if "made" in locals() else 1)
        os.close(write)
        with os.fdopen(read) as told:
            words = told.read()
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the story itself failed"
        return int(words) if words else None

    def _tell(self, database: Database, killed: Callable[[int], bool], careless: bool) -> int:
        commits = 0

        def before(_session):
            nonlocal commits
            commits += 1
            if killed(commits):
                os.kill(os.getpid(), signal.SIGKILL)

        app = self.make_app(database, CANOPY_UNDO_MINUTES="30")
        event.listen(Session, "before_commit", before)
        if careless:
            jobs.CLOSE_STEPS = (closing.freeze, book_carelessly, finish)
        with app.app_context():
            story(self.week, self.admins)
            db.session.remove()
        return commits


def story(week: int, admins: tuple[int, int]) -> None:
    """What people ask for and jobs do; whoever begins again goes on from what is there."""
    while True:
        db.session.rollback()
        cycle = db.session.get_one(Cycle, week)
        undone = db.session.scalar(select(Run.id).where(Run.undone_at.is_not(None)))
        if any((cycle.undo_requested_at, cycle.close_requested_at, cycle.preview_requested_at)):
            jobs.do_requested()
        elif cycle.state == "ended":
            perform(partial(cycles.request_preview, cycle_id=week, actor_id=admins[0]))
        elif cycle.state == "previewed":
            assert cycle.refusal is None, cycle.refusal
            said = select(Approval.user_id).where(Approval.run_id == cycle.preview_run_id)
            missing = [each for each in admins if each not in db.session.scalars(said).all()]
            ids = {"cycle_id": week, "run_id": cycle.preview_run_id, "actor_id": missing[0]}
            perform(partial(cycles.approve, **ids))
        elif cycle.state == "approved":
            perform(partial(cycles.request_close, cycle_id=week, actor_id=admins[0]))
        elif undone is None:
            perform(partial(undo.request_undo, cycle_id=week, actor_id=admins[1], reason="Once more."))
        else:
            return


def book_carelessly(uow, *, cycle_id, zone, **_more):
    """Half of the step `post` as it must not be: a commit of its own, without looking whether it is done."""
    cycle = uow.session.get_one(Cycle, cycle_id)
    run = uow.session.get_one(Run, cycle.close_run_id)
    credits = closing.credits_of(uow.session, run.id)
    earned = credits.where(credits.amounts > 0)
    table = closing._entries(run, earned)
    keys = np.array([secrets.token_hex(8).encode() for _ in range(len(table))])
    entries = bulk.post_table(uow, replace(table, keys=keys.__getitem__))
    due = np.full(len(table), np.datetime64("2030-01-01", "D"))
    new_release_table(uow, Holds(entries, earned.consultants, cycle_id, earned.amounts, due))
    run.taken = closing._take_back(uow, run, credits.where(credits.amounts < 0))


def finish(uow, *, cycle_id, window, **_more):
    run = uow.session.get_one(Run, uow.session.get_one(Cycle, cycle_id).close_run_id)
    closing._finish(uow, cycle_id, run, window)


def fingerprint(database: Database) -> dict[str, list[tuple[object, ...]]]:
    engine = create_engine(database.owner_url)
    with engine.connect() as connection:
        found = {
            name: [tuple(row) for row in connection.execute(text(sql))] for name, sql in FINGERPRINT.items()
        }
        with Session(connection) as session:
            found["broken"] = [(one.invariant,) for one in broken_invariants(session)]
    engine.dispose()
    return found


def never(_commit: int) -> bool:
    return False


def test_killed_at_every_commit_and_started_again_the_books_are_the_same(company):
    with company.copy() as undisturbed:
        commits = company.run(undisturbed, never)
        wanted = fingerprint(undisturbed)
    assert commits > 10 and wanted["broken"] == []
    assert len(wanted["runs"]) == 3

    # Killed after a commit is for the database the same as killed before the next one.
    for number in range(1, commits + 1):
        with company.copy() as database:
            assert company.run(database, lambda now, at=number: now == at) is None, f"not killed at {number}"
            company.run(database, never)
            assert fingerprint(database) == wanted, f"killed before commit {number} of {commits}"


def test_a_step_that_does_not_look_whether_it_is_done_doubles_what_it_books(company):
    with company.copy() as undisturbed:
        commits = company.run(undisturbed, never, careless=True)
        wanted = fingerprint(undisturbed)
    # The first half of the story has the close in it.
    for number in range(commits // 2, 0, -1):
        with company.copy() as database:
            company.run(database, lambda now, at=number: now == at, careless=True)
            # The books may be so far out of order that the story cannot go on.
            with contextlib.suppress(AssertionError):
                company.run(database, never, careless=True)
            if fingerprint(database) != wanted:
                return
    pytest.fail("no kill made a difference")


def _plain(url) -> str:
    return url.render_as_string(hide_password=False).replace("+psycopg", "")
