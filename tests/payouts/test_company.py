"""The company pays a closed cycle: everybody who has enough, in one batch, once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.errors import Conflict, DomainError
from portal.models import AccountUser, Consultant, Cycle, PayoutBatch, Withdrawal
from portal.payouts import batches, company, queries, results, selections, service
from portal.payouts.approval import approve_selection
from portal.payouts.cycle_settling import settle_cycles
from portal.payouts.result_files import read_result
from portal.payouts.stored import content_of
from tests.payouts.purses import fund


@pytest.fixture
def app(sqlite_app):
    return sqlite_app


@pytest.fixture
def closed(do, cast):
    """The cycle is closed; Ben has $500.00, Cem $9.99, Dia $10.00."""

    def close(uow):
        for person, cents in ((cast.ben, 500_00), (cast.cem, 9_99), (cast.dia, 10_00)):
            fund(uow, person, cents, cycle=cast.cycle)
        uow.session.get_one(Cycle, cast.cycle).state = "closed"

    do(close)
    return cast.cycle


@pytest.fixture
def select_people(do, cast):
    """Find and make the withdrawals of a cycle; the selection's id, None where nobody can be paid."""

    def run(cycle, actor=None):
        def work(uow):
            found = company.select_for_cycle(uow, cycle_id=cycle, actor_id=actor or cast.ada)
            if found is None:
                return None
            if found.state == "draft":
                selections.make(uow, selection_id=found.id, actor_id=actor or cast.ada)
            return found.id

        return do(work)

    return run


@pytest.fixture
def pay(select_people, do, cast):
    """Ada makes, Fin approves and exports; the batch's id."""

    def run(cycle, actor=None):
        select_people(cycle, actor)
        do(lambda uow: company.pay_on(uow, cycle_id=cycle, actor_id=cast.fin))
        return do(lambda uow: uow.session.get_one(Cycle, cycle).payout_batch_id)

    return run


@pytest.fixture
def states(app):
    def read():
        with app.app_context():
            return list(db.session.scalars(select(Withdrawal.state).order_by(Withdrawal.id)))

    return read


@pytest.fixture
def look(app):
    def read(model, row_id, *names):
        with app.app_context():
            found = db.session.get_one(model, row_id)
            return tuple(getattr(found, name) for name in names)

    return read


def test_all_who_have_enough_are_paid_in_one_batch(closed, pay, look, do, cast, purse):
    batch = pay(closed)

    assert look(PayoutBatch, batch, "count", "sum_cents", "state", "cycle_id") == (
        2,
        510_00,
        "exported",
        closed,
    )
    assert [purse(person) for person in (cast.ben, cast.cem, cast.dia)] == [
        (0, 0, 500_00, 0),
        (0, 9_99, 0, 0),
        (0, 0, 10_00, 0),
    ]
    assert look(Cycle, closed, "state", "payout_batch_id") == ("closed", batch)

    do(lambda uow: batches.confirm_batch(uow, batch_id=batch, actor_id=cast.fin).id)

    assert purse(cast.ben) == (0, 0, 0, 0)
    state, paid_at = look(Cycle, closed, "state", "paid_at")
    assert state == "paid" and paid_at is not None


def test_asking_again_gives_the_same_batch(closed, pay, select_people):
    assert pay(closed) == pay(closed)
    assert select_people(closed) == select_people(closed)


def test_who_made_the_withdrawals_cannot_approve_them(closed, select_people, do, cast, states):
    selection = select_people(closed)

    do(lambda uow: company.pay_on(uow, cycle_id=closed, actor_id=cast.ada))
    assert states() == ["requested", "requested"]
    with pytest.raises(DomainError, match="Somebody else has to approve"):
        do(approve_selection, selection_id=selection, actor_id=cast.ada)

    assert do(approve_selection, selection_id=selection, actor_id=cast.fin) == []
    assert states() == ["approved", "approved"]


def test_a_cycle_that_is_not_closed_is_not_paid(select_people, cast):
    with pytest.raises(Conflict):
        select_people(cast.cycle)


def test_where_nobody_has_enough_the_cycle_is_paid_at_once(select_people, look, do, cast):
    do(lambda uow: setattr(uow.session.get_one(Cycle, cast.cycle), "state", "closed"))

    assert select_people(cast.cycle) is None
    assert look(Cycle, cast.cycle, "state") == ("paid",)


def test_a_void_batch_is_exported_anew(closed, pay, look, do, cast, purse):
    first = pay(closed)
    do(lambda uow: batches.void_batch(uow, batch_id=first, actor_id=cast.fin).id)
    do(fund, cast.cem, 100_00, cycle=closed)

    second = pay(closed)

    assert second != first
    assert look(PayoutBatch, second, "count", "sum_cents") == (2, 510_00)
    assert purse(cast.cem) == (0, 109_99, 0, 0), "what came meanwhile waits for the next cycle"


def test_a_cycle_whose_lines_all_came_back_is_settled_by_the_job(closed, pay, look, do, cast, app):
    pay(closed)
    with app.app_context():
        lines = db.session.scalars(select(Withdrawal.id)).all()
    for line in lines:
        do(
            lambda uow, line=line: (
                service.return_withdrawal(uow, withdrawal_id=line, actor_id=cast.fin, reason="No.").id
            )
        )
    assert look(Cycle, closed, "state") == ("closed",)

    assert do(settle_cycles) == 1
    assert look(Cycle, closed, "state") == ("paid",)
    assert do(settle_cycles) == 0


def test_a_line_that_comes_back_does_not_keep_the_cycle_open(closed, pay, look, do, cast, purse, app):
    batch = pay(closed)
    with app.app_context():
        line = db.session.query(Withdrawal.id).filter_by(consultant_id=cast.ben).scalar()
    do(
        lambda uow: (
            service.return_withdrawal(uow, withdrawal_id=line, actor_id=cast.fin, reason="No account.").id
        )
    )

    do(lambda uow: batches.confirm_batch(uow, batch_id=batch, actor_id=cast.fin).id)

    assert purse(cast.ben) == (0, 500_00, 0, 0)
    assert look(Cycle, closed, "state") == ("paid",)


def test_nobody_pays_out_to_themselves(closed, pay, look, do, cast, purse):
    user = do(
        lambda uow: (
            uow.session.query(AccountUser.id)
            .join(Consultant, Consultant.person_id == AccountUser.person_id)
            .filter(Consultant.id == cast.ben)
            .scalar()
        )
    )

    batch = pay(closed, actor=user)

    assert look(PayoutBatch, batch, "sum_cents") == (10_00,)
    assert purse(cast.ben) == (0, 500_00, 0, 0)


def test_the_csv_of_a_weeks_batch_names_the_week_and_still_is_read_back(app, do, closed, pay, cast):
    batch = pay(closed)
    with app.app_context():
        week = db.session.get_one(Cycle, closed).name
        assert db.session.get_one(PayoutBatch, batch).cycle_id == closed
        content = content_of(queries.file_of(db.session(), batch, format="csv")).decode()
    head, *lines = content.splitlines()
    assert head.endswith(",currency,cycle") and all(line.endswith(f",USD,{week}") for line in lines)

    answer = "\r\n".join([f"{head},outcome", *(f"{line},paid" for line in lines[:-1])])
    rows = read_result(answer.encode())
    done = do(lambda uow: vars(results.import_result(uow, rows, batch_id=batch, actor_id=cast.ada)))
    assert (done["paid"], done["problems"]) == (len(lines) - 1, 0)
    with app.app_context():
        heard = results.heard_of(db.session(), batch)
    assert (heard.read, heard.paid, heard.failed, heard.refused) == (len(lines) - 1, len(lines) - 1, 0, 0)
