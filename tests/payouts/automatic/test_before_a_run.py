"""A run of payouts begins with books in order, and is patient with a provider that tells no balance."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs import books, sending
from portal.extensions import db, redis
from portal.models import Audit, Release
from portal.payouts import checks, stops
from portal.payouts.automatic.limits import UNTOLD
from portal.payouts.automatic.patience import Patience, at_pace

BALANCE = "stripe.balance.get"


@pytest.fixture(autouse=True)
def no_look_before():
    redis.client.delete("canopy:books:last", "canopy:books:rests")


def damage(uow) -> None:
    """Somebody changes a hold past the house: no entry tells of it."""
    uow.session.scalars(select(Release).order_by(Release.id).limit(1)).one().clawed_cents = 1


def repair(uow) -> None:
    uow.session.scalars(select(Release).order_by(Release.id).limit(1)).one().clawed_cents = 0


def causes(show) -> list[str]:
    with show.app.app_context():
        return [each.cause for each in stops.standing(db.session())]


def looks(show, monkeypatch) -> list[int]:
    """Each look at the books from now on leaves a mark."""
    seen, real = [], checks.look
    monkeypatch.setattr(checks, "look", lambda *a, **k: seen.append(1) or real(*a, **k))
    return seen


def test_nothing_is_sent_on_broken_books(show):
    one, two = show.queue(2, people=2)
    show.do(lambda uow: damage(uow))

    show.drain()

    assert (show.state(one), show.state(two), causes(show)) == ("queued", "queued", ["books"])
    assert show.documents("transfer") == []
    show.do(lambda uow: repair(uow))


def test_without_the_look_money_would_leave_on_broken_books(show, monkeypatch):
    (one,) = show.queue()
    show.do(lambda uow: damage(uow))
    monkeypatch.setattr(sending.books, "check_before_money_leaves", lambda: 0)

    show.drain()

    assert show.state(one) == "sent"
    show.do(lambda uow: repair(uow))


def test_what_was_lost_is_asked_for_even_on_broken_books(show):
    (one,) = show.queue()
    show.order("stripe.transfers.create", "drop_after")
    show.drain()
    show.queue()
    show.do(lambda uow: damage(uow))
    show.later(seconds=61)

    show.drain()

    assert show.state(one) == "sent" and causes(show) == ["books"]
    show.do(lambda uow: repair(uow))


def test_a_look_since_which_nothing_was_booked_is_enough(show, monkeypatch):
    show.queue()
    seen = looks(show, monkeypatch)
    with show.app.app_context():
        books.check()
        books.check_before_money_leaves()
    assert len(seen) == 1

    show.drain()
    assert len(seen) == 1, "nothing was booked since"
    show.queue()
    show.drain()
    assert len(seen) == 2
    show.drain()
    assert len(seen) == 2, "nothing waits to be sent"
    show.queue()
    with show.app.app_context():
        books.check()
        show.later(minutes=2)
        books.check_before_money_leaves()
    assert len(seen) == 4, "an old look does not count"


def test_a_rest_after_a_long_look_does_not_count_before_a_run(show, monkeypatch):
    show.queue()
    seen = looks(show, monkeypatch)
    redis.client.set("canopy:books:rests", 1)

    show.drain()

    assert len(seen) == 1


def test_who_tells_no_balance_is_sent_nothing_and_asked_again(show):
    (one,) = show.queue()
    show.order(BALANCE, "500_before")
    show.drain()
    wait = show.row(one).next_at

    show.drain()
    assert (show.state(one), show.row(one).next_at) == ("queued", wait)
    show.later(minutes=5)
    show.drain()

    assert show.state(one) == "sent"


def test_who_tells_no_balance_for_a_week_leaves_it_to_people_with_the_reason(show):
    (one,) = show.queue()
    show.order(BALANCE, *["drop_before"] * 20)

    for _ in range(7):
        show.drain()
        assert show.state(one) == "queued"
        show.later(days=1)
    show.drain()

    assert show.state(one) == "review"
    with show.app.app_context():
        notes = db.session.scalars(select(Audit).where(Audit.action == "withdrawal.review")).all()
        assert [note.detail["reason"] for note in notes] == [UNTOLD]
    assert show.documents("transfer") == []
    show.order(BALANCE)


def test_the_wait_is_in_the_table_of_patience():
    assert (Patience().untold, at_pace(60).untold) == (timedelta(minutes=5), timedelta(seconds=5))
