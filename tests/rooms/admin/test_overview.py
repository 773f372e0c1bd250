"""The overview says what waits, and of whom it speaks."""

from __future__ import annotations

from sqlalchemy import select

from portal.kernel.clock import utc_now
from portal.members import service
from portal.members.service import Applicant
from portal.models import Inbox, PayoutMethod
from portal.payouts import service as payouts
from tests.payouts.purses import fund


def test_who_registered_twice_is_named(do, cast, signed_in):
    def register(uow):
        applicant = Applicant("Ana Baker", "ana@example.com", "hash")
        found = service.start_registration(uow, applicant=applicant, pack="plus")
        found.agreed_at = utc_now()
        found.state = "duplicate"

    do(register)
    ada = signed_in("Ada")
    ada.visit("/admin")

    assert "1 person registered twice" in ada.words
    assert "pay them back in Stripe: ana@example.com" in ada.words


def test_a_settled_double_registration_leaves_the_list(do, cast, signed_in):
    def register(uow):
        applicant = Applicant("Ana Baker", "ana@example.com", "hash")
        found = service.start_registration(uow, applicant=applicant, pack="plus")
        found.agreed_at = utc_now()
        found.state = "duplicate"
        return found.public_id

    public_id = do(register)
    fin = signed_in("Fin")
    fin.visit("/admin")
    assert fin.submit(f"/admin/registrations/{public_id}/settled").status_code == 303
    assert fin.submit(f"/admin/registrations/{public_id}/settled").status_code == 303
    fin.visit("/admin")

    assert "registered twice" not in fin.words
    assert signed_in("Ana").submit(f"/admin/registrations/{public_id}/settled").status_code in (400, 403)


def test_what_was_given_up_is_tried_again_from_the_overview(do, cast, signed_in):
    def give_up(uow):
        now = uow.clock()
        uow.session.add(
            Inbox(
                source="stripe",
                event_id="evt_1",
                kind="checkout.session.completed",
                body=b"{}",
                body_sha256="0" * 64,
                received_at=now,
                deliveries=1,
                state="dead",
                attempts=8,
                next_at=now,
                last_error="The registration is not known.",
            )
        )

    do(give_up)
    ada = signed_in("Ada")
    ada.visit("/admin")
    assert "Try again what was given up" in ada.words
    assert ada.submit("/admin/given-up/retry").status_code == 303

    assert do(lambda uow: uow.session.scalars(select(Inbox.state)).all()) == ["retry"]
    fin = signed_in("Fin")
    fin.visit("/admin")
    assert fin.submit("/admin/given-up/retry").status_code == 403


def test_a_payout_in_doubt_is_on_the_list(do, cast, signed_in):
    def leave(uow):
        fund(uow, cast.ben, 500_00, cycle=cast.cycle)
        row = payouts.request_withdrawal(
            uow, consultant_id=cast.ben, amount=120_00, key="k", actor_id=cast.ben
        )
        method = uow.session.get_one(PayoutMethod, row.method_id)
        method.kind, row.state = "stripe", "review"

    fin = signed_in("Fin")
    assert "in doubt" not in fin.visit("/admin").text
    do(leave)
    fin.visit("/admin")

    assert "1 payout is in doubt $120.00. Two people decide what becomes of it." in fin.words
    assert 'href="/admin/payouts/sending?state=review"' in fin.page.text
