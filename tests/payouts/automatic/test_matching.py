"""The daily match: withdrawals, books and the provider's record; whatever has no partner stops payouts."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update

from jobs import matching as job
from portal.extensions import db
from portal.gateways.sandbox import balance, connect
from portal.models import PayoutMatch, Withdrawal
from portal.payouts import stops
from portal.payouts.automatic import review, steps
from portal.payouts.automatic.review import Proposal


@pytest.fixture
def database(sqlite_database):
    """The comparison does not depend on the engine."""
    return sqlite_database


def match(show) -> list[str]:
    """What the match of now found."""
    show.later(seconds=2)
    with show.app.app_context():
        job.match_all()
        newest = db.session.scalars(select(PayoutMatch).order_by(PayoutMatch.id.desc())).first()
        return [str(each["what"]) for each in newest.differences]


def stopped(show) -> list[str]:
    with show.app.app_context():
        return [each.cause for each in stops.standing(db.session())]


def save(show, transfer: dict, **changes) -> None:
    with show.play.store.writing() as books:
        books.save("transfer", {**transfer, **changes})


def test_what_was_sent_matches_and_what_is_under_way_does_not_disturb(show):
    show.queue(6, people=3)
    show.order("stripe.transfers.create", "ok", "ok", "drop_after", "drop_before")
    show.drain()

    assert match(show) == []
    assert stopped(show) == []
    with show.app.app_context():
        kept = db.session.scalars(select(PayoutMatch)).one()
        assert (kept.compared, kept.sum_cents) == (4, 200_00)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"amount": 40_00}, ["amount"]),
        ({"transfer_group": "po_nobody"}, ["stranger"]),
        ({"transfer_group": None}, ["stranger"]),
    ],
)
def test_a_line_there_without_its_partner_here_stops_payouts(show, changes, found):
    show.queue()
    show.drain()
    save(show, show.documents("transfer")[0], **changes)

    assert match(show) == found
    assert stopped(show) == ["match"]


def test_a_transfer_that_is_gone_stops_payouts(show):
    show.queue(2)
    show.drain()
    save(show, show.documents("transfer")[0], created=1, transfer_group="po_moved")

    assert match(show) == ["not_there"]


def test_what_people_found_to_be_paid_long_ago_is_asked_for_by_itself(show, cast):
    (one,) = show.queue()
    show.order("stripe.transfers.create", "drop_after")
    show.drain()
    show.do(steps.send_to_review, one, old="resolving", reason="Nobody knows.")
    show.later(days=12)
    ref = show.documents("transfer")[0]["id"]
    found = Proposal("paid", "seen there", ref)
    show.do(lambda uow: review.propose(uow, found, withdrawal_id=one, actor_id=cast.fin) and None)
    named = {"proposal_id": show.row(one).proposal["id"], "withdrawal_id": one, "actor_id": cast.ada}
    show.do(lambda uow: review.confirm(uow, **named) and None)

    assert match(show) == []
    assert stopped(show) == []


def test_money_given_back_here_that_was_paid_there_stops_payouts(show):
    (one,) = show.queue()
    show.drain()
    transfer = show.documents("transfer")[0]
    show.do(lambda uow: uow.session.execute(update(Withdrawal).values(provider_ref="tr_other")))
    save(show, transfer, id="tr_elsewhere")

    assert set(match(show)) == {"not_here", "not_there", "twice"}
    assert show.state(one) == "sent"


def test_a_second_transfer_is_fetched_back_by_the_match_and_stops_payouts(show):
    show.queue()
    show.drain()
    first = show.documents("transfer")[0]
    save(show, first, id="tr_zz_second", created=first["created"] + 1)

    assert match(show) == ["twice"]

    assert sorted(stopped(show)) == ["match", "second transfer"]
    assert {each["id"]: each["reversed"] for each in show.documents("transfer")} == {
        first["id"]: False,
        "tr_zz_second": True,
    }
    show.later(minutes=1)
    assert match(show) == []


def test_a_reversal_whose_event_was_lost_is_found(show):
    (one,) = show.queue()
    show.drain()
    show.play.courier.queue = lambda *_: None
    with show.play.store.writing() as books:
        connect.reverse(show.play, books, books.newest("transfer")[0])

    assert match(show) == []
    assert show.state(one) == "returned"


def test_a_posting_that_is_not_what_was_sent_is_seen(show, monkeypatch):
    show.queue()
    show.drain()
    monkeypatch.setattr("portal.payouts.automatic.matching._booked", lambda *_: {})

    assert match(show) == ["not_booked"]


def test_a_provider_that_does_not_answer_makes_no_match(show):
    show.queue()
    show.drain()
    show.order("stripe.transfers.list", "500_before")

    with show.app.app_context():
        assert job.match_all() == 0
        assert db.session.scalar(text("SELECT count(*) FROM payout_match")) == 0


def test_the_balance_of_the_provider_stands_beside_what_is_booked(show, caplog):
    from tests.payouts.automatic.test_lost_words import account_of, act

    def held() -> tuple[int, int]:
        with show.app.app_context():
            newest = db.session.scalars(select(PayoutMatch).order_by(PayoutMatch.id.desc())).first()
            return newest.there_cents, newest.booked_cents

    show.queue()
    show.drain()
    assert match(show) == []
    there, booked = held()
    assert booked == -50_00
    rows = show.queue(3)
    show.drain()
    act(show, account_of(show, rows[0]), "pay_out")
    assert match(show) == []

    assert held() == (there - 150_00, booked - 150_00)
    assert "nobody booked" not in caplog.text

    show.do(lambda _uow: spend(show, 7_00))
    assert match(show) == []
    assert held() == (there - 157_00, booked - 150_00)
    assert "-700 cents moved there that nobody booked" in caplog.text
    assert stopped(show) == []


def spend(show, cents: int) -> None:
    """The provider bills us."""
    with show.play.store.writing() as books:
        balance.set_funds(books, balance.platform_funds(books) - cents)
