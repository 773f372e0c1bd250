"""The four mails: from the fact to the words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from jobs import mail
from jobs.reactions import drain_mail
from jobs.relay import carry
from portal.extensions import db
from portal.kernel.facts import (
    CommissionCredited,
    ConsultantRegistered,
    CycleUndone,
    PayeeChanged,
    WithdrawalPaid,
)
from portal.kernel.ids import new_id
from portal.messages import service
from portal.models import CommissionLine, Consultant, Cycle, Destination, Message, Payment, Registration, Run
from portal.payouts import adjustments, batches
from portal.payouts import service as payouts
from portal.payouts.adjustments import Proposal
from portal.ui.filters import cycle_called
from tests.payouts.purses import fund


def tell(desk, fact):
    desk.do(lambda uow: uow.publish(fact))
    with desk.app.app_context():
        carry()
        drain_mail()


def only_mail(desk):
    assert desk.send_next()
    assert not desk.send_next()
    (sent,) = desk.sent()
    return sent


def test_a_new_consultant_is_welcomed_once(desk):
    tell(desk, ConsultantRegistered(desk.cast.ben))
    tell(desk, ConsultantRegistered(desk.cast.ben))

    sent = only_mail(desk)

    code = desk.do(lambda uow: uow.session.get_one(Consultant, desk.cast.ben).code)
    assert sent["to_email"] == "ben@example.com"
    assert sent["subject"] == "Welcome to Canopy"
    assert f"/r/{code}" in sent["text"] and f"/r/{code}" in sent["html"]


def test_a_payment_is_confirmed_with_its_amount(desk):
    payment = desk.do(_pay_49_dollars, cast=desk.cast)
    desk.do(service.say_payment_received, payment_id=payment)

    sent = only_mail(desk)

    assert sent["subject"] == "We received your payment of $49.00"
    assert "$49.00" in sent["text"] and "$49.00" in sent["html"]


def test_commission_is_told_as_one_sum_for_each_close(desk):
    run = desk.do(_close_with_lines, cast=desk.cast)
    tell(desk, CommissionCredited(desk.cast.cycle, run))
    tell(desk, CommissionCredited(desk.cast.cycle, run))

    sent = only_mail(desk)
    with desk.app.app_context():
        name = db.session.get_one(Cycle, desk.cast.cycle).name
        title = cycle_called(name)
    assert sent["subject"] == f"You earned $123.45 for {title}"
    assert f"/earnings/weeks/{name}" in sent["text"]


def test_commission_is_not_told_before_its_close_can_no_longer_be_undone(desk):
    run = desk.do(_close_with_lines, cast=desk.cast, undo_until=datetime.now(UTC) + timedelta(minutes=1))
    tell(desk, CommissionCredited(desk.cast.cycle, run))

    assert not desk.send_next()
    assert desk.do(lambda uow: uow.session.scalar(select(func.count()).select_from(Message))) == 1


def test_an_undone_close_takes_its_mails_along(desk):
    run = desk.do(_close_with_lines, cast=desk.cast, undo_until=datetime.now(UTC) + timedelta(minutes=1))
    tell(desk, CommissionCredited(desk.cast.cycle, run))
    tell(desk, CycleUndone(desk.cast.cycle, run))

    assert desk.do(lambda uow: uow.session.scalar(select(func.count()).select_from(Message))) == 0


def test_who_earned_nothing_hears_nothing(desk):
    run = desk.do(_close_with_lines, cast=desk.cast, cents=(100_00, -100_00))
    tell(desk, CommissionCredited(desk.cast.cycle, run))

    assert not desk.send_next()


def test_a_paid_withdrawal_is_told_with_its_amount(desk):
    withdrawal = desk.do(_withdraw_and_pay, cast=desk.cast)
    tell(desk, WithdrawalPaid(withdrawal))

    sent = only_mail(desk)

    assert sent["subject"] == "We paid your withdrawal of $120.00"
    assert "/earnings/withdrawals/" in sent["text"] and "$120.00" in sent["html"]


def test_new_payment_details_are_told_with_the_name_of_the_way_once(desk):
    def name_it(uow):
        place = uow.session.scalars(
            select(Destination).where(Destination.consultant_id == desk.cast.ben)
        ).one()
        place.method.name, place.label = "Stripe", "Stripe ••576b"
        return place.id

    tell(desk, PayeeChanged(desk.do(name_it)))

    sent = only_mail(desk)
    assert "were saved: Stripe ••576b. No money" in sent["text"]
    assert "Stripe ••576b" in sent["html"] and "Stripe Stripe" not in sent["html"]


def test_a_name_is_text_in_the_mail(desk):
    desk.do(_rename_ben, cast=desk.cast)
    tell(desk, ConsultantRegistered(desk.cast.ben))

    sent = only_mail(desk)

    assert "<b>Ben</b>" in sent["text"]
    assert "<b>Ben</b>" not in sent["html"] and "&lt;b&gt;Ben&lt;/b&gt;" in sent["html"]


def test_a_mail_shows_the_address_of_its_day(desk):
    desk.queue()
    desk.do(
        lambda uow: setattr(uow.session.get_one(Consultant, desk.cast.ben).person, "email", "b@example.com")
    )

    assert only_mail(desk)["to_email"] == "b@example.com"


def test_the_job_speaks_to_the_sandbox_of_this_portal(desk):
    with desk.app.app_context():
        assert mail.make_mailer()._host == f"{desk.app.config['SETTINGS'].base_url}/sandbox/brevo/v3"


def _rename_ben(uow, *, cast):
    uow.session.get_one(Consultant, cast.ben).person.name = "<b>Ben</b>"


def _pay_49_dollars(uow, *, cast):
    person_id = uow.session.get_one(Consultant, cast.ben).person_id
    now = uow.clock()
    from portal.models import Agreement

    uow.session.add(Agreement(version="test", body="Be kind.", sha256="0" * 64, published_at=now))
    uow.session.flush()
    registration = Registration(
        public_id=new_id(),
        person_id=person_id,
        password_hash="",
        pack="pack",
        agreement_version="test",
        agreement_sha256="0" * 64,
        agreed_at=now,
        state="complete",
        started_at=now,
    )
    uow.session.add(registration)
    uow.session.flush()
    payment = Payment(
        public_id=new_id(),
        registration_id=registration.id,
        provider_ref="pi_1",
        amount_cents=49_00,
        currency="USD",
        received_at=now,
    )
    uow.session.add(payment)
    uow.session.flush()
    return payment.id


def _close_with_lines(uow, *, cast, cents=(100_00, 23_45), undo_until=None):
    cycle = uow.session.get_one(Cycle, cast.cycle)
    run = Run(
        cycle_id=cycle.id,
        purpose="close",
        plan_version_id=cycle.plan_version_id,
        inputs=b"",
        input_hash="0" * 64,
        frozen_at=uow.clock(),
    )
    uow.session.add(run)
    uow.session.flush()
    cycle.close_run_id, cycle.closed_at, cycle.undo_until = run.id, uow.clock(), undo_until
    for kind, amount in zip(("retail", "binary"), cents, strict=True):
        uow.session.add(
            CommissionLine(
                run_id=run.id, consultant_id=cast.ben, kind=kind, amount_cents=amount, base=0, level=0
            )
        )
    return run.id


def _withdraw_and_pay(uow, *, cast):
    fund(uow, cast.ben, 500_00, cycle=cast.cycle)
    asked = payouts.request_withdrawal(
        uow, consultant_id=cast.ben, amount=120_00, key="k1", actor_id=cast.ada
    )
    payouts.approve(uow, withdrawal_id=asked.id, actor_id=cast.fin)
    batch = batches.export_batch(uow, withdrawal_ids=[asked.id], actor_id=cast.ada)
    batches.confirm_batch(uow, batch_id=batch.id, actor_id=cast.fin)
    return asked.id


def test_a_correction_by_hand_is_told_with_its_reason_and_its_booking(desk):
    for number, (kind, cents) in enumerate(
        (("correction", 12_50), ("correction", -30_00), ("write_off", 7_50))
    ):
        desk.do(_correct, cast=desk.cast, kind=kind, cents=cents, key=f"k{number}")
    with desk.app.app_context():
        carry()
        drain_mail()

    while desk.send_next():
        pass
    written_off, taken, given = desk.sent()
    assert given["subject"] == "Your wallet was corrected by +$12.50"
    assert taken["subject"] == "Your wallet was corrected by −$30.00"
    assert written_off["subject"] == "A debt of $7.50 is written off"
    for sent in (given, taken, written_off):
        assert "The size was wrong." in sent["text"] and "/earnings/entries/" in sent["html"]


def _correct(uow, *, cast, kind, cents, key):
    wanted = Proposal(cast.ben, kind, cents, "The size was wrong.", key)
    row = adjustments.propose(uow, wanted, actor_id=cast.ada).id
    adjustments.approve(uow, adjustment_id=row, actor_id=cast.fin)
