"""Money that does not come back is decided on by two people; old words about accounts change nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Destination
from portal.payouts.automatic import arrivals, queries, review
from portal.payouts.automatic.arrivals import AccountWord
from portal.payouts.automatic.review import Proposal
from tests.html import Visitor
from tests.payouts.automatic.test_returns import account_of, available, send_back
from tests.people import PASSWORD


@pytest.fixture
def database(sqlite_database):
    """The rules are the same on both engines."""
    return sqlite_database


@pytest.fixture
def stuck(show, cast) -> int:
    """A payout that the bank refused and Stripe does not give back."""
    (one,) = show.queue()
    show.drain()
    show.order("stripe.reversals.create", *["500_before"] * 5000)
    send_back(show, one, "bounced after it was paid")
    show.hear()
    for _ in range(8):
        show.drain()
        show.later(days=1, minutes=1)
    show.drain()
    return one


def decide(show, cast, one, decision):
    found = Proposal(decision, "I asked Stripe.")
    show.do(lambda uow: review.propose(uow, found, withdrawal_id=one, actor_id=cast.fin) and None)
    named = {"proposal_id": show.row(one).proposal["id"], "withdrawal_id": one, "actor_id": cast.ada}
    show.do(lambda uow: review.confirm(uow, **named) and None)


def test_after_a_week_people_decide_and_nobody_asks_any_more(show, stuck):
    row = show.row(stuck)
    assert row.stuck_at is not None and row.next_at is None and row.state in ("sent", "paid")
    with show.app.app_context():
        assert queries.counts(db.session())["review"][0] == 1

    assert show.drain() == 0


def test_people_say_that_the_money_is_back(show, cast, stuck):
    decide(show, cast, stuck, "release")

    assert (show.state(stuck), show.row(stuck).stuck_at) == ("returned", None)
    assert available(show, show.row(stuck).consultant_id) == 50_00


@pytest.mark.parametrize(("decision", "calls"), [("paid", 0), ("again", 1)])
def test_people_leave_it_or_have_it_asked_for_again(show, cast, stuck, decision, calls):
    before = show.state(stuck)
    decide(show, cast, stuck, decision)

    assert (show.state(stuck), show.row(stuck).stuck_at) == (before, None)
    assert show.drain() == calls


def test_the_page_says_what_there_is_to_decide(show, stuck):
    fin = Visitor(show.app)
    fin.sign_in("fin@example.com", PASSWORD)
    page = f"/admin/payouts/sending/{show.row(stuck).public_id}"

    assert "does not give it back" in fin.visit(page).text
    assert fin.submit(page, {"decision": "release", "reason": "It is back."}).status_code == 303


def test_an_older_word_about_an_account_changes_nothing(show):
    (one,) = show.queue()
    account, now = account_of(show, one), utc_now()
    closed = AccountWord(account, False, "account_closed", told_at=now)
    before = AccountWord(account, True, "", told_at=now - timedelta(seconds=5))

    assert show.do(arrivals.account_changed, closed) == 1
    assert show.do(arrivals.account_changed, before) == 0
    with show.app.app_context():
        ready = select(Destination.ready).where(Destination.provider_account == account)
        assert not db.session.scalars(ready).one()
    assert show.do(arrivals.account_changed, AccountWord(account, True, "", told_at=now)) == 1
