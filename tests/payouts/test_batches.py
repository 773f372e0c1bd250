"""Batches: one file, the same for ever; each withdrawal in one live batch; paid once."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.ids import new_id
from portal.ledger.accounts import BANK
from portal.ledger.statements import company_balance
from portal.models import Consultant, Outbox, PayoutBatch, PayoutMethod, PayoutSelection, Withdrawal
from portal.payouts import batches, queries, results, service
from portal.payouts.files import HEAD, guarded
from portal.payouts.payees.destinations import BankDetails, save_bank
from portal.payouts.result_files import read_result
from portal.payouts.stored import content_of
from tests.payouts.purses import fund


@pytest.fixture
def app(sqlite_app):
    """The rules do not depend on the engine; races and the state machine run on both."""
    return sqlite_app


@pytest.fixture
def approved(do, user_of, cast):
    """An approved withdrawal of a consultant; its id."""

    def make(consultant, cents, key):
        named = {"consultant_id": consultant, "amount": cents, "key": key, "actor_id": user_of(consultant)}
        withdrawal = do(lambda uow: service.request_withdrawal(uow, **named).id)
        do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)
        return withdrawal

    return make


@pytest.fixture
def export(do, cast):
    return lambda *ids: do(
        lambda uow: batches.export_batch(uow, withdrawal_ids=list(ids), actor_id=cast.ada).id
    )


@pytest.fixture
def rows_of(app):
    def read(batch):
        with app.app_context():
            content = content_of(queries.file_of(db.session(), batch, format="csv"))
            return list(csv.reader(io.StringIO(content.decode())))

    return read


def test_a_batch_lists_each_line_and_ends_with_its_sum(approved, export, rows_of, ben, do, cast, app):
    do(fund, cast.cem, 300_00, cycle=cast.cycle)

    batch = export(approved(ben, 120_00, "k1"), approved(cast.cem, 30_50, "k2"))

    head, first, second, control = rows_of(batch)
    assert head == list(HEAD)
    account = ["Somebody", "021000021", "123456789", "checking"]
    assert first[1:] == ["Ben", *account, "120.00", "USD"]
    assert second[1:] == ["Cem", *account, "30.50", "USD"]
    assert control == ["CONTROL", "2", "", "", "", "", "150.50", "USD"]
    assert all(re.fullmatch(r"PO-[0-9A-Z]{5}-[0-9A-Z]", line[0]) for line in (first, second))
    assert first[0] != second[0]
    with app.app_context():
        found = db.session.get(PayoutBatch, batch)
        file = queries.file_of(db.session(), batch, format="csv")
        assert file.sha256 == hashlib.sha256(content_of(file)).hexdigest()
        assert (found.count, found.sum_cents) == (2, 150_50)


def test_the_file_stays_the_same_whatever_happens_later(approved, export, ben, do, cast, app):
    batch = export(approved(ben, 120_00, "k1"))
    with app.app_context():
        before = queries.file_of(db.session(), batch, format="csv").content

    do(lambda uow: setattr(uow.session.get(Consultant, ben).person, "name", "Benjamin"))
    do(batches.confirm_batch, batch_id=batch, actor_id=cast.fin)

    with app.app_context():
        assert queries.file_of(db.session(), batch, format="csv").content == before


def test_a_withdrawal_is_in_one_live_batch_at_most(approved, export, ben):
    withdrawal = approved(ben, 120_00, "k1")
    export(withdrawal)

    with pytest.raises(Conflict):
        export(withdrawal)


def test_an_empty_or_unknown_choice_is_refused(export, ben):
    with pytest.raises(BadInput):
        export()
    with pytest.raises(Conflict):
        export(424242)


def test_a_requested_withdrawal_is_not_exported(approved, export, ben, do, user_of, purse):
    named = {"consultant_id": ben, "amount": 20_00, "key": "k2", "actor_id": user_of(ben)}
    waiting = do(lambda uow: service.request_withdrawal(uow, **named).id)

    with pytest.raises(Conflict):
        export(approved(ben, 120_00, "k1"), waiting)


def test_confirming_pays_every_line_once(approved, export, ben, do, cast, purse, app):
    batch = export(approved(ben, 120_00, "k1"), approved(ben, 80_00, "k2"))

    do(batches.confirm_batch, batch_id=batch, actor_id=cast.fin)

    assert purse(ben) == (0, 300_00, 0, 0)
    with app.app_context():
        assert company_balance(db.session, BANK) == -200_00
        told = db.session.scalars(select(Outbox.name).where(Outbox.name == "withdrawal.paid")).all()
        assert len(told) == 2
    with pytest.raises(Conflict):
        do(batches.confirm_batch, batch_id=batch, actor_id=cast.ada)
    with pytest.raises(Conflict):
        do(batches.void_batch, batch_id=batch, actor_id=cast.ada)


def test_a_void_batch_frees_its_lines_for_another(approved, export, ben, do, cast, purse, app):
    withdrawal = approved(ben, 120_00, "k1")
    first = export(withdrawal)

    do(batches.void_batch, batch_id=first, actor_id=cast.fin)
    second = export(withdrawal)
    do(batches.confirm_batch, batch_id=second, actor_id=cast.fin)

    assert purse(ben) == (0, 380_00, 0, 0)
    with app.app_context():
        assert db.session.get(Withdrawal, withdrawal).batch_id == second


def test_money_returned_before_the_confirmation_is_not_paid(approved, export, ben, do, cast, purse):
    first, second = approved(ben, 120_00, "k1"), approved(ben, 80_00, "k2")
    batch = export(first, second)

    do(service.return_withdrawal, withdrawal_id=first, actor_id=cast.fin, reason="No such account.")
    do(batches.confirm_batch, batch_id=batch, actor_id=cast.fin)

    assert purse(ben) == (0, 420_00, 0, 0)


def test_money_returned_after_the_payment_comes_back_once(approved, export, ben, do, cast, purse, app):
    withdrawal = approved(ben, 120_00, "k1")
    do(batches.confirm_batch, batch_id=export(withdrawal), actor_id=cast.fin)

    do(service.return_withdrawal, withdrawal_id=withdrawal, actor_id=cast.fin, reason="No such account.")

    assert purse(ben) == (0, 500_00, 0, 0)
    with app.app_context():
        assert company_balance(db.session, BANK) == 0
    with pytest.raises(Conflict):
        do(service.return_withdrawal, withdrawal_id=withdrawal, actor_id=cast.fin, reason="Again.")


def test_a_name_stays_a_name():
    cells = ["Ben", "O'Neil", "Ana-Maria", "", "1 = 1", "Müller & Söhne"]

    assert [guarded(cell) for cell in cells] == cells


def test_a_name_like_a_formula_arrives_as_text(approved, export, rows_of, ben, do):
    do(lambda uow: setattr(uow.session.get(Consultant, ben).person, "name", '=HYPERLINK("http://x")'))

    rows = rows_of(export(approved(ben, 120_00, "k1")))

    assert rows[1][1] == '\'=HYPERLINK("http://x")'


def test_a_batch_the_bank_has_answered_to_cannot_be_void(approved, export, ben, do, cast, app):
    batch = export(approved(ben, 120_00, "k1"), approved(ben, 80_00, "k2"))
    with app.app_context():
        content = content_of(queries.file_of(db.session(), batch, format="csv")).decode().splitlines()
    rows = read_result("\r\n".join([f"{content[0]},outcome", f"{content[1]},paid"]).encode())
    do(lambda uow: vars(results.import_result(uow, rows, batch_id=batch, actor_id=cast.fin)))

    with pytest.raises(Conflict, match="has answered"):
        do(batches.void_batch, batch_id=batch, actor_id=cast.fin)


def test_a_batch_with_a_line_that_came_back_cannot_be_void(approved, export, ben, do, cast):
    first = approved(ben, 120_00, "k1")
    batch = export(first, approved(ben, 80_00, "k2"))
    do(service.return_withdrawal, withdrawal_id=first, actor_id=cast.fin, reason="No such account.")

    with pytest.raises(Conflict, match="has answered"):
        do(batches.void_batch, batch_id=batch, actor_id=cast.fin)


@pytest.mark.parametrize("kind", ["stripe", "http"])
def test_one_person_cannot_return_what_a_provider_paid(approved, export, ben, do, cast, purse, kind):
    withdrawal = approved(ben, 120_00, "k1")
    export(withdrawal)
    do(lambda uow: setattr(uow.session.scalars(select(PayoutMethod)).first(), "kind", kind))
    before = purse(ben)

    with pytest.raises(Conflict, match="provider"):
        do(service.return_withdrawal, withdrawal_id=withdrawal, actor_id=cast.fin, reason="I say so.")
    assert purse(ben) == before


def test_an_account_its_owner_has_left_is_not_paid_by_a_file(approved, export, ben, do, cast, purse):
    withdrawal = approved(ben, 120_00, "k1")
    details = BankDetails("Ben Osei", "021000021", "987654321", "checking")

    def change(uow):
        method = uow.session.get(Withdrawal, withdrawal).method_id
        save_bank(uow, details, consultant_id=ben, method_id=method, actor_id=cast.ada)

    do(change)

    with pytest.raises(Conflict, match=r"changed after the approval: Ben\."):
        export(withdrawal)
    do(service.reject, withdrawal_id=withdrawal, actor_id=cast.fin, reason="Please ask again.")
    assert purse(ben) == (0, 500_00, 0, 0)


def test_week_batch_and_withdrawals_are_locked_in_this_order_by_all(approved, export, ben, do, cast, app):
    withdrawal = approved(ben, 120_00, "k1")

    def pay_a_week(uow):
        selection = PayoutSelection(
            public_id=new_id(),
            cycle_id=cast.cycle,
            criteria={},
            state="made",
            created_by=cast.fin,
            created_at=uow.clock(),
        )
        uow.session.add(selection)
        uow.session.flush()
        uow.session.get(Withdrawal, withdrawal).selection_id = selection.id

    do(pay_a_week)
    order = ["cycle", "payout_batch", "withdrawal"]
    with locks() as seen:
        batch = export(withdrawal)
    assert seen[0] == "cycle" and "withdrawal" in seen
    for work in (
        lambda uow: results.import_result(uow, [], batch_id=batch, actor_id=cast.fin) and None,
        lambda uow: batches.void_batch(uow, batch_id=batch, actor_id=cast.fin) and None,
    ):
        with locks() as seen:
            do(work)
        assert list(dict.fromkeys(seen)) == order


@contextmanager
def locks():
    """The tables whose rows are locked meanwhile, in the order in which they are."""
    seen = []

    def note(asked):
        if asked.is_select and asked.statement._for_update_arg is not None:
            seen.append(asked.bind_mapper.local_table.name)

    event.listen(Session, "do_orm_execute", note)
    try:
        yield seen
    finally:
        event.remove(Session, "do_orm_execute", note)
