"""The overview says what waits, and of whom it speaks."""

from __future__ import annotations

from portal.kernel.clock import utc_now
from portal.members import service
from portal.members.service import Applicant


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
