"""From the first form to a consultant, whatever the provider sends and how often."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict, NotYetKnown, NotYours
from portal.ledger import audit
from portal.members import queries, service
from portal.members.service import Applicant
from portal.models import (
    AccountUser,
    Agreement,
    Consultant,
    Entry,
    Outbox,
    Payment,
    Placement,
    Posting,
)  # fmt: skip
from portal.payments.recording import PaymentNotice, record_renewal
from portal.store import perform
from tests.members.conftest import NOW


def _facts(company) -> list[str]:
    return company.read(lambda session: list(session.scalars(select(Outbox.name).order_by(Outbox.id))))


def _booked(company) -> list[tuple[str, int]]:
    statement = select(Entry.key, Posting.amount_cents).join(Posting, Posting.entry_id == Entry.id)
    return company.read(lambda session: [tuple(row) for row in session.execute(statement.order_by(Entry.id))])


def _state(company, public_id: str) -> str:
    return company.read(lambda session: queries.registration(session, public_id).state)


def test_a_paid_registration_becomes_a_consultant(company):
    ana = company.consultant("Ana")
    registration = company.begin("Maya Torres", sponsor=ana)

    maya = company.complete(registration, ref="pi_1")

    def seen(session):
        consultant = session.get(Consultant, maya)
        user = session.scalars(
            select(AccountUser).where(AccountUser.email == "maya.torres@example.com")
        ).one()
        return (
            consultant.sponsor_id,
            consultant.pack,
            len(consultant.code),
            user.roles,
            consultant.person.name,
        )

    assert company.read(seen) == (ana, "pack", 8, {"consultant"}, "Maya Torres")
    assert _facts(company) == ["payment.received", "consultant.registered", "consultant.placed"]
    assert _booked(company) == [("stripe:pi_1:paid", 4900)]
    assert company.read(audit.broken_invariants) == []


def test_the_fee_makes_no_sale_and_no_volume(small_company):
    from portal.models import Sale

    small_company.join("Maya")
    assert small_company.read(lambda session: session.scalar(select(func.count()).select_from(Sale))) == 0


def test_completing_again_changes_nothing(small_company):
    registration = small_company.begin("Maya")
    first = small_company.complete(registration, ref="pi_1")

    assert [small_company.complete(registration, ref="pi_1") for _again in range(3)] == [first] * 3

    assert len(_facts(small_company)) == 3
    assert len(_booked(small_company)) == 1


def test_a_second_payment_is_kept_and_booked(small_company):
    registration = small_company.begin("Maya")
    first = small_company.complete(registration, ref="pi_1")

    assert small_company.complete(registration, ref="pi_2") == first

    assert [key for key, _cents in _booked(small_company)] == ["stripe:pi_1:paid", "stripe:pi_2:paid"]


def test_the_same_webhook_sixteen_times_at_once_counts_once(company):
    registration = company.begin("Maya")

    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(lambda _n: company.complete(registration, ref="pi_1"), range(16)))

    assert len(ids) == 1
    assert len(_booked(company)) == 1
    assert _facts(company).count("consultant.registered") == 1


def test_two_registrations_with_one_email_make_one_consultant_and_lose_no_money(company):
    first, second = company.begin("Maya"), company.begin("Maya")

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda public_id: company.complete(public_id), [first, second]))

    assert sorted(result is None for result in results) == [False, True]
    assert sorted([_state(company, first), _state(company, second)]) == ["complete", "duplicate"]
    assert sum(cents for _key, cents in _booked(company)) == 9800
    left_over = company.read(lambda session: [r.state for r in queries.duplicate_registrations(session)])
    assert left_over == ["duplicate"]


def test_a_duplicate_stays_one_when_its_webhook_comes_again(small_company):
    small_company.join("Maya")
    again = small_company.begin("Maya")
    assert small_company.complete(again) is None
    assert small_company.complete(again) is None
    assert len(_booked(small_company)) == 2


def test_the_free_pack_needs_no_payment(small_company):
    smart = small_company.complete(small_company.begin("Sam", pack="smart"), cents=0)
    assert small_company.read(lambda session: session.get(Consultant, smart).pack) == "smart"
    assert _booked(small_company) == []


def test_a_pack_with_a_fee_is_not_given_for_free(small_company):
    registration = small_company.begin("Maya")
    with pytest.raises(BadInput):
        small_company.complete(registration, cents=0)
    assert _state(small_company, registration) == "started"


def test_nobody_gets_in_without_the_agreement(small_company):
    applicant = Applicant("Maya", "maya@example.com", "hash")
    with small_company.app.app_context():
        public_id = perform(
            lambda uow: service.start_registration(uow, applicant=applicant, pack="smart").public_id
        )
    with pytest.raises(BadInput):
        small_company.complete(public_id, cents=0)


def test_the_agreement_is_kept_with_version_hash_and_time(small_company):
    registration = small_company.begin("Maya")

    def kept(session):
        row = queries.registration(session, registration)
        return row.agreement_version, row.agreement_sha256, row.agreed_at is not None

    sha256 = small_company.read(lambda session: session.scalars(select(Agreement.sha256)).one())
    assert small_company.read(kept) == ("2026-11", sha256, True)


def test_words_that_are_not_in_force_cannot_be_accepted(small_company):
    registration = small_company.begin("Maya")
    with small_company.app.app_context(), pytest.raises(Conflict):
        perform(lambda uow: service.accept_agreement(uow, public_id=registration, sha256="0" * 64))


def test_an_unknown_registration_is_nobodys(small_company):
    with pytest.raises(NotYours):
        small_company.complete("a" * 20)


def test_paid_after_it_expired_still_completes(small_company):
    registration = small_company.begin("Maya")
    with small_company.app.app_context():
        perform(lambda uow: service.expire_registration(uow, registration_public_id=registration))
    assert _state(small_company, registration) == "expired"

    assert small_company.complete(registration) is not None
    assert _state(small_company, registration) == "complete"


def test_what_is_complete_does_not_expire(small_company):
    registration = small_company.begin("Maya")
    small_company.complete(registration)
    with small_company.app.app_context():
        perform(lambda uow: service.expire_registration(uow, registration_public_id=registration))
    assert _state(small_company, registration) == "complete"


def test_answers_can_change_until_a_payment_page_is_open(small_company):
    registration = small_company.begin("Maya")
    other = Applicant("Maya Torres", "Maya.Torres@Example.com", "other")

    def change(uow):
        return service.change_registration(
            uow, public_id=registration, applicant=other, pack="plus", invitation=None
        ).public_id

    with small_company.app.app_context():
        assert perform(change) == registration
        kept = queries.registration(db.session(), registration)
        assert (kept.person.email, kept.pack, kept.agreed_at) == ("maya.torres@example.com", "plus", None)
        perform(lambda uow: service.note_checkout(uow, public_id=registration, checkout_session="cs_1"))
        assert perform(change) != registration


def test_a_fresh_copy_keeps_the_answers_and_asks_for_the_agreement_again(small_company):
    ana = small_company.consultant("Ana")
    old = small_company.begin("Maya", sponsor=ana, side="R")
    with small_company.app.app_context():
        fresh = perform(lambda uow: service.begin_again(uow, public_id=old).public_id)

    def answers(public_id):
        return small_company.read(
            lambda session: [
                getattr(queries.registration(session, public_id), name)
                for name in ("sponsor_id", "leg_wish", "pack", "password_hash")
            ]
        )

    assert fresh != old
    assert answers(fresh) == answers(old)
    assert small_company.read(lambda session: queries.registration(session, fresh).agreed_at) is None


def test_a_renewal_is_booked_once(company):
    registration = company.begin("Maya", pack="plus")
    first = PaymentNotice("in_1", 16800, NOW, "usd", subscription_ref="sub_1")
    second = dataclasses.replace(first, provider_ref="in_2", amount_cents=1900)
    with company.app.app_context():
        perform(
            lambda uow: (
                service.complete_registration(uow, registration_public_id=registration, payment=first)
                and None
            )
        )
        for _twice in range(2):
            perform(lambda uow: record_renewal(uow, notice=second) and None)
            perform(
                lambda uow: record_renewal(uow, notice=first, registration_public_id=registration) and None
            )

    assert _booked(company) == [("stripe:in_1:paid", 16800), ("stripe:in_2:paid", 1900)]
    assert _facts(company).count("payment.received") == 2


def test_the_first_invoice_may_come_before_the_completed_checkout(small_company):
    registration = small_company.begin("Maya", pack="plus")
    notice = PaymentNotice("in_1", 16800, NOW, "usd", subscription_ref="sub_1")
    with small_company.app.app_context():
        perform(lambda uow: record_renewal(uow, notice=notice, registration_public_id=registration) and None)
    assert small_company.complete(registration, ref="in_1", cents=16800) is not None
    assert len(_booked(small_company)) == 1


def test_a_renewal_of_nobody_is_refused(small_company):
    notice = PaymentNotice("in_1", 1900, NOW, "usd", subscription_ref="sub_9")
    with small_company.app.app_context(), pytest.raises(NotYetKnown):
        perform(lambda uow: record_renewal(uow, notice=notice))


def test_another_currency_is_refused(small_company):
    registration = small_company.begin("Maya")
    notice = PaymentNotice("pi_1", 4900, NOW, "eur")
    with small_company.app.app_context(), pytest.raises(BadInput):
        perform(
            lambda uow: service.complete_registration(
                uow, registration_public_id=registration, payment=notice
            )
        )


def test_a_failure_half_way_leaves_no_trace(small_company, monkeypatch):
    registration = small_company.begin("Maya")

    def break_down(*_arguments, **_options):
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patch:
        patch.setattr(service, "place_newcomer", break_down)
        with pytest.raises(RuntimeError):
            small_company.complete(registration)

    counts = small_company.read(
        lambda session: [
            session.scalar(select(func.count()).select_from(model))
            for model in (Consultant, Placement, Payment, Entry, Outbox, AccountUser)
        ]
    )
    assert counts == [0] * 6
    assert small_company.complete(registration) is not None


def test_ensuring_the_defaults_twice_changes_nothing(small_company):
    from portal.members.packs import ensure_defaults

    with small_company.app.app_context():
        perform(ensure_defaults)
    packs = small_company.read(
        lambda session: [(p.code, p.price_cents, p.monthly_cents) for p in queries.packs(session)]
    )
    assert packs == [("smart", 0, 0), ("pack", 4900, 0), ("plus", 14900, 1900)]
