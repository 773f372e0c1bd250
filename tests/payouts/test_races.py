"""Many at once: one balance is spent once, one withdrawal is decided once. On both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.ledger import book
from portal.ledger.accounts import available, reserved
from portal.ledger.book import Draft, Move
from portal.models import Account, Entry, Withdrawal
from portal.payouts import batches, service
from portal.store import perform
from tests.html import Visitor
from tests.people import PASSWORD

MANY = 16


@pytest.fixture
def at_once(app):
    """Run works at the same moment, each in a thread and application context of its own; their outcomes."""

    def run(works):
        start = Barrier(len(works))

        def one(work):
            with app.app_context():
                start.wait()
                try:
                    perform(work)
                except DomainError as refusal:
                    return type(refusal).__name__
                return "done"

        with ThreadPoolExecutor(len(works)) as threads:
            return list(threads.map(one, works))

    return run


def test_sixteen_requests_for_one_balance_succeed_once(app, at_once, ben, purse, cast):
    def ask(number):
        return lambda uow: (
            service.request_withdrawal(
                uow, consultant_id=ben, amount=500_00, key=f"race-{number}", actor_id=cast.ada
            ).id
        )

    outcomes = at_once([ask(number) for number in range(MANY)])

    assert sorted(outcomes) == sorted(["done"] + ["NotEnoughMoney"] * (MANY - 1))
    assert purse(ben) == (0, 0, 500_00, 0)


def test_sixteen_copies_of_one_request_set_money_aside_once(app, at_once, ben, purse, cast):
    def ask(uow):
        return service.request_withdrawal(
            uow, consultant_id=ben, amount=120_00, key="copy", actor_id=cast.ada
        ).id

    assert at_once([ask] * MANY) == ["done"] * MANY
    assert purse(ben) == (0, 380_00, 120_00, 0)
    with app.app_context():
        assert len(db.session.scalars(select(Withdrawal)).all()) == 1


def test_sixteen_browsers_withdraw_once_and_none_sees_a_bug(app, ben, purse):
    browsers = [Visitor(app) for _ in range(MANY)]
    first = browsers[0]
    first.sign_in("ben@example.com", PASSWORD)
    cookies = first.client.get_cookie("canopy")
    forms = []
    for browser in browsers:
        browser.client.set_cookie("canopy", cookies.value)
        browser.visit("/earnings/withdraw/check?amount=500.00")
        forms.append({**browser.hidden, "amount": "500.00"})
    start = Barrier(MANY)

    def press(pair):
        browser, form = pair
        start.wait()
        return browser.client.post("/earnings/withdraw/check", data=form).status_code

    with ThreadPoolExecutor(MANY) as threads:
        answers = list(threads.map(press, zip(browsers, forms, strict=True)))

    assert sorted(answers) == [303] + [422] * (MANY - 1)
    assert purse(ben) == (0, 0, 500_00, 0)


def test_one_withdrawal_is_decided_once(app, at_once, ben, do, cast, purse):
    for round_number in range(4):
        row = _asked(do, ben, cast, key=f"round-{round_number}")
        outcomes = at_once(_decisions(row, ben, cast))

        won = [
            name
            for name, outcome in zip(("approve", "reject", "cancel"), outcomes, strict=True)
            if outcome == "done"
        ]
        # An approved withdrawal may still be rejected; nothing else can follow a decision.
        assert won in (["approve"], ["reject"], ["cancel"], ["approve", "reject"])
        with app.app_context():
            state = db.session.get(Withdrawal, row).state
            resolved = db.session.scalars(select(Entry).where(Entry.resolves_id.is_not(None))).all()
        assert state == {"approve": "approved", "reject": "rejected", "cancel": "cancelled"}[won[-1]]
        assert len({entry.resolves_id for entry in resolved}) == len(resolved)
    assert sum(purse(ben)) == 500_00


def test_two_exports_and_two_confirmations_at_once_happen_once(app, at_once, ben, do, cast, purse):
    row = _asked(do, ben, cast, key="k")
    do(lambda uow: service.approve(uow, withdrawal_id=row, actor_id=cast.fin).id)

    def export(uow):
        return batches.export_batch(uow, withdrawal_ids=[row], actor_id=cast.ada).id

    assert sorted(at_once([export] * 4)) == ["Conflict"] * 3 + ["done"]
    with app.app_context():
        batch = db.session.get(Withdrawal, row).batch_id

    def confirm(uow):
        return batches.confirm_batch(uow, batch_id=batch, actor_id=cast.fin).id

    def void(uow):
        return batches.void_batch(uow, batch_id=batch, actor_id=cast.fin).id

    assert sorted(at_once([confirm, confirm, void, void])) == ["Conflict"] * 3 + ["done"]
    assert purse(ben) in ((0, 400_00, 0, 0), (0, 400_00, 100_00, 0))


def test_without_the_lock_the_check_alone_would_be_wrong(app, ben, purse):
    """The control: everybody reads before anybody writes. The database's own floor is what is left."""
    read = Barrier(MANY)

    def careless(number):
        with app.app_context():
            seen = db.session.scalar(
                select(Account.balance).where(Account.owner_id == ben, Account.purpose == "available")
            )
            db.session.rollback()
            read.wait()
            draft = Draft(f"careless-{number}", "test", [Move(available(ben), reserved(ben), 500_00)])
            try:
                perform(lambda uow: book.post(uow, draft).id)
            except Exception as refused:  # noqa: BLE001
                return seen >= 500_00, type(refused).__name__
            return seen >= 500_00, "posted"

    with ThreadPoolExecutor(MANY) as threads:
        outcomes = list(threads.map(careless, range(MANY)))

    assert [enough for enough, _ in outcomes] == [True] * MANY, "every check said yes"
    assert sorted(outcome for _, outcome in outcomes) == ["IntegrityError"] * (MANY - 1) + ["posted"]
    with app.app_context():
        entry = db.session.scalars(select(Entry).where(Entry.kind == "test")).one()
        perform(lambda uow: book.post(uow, _undo(entry.id, ben)).id)
    assert purse(ben) == (0, 500_00, 0, 0)


def _undo(entry_id, ben):
    return Draft("undo", "test", [Move(reserved(ben), available(ben), 500_00)], reverses=entry_id)


def _asked(do, ben, cast, *, key):
    return do(
        lambda uow: (
            service.request_withdrawal(uow, consultant_id=ben, amount=100_00, key=key, actor_id=cast.ada).id
        )
    )


def _decisions(row, ben, cast):
    return [
        lambda uow: service.approve(uow, withdrawal_id=row, actor_id=cast.fin).id,
        lambda uow: service.reject(uow, withdrawal_id=row, actor_id=cast.fin, reason="No.").id,
        lambda uow: (
            service.cancel_withdrawal(uow, withdrawal_id=row, consultant_id=ben, actor_id=cast.ada).id
        ),
    ]
