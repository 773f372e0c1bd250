"""P13: what the bank or Stripe sends back is in the wallet once, and its owner is told once."""

from __future__ import annotations

import json
import random

import pytest
from sqlalchemy import select

from jobs import sending_effects
from portal.extensions import db
from portal.gateways.sandbox import connect
from portal.gateways.sandbox.delivery import signature
from portal.kernel.clock import utc_now
from portal.ledger import statements
from portal.models import Destination, Withdrawal
from portal.payouts.automatic import arrivals
from tests.payouts.automatic.show import SOAK

RETURNS, CONTROL = 100 * SOAK, 20
WAYS = ("bounced after it was paid", "reversed by Stripe", "account closed")


@pytest.fixture
def database(sqlite_database):
    """The rules are the same on both engines; the races are tested on PostgreSQL."""
    return sqlite_database


def account_of(show, withdrawal_id: int) -> str:
    with show.app.app_context():
        joined = select(Destination.provider_account).join(
            Withdrawal, Withdrawal.destination_id == Destination.id
        )
        return db.session.scalars(joined.where(Withdrawal.id == withdrawal_id)).one()


def send_back(show, withdrawal_id: int, way: str) -> None:
    play, account_id = show.play, account_of(show, withdrawal_id)
    with play.store.writing() as books:
        account = books.find("account", account_id)
        if way == "reversed by Stripe":
            connect.reverse(play, books, books.find("transfer", show.row(withdrawal_id).provider_ref))
            return
        payout = connect.pay_out(play, books, account)
        connect.bounce(play, books, payout)
        if way == "account closed":
            connect.close(play, books, books.find("account", account_id))


def bring_all_back(show, *, returns: int = RETURNS) -> list[int]:
    """Send, let all of it come back with every event doubled, and settle."""
    ids = show.queue(returns, people=returns)
    show.drain()
    assert show.states() == {"sent": returns}
    show.order("webhook", *(["duplicate", "reorder", "ok"] * returns))
    chance = random.Random(13)
    for withdrawal_id in ids:
        send_back(show, withdrawal_id, chance.choice(WAYS))
    show.hear()
    show.drain()
    show.hear()
    return ids


def available(show, consultant_id: int) -> int:
    with show.app.app_context():
        return statements.balances(db.session(), consultant_id).available


def test_p13_what_comes_back_is_in_the_wallet_once_and_told_once(show):
    before = show.funds()

    ids = bring_all_back(show)

    assert show.states() == {"returned": RETURNS}
    assert show.messages("withdrawal_returned") == RETURNS
    assert {available(show, show.row(each).consultant_id) for each in ids} == {50_00}
    assert show.funds() == before
    assert show.judged()["faults"] == []


def test_p13_control_money_given_back_before_the_provider_gave_it_is_there_twice(show, monkeypatch):
    def hasty(uow, *, account, **_):
        ours = select(Destination.id).where(Destination.provider_account == account)
        found = uow.session.scalars(select(Withdrawal.id).where(Withdrawal.destination_id.in_(ours))).all()
        return [arrivals.came_back(uow, withdrawal_id=each, reason="hasty") for each in found]

    monkeypatch.setattr(sending_effects.arrivals, "bounced", hasty)

    bring_all_back(show, returns=CONTROL)

    assert show.judged()["back_and_paid"] > 0


def test_a_payout_that_reached_the_bank_is_paid_and_stays_so(show):
    (one,) = show.queue()
    show.drain()
    with show.play.store.writing() as books:
        connect.pay_out(show.play, books, books.find("account", account_of(show, one)))
    show.hear()
    show.hear()

    assert show.state(one) == "paid"
    assert show.messages("withdrawal_returned") == 0


def test_a_payment_to_the_bank_covers_the_oldest_payouts_it_is_large_enough_for(show):
    ids = show.queue(3)
    show.drain()
    with show.play.store.writing() as books:
        account = books.find("account", account_of(show, ids[0]))
        account["_sandbox"]["balance"] = 100_00
        connect.pay_out(show.play, books, account)
    show.hear()

    assert [show.state(one) for one in ids] == ["paid", "paid", "sent"]


def test_word_of_a_payment_waits_while_a_payout_to_the_account_is_not_known_to_be_sent(show):
    (one,) = show.queue()
    show.order("stripe.transfers.create", "drop_after")
    show.drain()
    with show.play.store.writing() as books:
        connect.pay_out(show.play, books, books.find("account", account_of(show, one)))
    show.hear()
    assert show.state(one) == "resolving"

    show.later(seconds=61)
    show.drain()
    show.later(minutes=5)
    show.hear()

    assert show.state(one) == "paid"


def test_an_account_that_becomes_ready_lets_its_payouts_go(show):
    (one,) = show.queue()
    account_id = account_of(show, one)
    with show.play.store.writing() as books:
        connect.close(show.play, books, books.find("account", account_id))
    show.hear()
    show.drain()
    assert show.state(one) == "queued"

    with show.play.store.writing() as books:
        connect.give_details(show.play, books, books.find("account", account_id))
    show.hear()
    show.drain()

    assert show.state(one) == "sent"


@pytest.mark.parametrize(("secret", "status"), [("own", 400), ("whsec_connect", 200), ("whsec_other", 400)])
def test_only_the_endpoint_for_connect_tells_of_payouts(make_app, database, secret, status):
    app = make_app(database, STRIPE_CONNECT_WEBHOOK_SECRET="whsec_connect")
    event = {"id": "evt_1", "object": "event", "type": "payout.paid", "livemode": False, "created": 1}
    event |= {"account": "acct_1", "data": {"object": {"id": "po_1", "object": "payout", "amount": 1}}}
    body, now = json.dumps(event), int(utc_now().timestamp())
    used = app.config["SETTINGS"].webhook_secret if secret == "own" else secret

    answer = app.test_client().post(
        "/webhooks/stripe", data=body, headers={"Stripe-Signature": signature(used, body, now)}
    )

    assert answer.status_code == status
