"""A bank account that is changed inside Stripe rests for 72 hours, and its owner is told at once."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.gateways.sandbox import connect
from portal.kernel.clock import utc_now
from portal.models import Destination, Message, Person
from portal.payouts.automatic import banks
from portal.payouts.automatic.banks import BankWord
from tests.payouts.automatic.test_lost_words import account_of, act, ask

REST = timedelta(hours=72)


@pytest.fixture
def database(sqlite_database):
    """The rest does not depend on the engine."""
    return sqlite_database


def place(show) -> Destination:
    with show.app.app_context():
        theirs = select(Destination).where(Destination.provider_account.is_not(None))
        return db.session.scalars(theirs).unique().one()


@pytest.fixture
def one(show) -> int:
    """A payout that waits, to an account whose bank is known."""
    (one,) = show.queue()
    account = account_of(show, one)
    with show.play.store.writing() as books:
        found = books.find("account", account)
        connect._tell(show.play, books, "account.updated", found, account=account)
    show.hear()
    assert place(show).bank_mark and show.messages("payee_changed") == 0
    return one


def told(show, kind: str, **changes) -> None:
    """One event about the bank account that is there, or another one."""
    with show.play.store.writing() as books:
        account = books.newest("account")[0]
        bank = {**account["external_accounts"]["data"][0], **changes}
        connect._tell(show.play, books, f"account.external_account.{kind}", bank, account=account["id"])
    show.hear()


def test_a_changed_bank_rests_and_its_owner_is_told_once(show, one):
    act(show, account_of(show, one), "change_bank")

    show.drain()
    assert show.state(one) == "queued"
    assert show.messages("payee_changed") == 1
    with show.app.app_context():
        message = db.session.scalars(select(Message).where(Message.template == "payee_changed")).one()
        assert db.session.get_one(Person, message.person_id).email
    show.later(hours=71)
    show.drain()
    assert show.state(one) == "queued"
    show.later(hours=1, seconds=2)
    show.drain()
    assert show.state(one) == "sent"


def test_without_the_rest_money_would_go_to_the_new_bank_at_once(show, one, monkeypatch):
    monkeypatch.setattr(banks, "PAUSE", timedelta(0))
    act(show, account_of(show, one), "change_bank")

    show.drain()

    assert show.state(one) == "sent"


@pytest.mark.parametrize(
    ("kind", "changes", "rests"),
    [
        ("created", {"id": "ba_2", "fingerprint": "other"}, True),
        ("updated", {"id": "ba_2", "fingerprint": "other"}, True),
        ("updated", {"id": "ba_2", "fingerprint": None}, True),
        ("deleted", {}, True),
        ("created", {"id": "ba_2", "fingerprint": "other", "default_for_currency": False}, False),
        ("updated", {"bank_name": "Renamed"}, False),
        ("created", {"id": "ba_2"}, False),
        ("deleted", {"id": "ba_2", "fingerprint": "other"}, False),
    ],
)
def test_only_where_money_would_go_elsewhere_it_rests(show, one, kind, changes, rests):
    told(show, kind, **changes)

    show.drain()

    assert (show.state(one), show.messages("payee_changed")) == (("queued", 1) if rests else ("sent", 0))


def test_a_change_that_only_the_account_tells_of_rests_as_well(show, one):
    with show.play.store.writing() as books:
        account = books.newest("account")[0]
        account["external_accounts"]["data"] = [connect.new_bank(account)]
        books.save("account", account)
        connect._tell(show.play, books, "account.updated", account, account=account["id"])
    show.hear()

    show.drain()

    assert (show.state(one), show.messages("payee_changed")) == ("queued", 1)


def test_a_change_that_no_webhook_told_is_found(show, one):
    show.order("webhook", *["lost"] * 20)
    act(show, account_of(show, one), "change_bank")
    assert show.messages("payee_changed") == 0

    ask(show)
    show.drain()

    assert (show.state(one), show.messages("payee_changed")) == ("queued", 1)
    show.order("webhook")


def test_the_first_bank_of_an_account_that_is_being_opened_rests(show, one):
    """Whoever finishes an opening that somebody else began names their own bank."""

    def reopen(uow):
        kept = uow.session.get_one(Destination, place(show).id)
        kept.ready, kept.bank_mark, kept.bank_told_at, kept.told_at = False, None, None, None

    show.do(reopen)
    with show.play.store.writing() as books:
        account = books.newest("account")[0]
        account["external_accounts"]["data"] = []
        connect.give_details(show.play, books, account)
    show.hear()

    show.drain()

    assert place(show).ready
    assert (show.state(one), show.messages("payee_changed")) == ("queued", 1)


def test_words_in_any_order_end_with_the_last_bank_and_its_rest(show, one):
    account, start = account_of(show, one), utc_now()
    first = place(show).bank_mark
    words = [
        BankWord(account, "b", told_at=start + timedelta(seconds=1), is_change=True),
        BankWord(account, "", told_at=start + timedelta(seconds=2), gone=first, is_change=True),
        BankWord(account, "c", told_at=start + timedelta(seconds=3), is_change=True),
        BankWord(account, "c", told_at=start + timedelta(seconds=4)),
    ]
    chance = random.Random(3)
    for _ in range(10):
        chance.shuffle(words)
        for word in words:
            show.do(lambda uow, w=word: banks.bank_told(uow, w) and None)
        assert place(show).bank_mark == "c"
        assert (
            start + timedelta(seconds=3) + REST
            <= place(show).usable_at
            <= start + timedelta(seconds=4) + REST
        )


def test_asking_stripe_how_the_account_stands_tells_of_the_bank_too(show, one):
    from jobs.providers import provider_of
    from portal.models import PayoutMethod
    from portal.payouts.automatic import accounts

    show.order("webhook", *["lost"] * 20)
    act(show, account_of(show, one), "change_bank")
    with show.app.app_context():
        method = db.session.scalars(select(PayoutMethod).where(PayoutMethod.kind == "stripe")).one()
        state = provider_of(method).adapter.account_state(account_of(show, one))
    named = {"account": account_of(show, one), "ready": state.ready, "problem": state.problem}

    show.do(lambda uow: accounts.note_state(uow, **named, bank=state.bank))
    show.hear()

    assert show.messages("payee_changed") == 1
    show.order("webhook")
