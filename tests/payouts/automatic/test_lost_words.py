"""What no webhook told about the accounts of consultants is found by asking, in each account's own name."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from jobs import sweep
from portal.extensions import db
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.sandbox import connect
from portal.gateways.stripe import StripeGateway
from portal.ledger import statements
from portal.models import Destination, EventSweep, Inbox, Withdrawal
from portal.payouts.automatic import accounts
from tests.payments.stage import company_balances

LIST = "stripe.events.list"
STORIES = ("arrives", "comes back", "comes back late")


def account_of(show, withdrawal_id: int) -> str:
    with show.app.app_context():
        row = db.session.get_one(Withdrawal, withdrawal_id)
        return str(db.session.get_one(Destination, row.destination_id).provider_account)


def act(show, account: str, name: str) -> None:
    """Something happens in an account at the played Stripe."""
    with show.play.store.writing() as books:
        found = books.find("account", account)
        if name == "bounce":
            connect.bounce(show.play, books, books.newest("payout")[0])
        else:
            getattr(connect, name)(show.play, books, found)
    show.hear()


def ask(show) -> None:
    """An hour later: the accounts are asked, and what is found takes effect."""
    show.later(hours=1)
    with show.app.app_context():
        sweep.ask_for_accounts()
    show.hear()


def through(show, story: str, *, lost: bool, asking: bool = True) -> dict[str, object]:
    """One payout of one person from its sending to its end; how it ended, and what the books hold of it."""
    before = balances(show)
    (one,) = show.queue()
    account = account_of(show, one)
    show.drain()
    if lost:
        show.order("webhook", *["lost"] * 50)
    act(show, account, "pay_out")
    if story == "comes back late" and asking:
        ask(show)
    if story != "arrives":
        act(show, account, "bounce")
    if asking:
        ask(show)
    show.order("webhook")
    show.drain()
    show.hear()
    after = balances(show)
    moved = {purpose: after[purpose] - before.get(purpose, 0) for purpose in after}
    with show.app.app_context():
        wallet = statements.balances(db.session(), show.row(one).consultant_id)
    return {"state": show.state(one), "books": moved, "available": wallet.available}


def balances(show) -> dict[str, int]:
    with show.app.app_context():
        return company_balances()


@pytest.mark.parametrize("story", STORIES)
def test_a_lost_word_of_the_bank_is_found_and_ends_as_if_it_had_been_told(show, story):
    told = through(show, story, lost=False)

    found = through(show, story, lost=True)

    assert found == told
    assert told["state"] == ("paid" if story == "arrives" else "returned")


@pytest.mark.parametrize("story", ["arrives", "comes back"])
def test_without_asking_it_stays_as_it_was(show, story):
    left = through(show, story, lost=True, asking=False)

    assert left["state"] == "sent"


def test_an_account_that_became_ready_unheard_lets_its_payouts_go(show):
    (one,) = show.queue()
    account = account_of(show, one)
    act(show, account, "close")
    show.drain()
    show.order("webhook", *["lost"] * 20)
    act(show, account, "give_details")
    assert show.state(one) == "queued"

    ask(show)
    show.drain()

    assert show.state(one) == "sent"
    show.order("webhook")


def test_a_webhook_after_the_look_and_a_second_look_change_nothing(show):
    (one,) = show.queue()
    account = account_of(show, one)
    show.drain()
    act(show, account, "pay_out")
    with show.app.app_context():
        known = db.session.scalar(select(func.count(Inbox.id)))

    ask(show)
    ask(show)

    with show.app.app_context():
        assert db.session.scalar(select(func.count(Inbox.id))) == known
        marks = db.session.scalars(select(EventSweep).where(EventSweep.account == account)).all()
        assert [(mark.found, mark.listed) for mark in marks] == [(0, 1)], "one watermark for an account"
    assert show.state(one) == "paid"


def test_each_account_is_asked_in_its_own_name_and_ours_without_theirs(show):
    one, two = show.queue(2, people=2)
    show.drain()
    first, second = account_of(show, one), account_of(show, two)
    act(show, first, "pay_out")
    settings = show.app.config["SETTINGS"]
    gateway = StripeGateway("sk_test_sandbox", base_url=f"{settings.base_url}/sandbox/stripe", retries=0)
    long_ago = show.row(one).requested_at

    theirs = [event.type for event in gateway.events_since(long_ago, first)]

    assert theirs == ["payout.paid"]
    assert [event.account for event in gateway.events_since(long_ago, first)] == [first]
    assert list(gateway.events_since(long_ago, second)) == list(gateway.events_since(long_ago)) == []
    with pytest.raises(ProviderUnavailable, match="account_invalid"):
        list(gateway.events_since(long_ago, "acct_nobody"))


def test_an_account_that_does_not_answer_is_asked_after_the_others(show):
    rows = show.queue(5, people=5)
    show.drain()
    names = [account_of(show, row) for row in rows]

    def order() -> list[str]:
        with show.app.app_context():
            return list(accounts.to_ask(db.session(), now=show.row(rows[0]).requested_at))

    assert order() == names
    show.order(LIST, "500_before", "ok", "429", "drop_before", "500_before")
    ask(show)

    assert order() == names, "each was asked once, in this order"
    show.order(LIST, "500_before", "500_before", "500_before", "ok", "ok")
    ask(show)
    assert order() == [names[3], names[4], *names[:3]], "three in a row: Stripe is away"
    with show.app.app_context():
        found = select(EventSweep).where(EventSweep.account == names[0])
        (mark,) = db.session.scalars(found)
        assert (mark.since, mark.listed) == (mark.until, 0), "nothing of it counts as seen"
    show.order(LIST)


def test_accounts_without_news_to_wait_for_are_not_asked(show):
    (one,) = show.queue()
    show.drain()
    act(show, account_of(show, one), "pay_out")
    settled = show.row(one).settled_at
    with show.app.app_context():
        lately = accounts.to_ask(db.session(), now=settled)
        later = accounts.to_ask(db.session(), now=settled + accounts.MAY_BOUNCE)

    assert (len(lately), list(later)) == (1, [])
