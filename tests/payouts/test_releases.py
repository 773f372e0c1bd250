"""Held money: taken back oldest first, released on its day, a debt paid first, each once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event, insert
from sqlalchemy.engine import Engine

from portal.kernel.ids import new_id
from portal.ledger import book
from portal.ledger.accounts import COMMISSION_EXPENSE, pending
from portal.ledger.book import Draft, Move
from portal.ledger.releases import Claw, Hold, claw_back, claw_back_many, new_release_rows
from portal.models import Consultant, Person
from portal.payouts.releases import release_due
from tests.payouts.purses import earn, fund

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


@pytest.fixture
def app(sqlite_app):
    """The state machine runs the same on both engines."""
    return sqlite_app


@pytest.fixture
def take(do):
    def call(consultant, cents, key="claw"):
        do(claw_back, consultant_id=consultant, amount=cents, key=key, cause=("test", 1))

    return call


def test_money_is_held_until_its_day(do, cast, purse):
    do(earn, cast.ben, 100_00, cycle=cast.cycle, due_on=MAY)

    assert do(release_due, today=date(2026, 4, 30)) == 0
    assert purse(cast.ben) == (100_00, 0, 0, 0)
    assert do(release_due, today=MAY) == 1
    assert purse(cast.ben) == (0, 100_00, 0, 0)
    assert do(release_due, today=JUNE) == 0


def test_what_is_taken_back_before_is_not_released(do, cast, purse, take):
    do(earn, cast.ben, 100_00, cycle=cast.cycle, due_on=MAY)
    take(cast.ben, 30_00)

    do(release_due, today=MAY)

    assert purse(cast.ben) == (0, 70_00, 0, 0)


def test_the_oldest_hold_is_taken_first(do, cast, purse, take):
    do(earn, cast.ben, 50_00, cycle=cast.cycle, due_on=JUNE)
    do(earn, cast.ben, 100_00, cycle=cast.cycle, due_on=MAY)
    take(cast.ben, 120_00)

    do(release_due, today=MAY)
    assert purse(cast.ben) == (30_00, 0, 0, 0)
    do(release_due, today=JUNE)
    assert purse(cast.ben) == (0, 30_00, 0, 0)


def test_after_holds_what_is_free_is_taken_and_then_debt_is_written(do, cast, purse, take):
    do(fund, cast.ben, 40_00, cycle=cast.cycle)
    do(earn, cast.ben, 50_00, cycle=cast.cycle, due_on=JUNE)

    take(cast.ben, 100_00)

    assert purse(cast.ben) == (0, 0, 0, 10_00)


def test_later_earnings_pay_the_debt_first(do, cast, purse, take):
    take(cast.ben, 60_00)
    do(earn, cast.ben, 50_00, cycle=cast.cycle, due_on=MAY)
    do(earn, cast.ben, 50_00, cycle=cast.cycle, due_on=MAY)

    do(release_due, today=MAY)

    assert purse(cast.ben) == (0, 40_00, 0, 0)


def test_the_same_key_takes_once(cast, take, purse):
    take(cast.ben, 60_00)
    take(cast.ben, 60_00)

    assert purse(cast.ben) == (0, 0, 0, 60_00)


def test_two_corrections_of_one_person_in_one_call_add_up(do, cast, purse):
    do(earn, cast.ben, 50_00, cycle=cast.cycle, due_on=MAY)

    do(claw_back_many, [Claw(cast.ben, cents, f"claw-{cents}", ("test", 1)) for cents in (30_00, 45_00)])

    assert purse(cast.ben) == (0, 0, 0, 25_00)


def test_releases_come_in_parts_and_none_is_left(do, cast, purse):
    for _ in range(5):
        do(earn, cast.ben, 1_00, cycle=cast.cycle, due_on=MAY)

    assert [do(release_due, today=MAY, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert purse(cast.ben) == (0, 5_00, 0, 0)


def test_a_crowd_is_done_in_few_statements(do, cast):
    people = do(_add_crowd, number=1000)
    do(_earn_all, people, cycle=cast.cycle)

    taking = _statements(
        lambda: do(claw_back_many, [Claw(person, 5_00, f"c-{person}", ("test", 1)) for person in people])
    )
    releasing = _statements(lambda: do(release_due, today=MAY, limit=1000))

    assert (taking <= 60, releasing <= 60) == (True, True), (taking, releasing)


def _add_crowd(uow, *, number):
    now = uow.clock()
    persons = [
        {"public_id": new_id(), "name": f"P{count}", "email": f"p{count}@example.com", "created_at": now}
        for count in range(number)
    ]
    common = {"pack": "plus", "status": "active", "preference": "weaker", "joined_at": now}
    consultants = [
        {"public_id": new_id(), "code": f"C{person_id}", "person_id": person_id, **common}
        for person_id in uow.session.scalars(insert(Person).returning(Person.id), persons)
    ]
    return list(uow.session.scalars(insert(Consultant).returning(Consultant.id), consultants))


def _statements(work):
    """How often the database is asked, however many rows come at once."""
    asked = []

    def hear(*_):
        asked.append(1)

    event.listen(Engine, "before_cursor_execute", hear)
    work()
    event.remove(Engine, "before_cursor_execute", hear)
    return len(asked)


def _earn_all(uow, people, *, cycle):
    drafts = [
        Draft(f"all-{person}", "commission", [Move(COMMISSION_EXPENSE, pending(person), 20_00)])
        for person in people
    ]
    entries = book.post_many(uow, drafts)
    pairs = zip(entries, people, strict=True)
    new_release_rows(uow, [Hold(entry, person, cycle, 20_00, MAY) for entry, person in pairs])
