"""A mail is sent once for its cause, and none is lost without a word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.mail import REPEAT_WITHIN
from portal.messages import sending


def test_a_queued_mail_is_sent_once(desk):
    desk.queue()

    assert desk.send_next()
    assert not desk.send_next()

    (mail,) = desk.sent()
    assert (mail["to_email"], mail["subject"]) == ("ben@example.com", "Welcome to Canopy")
    assert desk.message().state == "sent"
    assert desk.message().provider_ref == mail["message_id"]


def test_the_same_cause_is_queued_once(desk):
    desk.queue()
    desk.queue()

    assert desk.send_next()
    assert not desk.send_next()
    assert len(desk.sent()) == 1


def test_nothing_personal_is_kept_in_the_message(desk):
    desk.queue()

    assert desk.message().params == {"code": "BENS2345"}


@pytest.mark.parametrize(
    "fault", ["drop_after", "500_after", {"hang": 0.6}, "drop_before", "500_before", "429"]
)
def test_a_fault_leads_to_one_mail(desk, fault):
    desk.queue()
    desk.outside.order("brevo.send", fault)

    desk.send_next()
    assert desk.message().state == "queued"
    assert not desk.send_next(), "the next try waits"
    desk.let_pass(minutes=1)
    desk.send_next()

    assert len(desk.sent()) == 1
    assert desk.message().state == "sent"


def test_a_lost_answer_is_not_repeated_after_25_minutes(desk):
    desk.queue()
    desk.outside.order("brevo.send", "drop_after")
    desk.send_next()
    desk.let_pass(minutes=26)

    assert not desk.send_next()

    assert desk.message().state == "unknown"
    desk.let_pass(minutes=600)
    assert not desk.send_next()
    assert len(desk.sent()) == 1


def test_a_mail_that_surely_did_not_go_out_may_wait_longer(desk):
    desk.queue()
    desk.outside.order("brevo.send", "429")
    desk.send_next()
    desk.let_pass(minutes=60)

    desk.send_next()

    assert desk.message().state == "sent"
    assert len(desk.sent()) == 1


def test_a_later_clear_refusal_does_not_hide_a_lost_answer(desk):
    desk.queue()
    desk.outside.order("brevo.send", "drop_after", "429")
    desk.send_next()
    desk.let_pass(minutes=1)
    desk.send_next()
    desk.let_pass(minutes=26)

    assert not desk.send_next()

    assert desk.message().state == "unknown"
    assert len(desk.sent()) == 1


def test_a_worker_killed_before_it_wrote_the_outcome_does_not_send_twice(desk):
    desk.queue()
    claimed = desk.do(sending.claim_next, repeat_within=REPEAT_WITHIN)
    with desk.app.app_context():
        from jobs.mail import compose

        desk.outside.brevo().send(compose(claimed))

    assert not desk.send_next(), "the lease still runs"
    desk.let_pass(minutes=3)
    assert desk.send_next()

    assert len(desk.sent()) == 1
    assert desk.message().state == "sent"


def test_a_worker_killed_long_ago_leaves_an_unknown_mail(desk):
    desk.queue()
    desk.do(sending.claim_next, repeat_within=REPEAT_WITHIN)
    desk.let_pass(minutes=26)

    assert not desk.send_next()

    assert desk.message().state == "unknown"
    assert desk.sent() == []


def test_a_refused_address_is_final(desk):
    desk.do(_blank_ben, consultant_id=desk.cast.ben)
    desk.queue()

    desk.send_next()

    assert desk.message().state == "failed"
    assert desk.sent() == []


def test_after_eight_tries_it_is_over(desk):
    desk.queue()
    desk.outside.order("brevo.send", *["429"] * 8)

    for _ in range(8):
        assert desk.send_next()
        desk.let_pass(minutes=1)

    assert desk.message().state == "failed"
    assert not desk.send_next()


def test_the_late_answer_of_a_slow_worker_changes_nothing(desk):
    desk.queue()
    slow = desk.do(sending.claim_next, repeat_within=REPEAT_WITHIN)
    desk.let_pass(minutes=3)
    desk.send_next()

    desk.do(sending.mark_failed, claimed=slow, error="too late")
    desk.do(
        sending.mark_retry,
        claimed=slow,
        error="too late",
        next_at=desk.message().created_at + timedelta(1),
        perhaps_sent=True,
    )

    assert desk.message().state == "sent"


def _blank_ben(uow, *, consultant_id):
    from portal.models import Consultant

    uow.session.get_one(Consultant, consultant_id).person.email = ""
