"""Nobody of the company decides on a refund of what they paid or sold themselves."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.models import AccountUser, Consultant, Payment, RefundRequest
from portal.payments.requests import ask_refund
from portal.store import perform
from tests.people import add_user


def ask(stage, person_id, payment_id):
    actor = db.session.scalars(select(AccountUser.id).where(AccountUser.person_id == person_id)).one()
    perform(
        lambda uow: ask_refund(
            uow, payment_public_id=payment_id, amount_cents=1_00, reason="It rained", actor_id=actor
        ),
        stage.clock,
    )


@pytest.mark.parametrize("whose", ["who registered", "who sold"])
def test_the_refund_of_ones_own_payment_is_for_somebody_else(small_stage, whose):
    subject = small_stage.register() if whose == "who registered" else small_stage.order()
    small_stage.deliver(small_stage.act(subject, "pay"))
    small_stage.finish()
    with small_stage.app.app_context():
        payment = db.session.scalars(select(Payment)).unique().one()
        seller = db.session.get_one(Consultant, small_stage.seller).person_id
        own = seller if whose == "who sold" else payment.person_id
        public_id = payment.public_id
        other = perform(lambda uow: add_user(uow, "Finn", role="finance").person_id)

        with pytest.raises(DomainError, match="your own money"):
            ask(small_stage, own, public_id)
        ask(small_stage, other, public_id)

        assert len(db.session.scalars(select(RefundRequest)).all()) == 1
