"""People whose payouts wait to be sent: wallets filled, accounts at the played Stripe open, all approved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial

from flask import Flask
from sqlalchemy import select

from portal.gateways.sandbox import connect
from portal.gateways.sandbox.play import Play
from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import COMMISSION_EXPENSE, CURRENCY, available, pending, reserved
from portal.ledger.book import Draft, Move
from portal.ledger.releases import Hold, new_release_rows
from portal.members.packs import ensure_defaults
from portal.models import Cycle, Destination, PayoutMethod, Withdrawal
from portal.payouts.payees.shipped import ensure_methods
from portal.payouts.releases import release_due
from portal.store import UnitOfWork, perform
from tests.people import add_consultant, add_user, open_week

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PLENTY = 10**12


def play_of(app: Flask) -> Play:
    """The sandbox that stands beside an application."""
    mounted = app.wsgi_app.mounts["/sandbox"]  # type: ignore[attr-defined]
    play: Play = mounted.extensions["sandbox"]
    return play


def queue_payouts(
    app: Flask, *, payouts: int, people: int, cents: int = 50_00, kind: str = "stripe"
) -> list[int]:
    """Let so many payouts of `cents` wait, shared by some people; the ids of the withdrawals."""
    accounts = [
        open_account(play_of(app)) if kind == "stripe" else f"place-{number}" for number in range(people)
    ]
    with app.app_context():
        company = (perform(_cycle), perform(_actor))
        method_id = perform(partial(a_method, kind=kind))
        ids: list[int] = []
        for number, account in enumerate(accounts):
            share = len(range(number, payouts, people))
            place = perform(partial(a_payee, method_id=method_id, account=account, name=str(number)))
            ids += perform(partial(_queue, place=place, count=share, cents=cents, company=company))
        return ids


def open_account(play: Play) -> str:
    """An account at the played Stripe that can be paid; nothing is told about it."""
    with play.store.writing() as books:
        wanted = {"type": "express", "capabilities": {"transfers": {"requested": "true"}}}
        account = connect.open_account(play, books, wanted).body
        account.update(details_submitted=True, payouts_enabled=True)
        account["capabilities"]["transfers"] = "active"
        account["external_accounts"]["data"].append(connect.new_bank(account))
        account["requirements"] = {"currently_due": [], "disabled_reason": None}
        books.save("account", account)
    return str(account["id"])


def a_method(uow: UnitOfWork, kind: str, settings: str | None = None) -> int:
    """A method of a kind without fee and with limits that do not bite; the one that is there when it is."""
    ensure_methods(uow)
    known = uow.session.scalar(select(PayoutMethod).where(PayoutMethod.kind == kind))
    method = known or PayoutMethod(
        code=f"soak-{kind}", name=kind, kind=kind, position=90, countries=["US"], created_at=uow.clock()
    )
    method.enabled, method.settings = True, settings or method.settings
    method.minimum_cents, method.fee_cents, method.fee_rate = 1, 0, 0
    method.maximum_cents = method.daily_limit_cents = PLENTY
    method.run_limit_cents = method.automatic_limit_cents = PLENTY
    uow.session.add(method)
    uow.session.flush()
    return method.id


def a_payee(uow: UnitOfWork, method_id: int, account: str, *, name: str) -> tuple[int, int]:
    """A consultant with a destination that has rested; (consultant, destination)."""
    consultant_id = add_consultant(uow, f"Payee{name}{new_id()[:4]}")
    destination = Destination(
        public_id=new_id(),
        consultant_id=consultant_id,
        method_id=method_id,
        label="••••",
        provider_account=account,
        country="US",
        ready=True,
        created_at=LONG_AGO,
        usable_at=LONG_AGO + timedelta(hours=72),
    )
    uow.session.add(destination)
    uow.session.flush()
    return consultant_id, destination.id


def _queue(
    uow: UnitOfWork, place: tuple[int, int], *, count: int, cents: int, company: tuple[int, int]
) -> list[int]:
    """Earn it, release it, reserve it, approve it."""
    (consultant_id, destination_id), (cycle_id, actor_id) = place, company
    amount = Cents(cents * count)
    draft = Draft(
        f"soak-{new_id()}", "commission", [Move(COMMISSION_EXPENSE, pending(consultant_id), amount)]
    )
    entry = book.post(uow, draft)
    new_release_rows(uow, [Hold(entry.id, consultant_id, cycle_id, amount, date(2020, 1, 1))])
    release_due(uow, today=uow.clock().date())
    method_id = uow.session.get_one(Destination, destination_id).method_id
    rows = []
    for _ in range(count):
        public_id, now = new_id(), uow.clock()
        move = Move(available(consultant_id), reserved(consultant_id), Cents(cents))
        reserve = book.post(uow, Draft(f"wd:{public_id}", "withdrawal requested", [move], actor_id=actor_id))
        rows.append(
            Withdrawal(
                public_id=public_id,
                key=public_id,
                consultant_id=consultant_id,
                amount_cents=cents,
                currency=CURRENCY,
                state="queued",
                method_id=method_id,
                destination_id=destination_id,
                fee_cents=0,
                withheld_cents=0,
                reserve_entry_id=reserve.id,
                requested_by=actor_id,
                requested_at=now,
                decided_by=actor_id,
                decided_at=now,
                next_at=now,
            )
        )
    uow.session.add_all(rows)
    uow.session.flush()
    return [row.id for row in rows]


def _actor(uow: UnitOfWork) -> int:
    return add_user(uow, f"Clerk{new_id()}", role="finance").id


def _cycle(uow: UnitOfWork) -> int:
    ensure_defaults(uow)
    known = uow.session.scalar(select(Cycle.id).order_by(Cycle.id).limit(1))
    return known if known is not None else open_week(uow)
