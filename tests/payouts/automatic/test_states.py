"""One payout through the state machine: whatever the provider answers, its money is never in two places."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from jobs import relay, sending
from jobs.work import queue
from portal.extensions import db, redis
from portal.gateways.sandbox import connect
from portal.ledger.accounts import STRIPE_BALANCE
from portal.models import Destination, PayoutAttempt, PayoutMethod, Withdrawal
from portal.payouts import stops
from portal.payouts.automatic import answers, claiming, steps
from portal.payouts.automatic.limits import Ability
from portal.payouts.automatic.patience import Patience

CREATE, LIST = "stripe.transfers.create", "stripe.transfers.list"
ABILITY = Ability(frozenset({"USD"}), 1, 10**9, can_lookup=True)


def change(show, model, **values):
    show.do(lambda uow: uow.session.execute(update(model).values(**values)))


def method_id(show) -> int:
    with show.app.app_context():
        return db.session.scalars(select(Withdrawal.method_id)).first()


def claim(show):
    return show.do(claiming.claim_send, method_id=method_id(show), ability=ABILITY, patience=Patience())


def test_a_payout_is_sent_booked_and_told_once(show):
    (one,) = show.queue()

    show.drain()
    show.drain()

    assert show.state(one) == "sent"
    assert show.attempts(one) == [(1, "accepted")]
    assert show.row(one).provider_ref == show.documents("transfer")[0]["id"]
    show.hear()
    assert show.messages("withdrawal_paid") == 1
    assert show.judged()["faults"] == []


@pytest.mark.parametrize(("fault", "again"), [("drop_before", 2), ("drop_after", 1), ("500_after", 1)])
def test_a_lost_answer_is_cleared_up_by_asking(show, fault, again):
    (one,) = show.queue()
    show.order(CREATE, fault)

    show.drain()
    assert show.state(one) == "resolving"
    show.later(seconds=61)
    show.drain()

    assert show.state(one) == "sent"
    assert len(show.attempts(one)) == again
    assert show.judged()["paid_once"] == 1


def test_a_500_that_the_provider_keeps_needs_a_new_key_after_two_looks_and_a_rest(show):
    (one,) = show.queue()
    show.order(CREATE, "500_before")

    show.settle(days=1)

    assert show.attempts(one) == [(1, "unknown")] * 3 + [(2, "accepted")]
    assert show.judged()["paid_once"] == 1


def test_a_busy_provider_is_tried_again_with_the_same_key(show):
    (one,) = show.queue()
    show.order(CREATE, "429")

    show.drain()
    assert show.state(one) == "queued"
    show.later(seconds=61)
    show.drain()

    assert show.attempts(one) == [(1, "retry_later"), (1, "accepted")]


def test_a_refused_payout_goes_back_to_the_wallet(show):
    (one,) = show.queue()
    show.do(lambda uow: uow.session.execute(update(Destination).values(provider_account="acct_gone")))

    show.drain()

    assert show.state(one) == "failed"
    assert show.row(one).reason == "The provider refused the payout."
    with show.app.app_context():
        assert db.session.scalars(select(PayoutAttempt.error)).one() == "resource_missing"
    show.hear()
    assert show.messages("withdrawal_returned") == 1
    assert show.judged()["faults"] == []


def test_a_refusal_after_a_lost_answer_waits_for_the_lost_one(show):
    (one,) = show.queue()
    order = claim(show).order
    show.do(answers.lost, order, reason="timeout", by_hand=False, patience=Patience())
    show.do(lambda uow: uow.session.execute(update(Withdrawal).values(state="queued", next_at=uow.clock())))
    order = claim(show).order

    show.do(answers.rejected, order, code="bad_account", patience=Patience())

    assert show.state(one) == "resolving"


def test_too_little_money_there_stops_the_run_and_needs_a_new_key(show):
    ids = show.queue(3, people=3)
    with show.play.store.writing() as books:
        connect.set_funds(books, 60_00)

    show.drain()

    assert sorted(show.states().items()) == [("queued", 2), ("sent", 1)]
    with show.play.store.writing() as books:
        connect.set_funds(books, 600_00)
    show.drain()
    assert show.states()["queued"] == 2
    show.later(minutes=61)
    show.drain()
    assert {show.state(one) for one in ids} == {"sent"}


def test_a_stop_lets_nothing_leave_but_still_asks(show):
    lost, waiting = show.queue(2, people=2)
    show.do(lambda uow: steps.ask_again(uow, waiting, at=uow.clock() + timedelta(seconds=30)))
    show.order(CREATE, "drop_after")
    show.drain()
    show.do(stops.stop, cause="a test", detail="stop")
    show.later(seconds=61)

    show.drain()

    assert (show.state(lost), show.state(waiting)) == ("sent", "queued")


def test_a_late_answer_is_kept_and_changes_nothing(show):
    (one,) = show.queue()
    order = claim(show).order
    show.later(seconds=61)
    assert show.do(claiming.recover, patience=Patience()) == 1

    accepted = show.do(answers.accepted, order, ref="tr_late", from_account=STRIPE_BALANCE)

    assert not accepted
    assert show.state(one) == "resolving"
    with show.app.app_context():
        (attempt,) = db.session.scalars(select(PayoutAttempt)).all()
        assert attempt.outcome == "unknown" and "tr_late" in attempt.error


def test_two_workers_never_take_the_same_payout(show):
    show.queue()

    assert claim(show).order is not None
    assert claim(show) is None


def test_a_worker_that_dies_after_the_call_leaves_a_question_and_not_a_second_transfer(show, monkeypatch):
    (one,) = show.queue()

    def die(*args, **named):
        raise SystemExit

    monkeypatch.setattr(sending, "keep_answer", die)
    with pytest.raises(SystemExit):
        show.drain()
    monkeypatch.undo()
    assert show.state(one) == "sending"
    show.later(seconds=61)
    show.settle(days=1)

    assert show.state(one) == "sent"
    assert show.judged()["paid_once"] == 1


def test_above_the_limit_nothing_is_tried_again_without_a_person(show):
    (one,) = show.queue()
    change(show, PayoutMethod, automatic_limit_cents=49_99)
    show.order(CREATE, "drop_before")

    show.settle(days=1)

    assert show.state(one) == "review"
    assert show.attempts(one) == [(1, "unknown")]


def test_after_seven_days_without_word_a_person_has_to_look(show):
    (one,) = show.queue()
    show.order(CREATE, "drop_before")
    show.order(LIST, *["500_before"] * 3000)

    show.settle(days=6.9)
    assert show.state(one) == "resolving"
    show.settle(days=0.3)

    assert show.state(one) == "review"


def test_another_content_under_the_same_key_is_for_a_person(show):
    (one,) = show.queue()
    show.order(CREATE, "429")
    show.drain()
    change(show, Withdrawal, fee_cents=100)
    show.later(seconds=61)

    show.drain()

    assert show.state(one) == "review"


def test_a_second_transfer_stops_everything_and_the_younger_is_fetched_back(show):
    (one,) = show.queue()
    show.order(CREATE, "500_after")
    show.drain()
    first = show.documents("transfer")[0]
    with show.play.store.writing() as books:
        books.save("transfer", {**first, "id": "tr_zz_second", "created": first["created"] + 5})
    show.later(seconds=61)

    show.drain()

    assert show.state(one) == "sent" and show.row(one).provider_ref == first["id"]
    assert {each["id"]: each["reversed"] for each in show.documents("transfer")} == {
        first["id"]: False,
        "tr_zz_second": True,
    }
    with show.app.app_context():
        assert [each.cause for each in stops.standing(db.session())] == ["second transfer"]
    show.hear()
    assert show.state(one) == "sent"


@pytest.mark.parametrize(
    ("model", "values", "state"),
    [
        (Destination, {"ready": False}, "queued"),
        (PayoutMethod, {"maximum_cents": 49_99}, "review"),
        (PayoutMethod, {"daily_limit_cents": 49_99}, "review"),
        (PayoutMethod, {"run_limit_cents": 49_99}, "review"),
    ],
)
def test_what_must_not_be_sent_is_held_back(show, model, values, state):
    (one,) = show.queue()
    change(show, model, **values)

    show.drain()

    assert show.state(one) == state
    assert show.documents("transfer") == []


def test_new_details_rest_for_three_days(show):
    (one,) = show.queue()
    show.do(
        lambda uow: uow.session.execute(
            update(Destination).values(usable_at=uow.clock() + timedelta(hours=72))
        )
    )

    show.drain()
    assert show.state(one) == "queued"
    show.later(hours=73)
    show.drain()

    assert show.state(one) == "sent"


def test_details_that_changed_after_the_approval_are_for_a_person(show):
    (one,) = show.queue()
    show.do(lambda uow: uow.session.execute(update(Destination).values(replaced_at=uow.clock())))

    show.drain()

    assert show.state(one) == "review"


@pytest.mark.parametrize("limit", ["daily_limit_cents", "run_limit_cents"])
def test_limits_of_a_day_and_an_hour_spread_payouts(show, limit):
    show.queue(3, people=1)
    change(show, PayoutMethod, **{limit: 100_00})

    show.drain()
    assert show.states() == {"sent": 2, "queued": 1}
    show.later(hours=25)
    show.drain()

    assert show.states() == {"sent": 3}


def test_p18_control_without_somebody_who_takes_over_the_work_of_the_dead_is_never_done(show, monkeypatch):
    (one,) = show.queue()
    monkeypatch.setattr(claiming, "recover", lambda *_, **__: 0)
    claim(show)

    show.settle(days=1)

    assert show.state(one) == "sending"


def test_p17_control_a_relay_that_never_looks_by_itself_loses_what_redis_forgot(show):
    (one,) = show.queue()
    with show.app.app_context():
        relay.look()
        redis.client.flushdb()
        lost = queue("payouts").count
        relay.look()
        found = queue("payouts").count

    assert (lost, found > 0, show.state(one)) == (0, True, "queued")
