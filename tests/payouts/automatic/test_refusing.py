"""What waits to be sent can be refused on its page, and never while a sender has it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from jobs.providers import provider_of
from jobs.sending import take_turn
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.models import PayoutAttempt, PayoutMethod, Withdrawal
from portal.payouts import service
from portal.payouts.payees.shipped import ensure_methods
from portal.store import perform
from tests.html import Visitor
from tests.payouts.automatic.test_states import claim
from tests.people import PASSWORD

RACES = 12


def race(show, cast, one):
    """A sender takes it while finance refuses it: whether the refusal held."""
    start = Barrier(2)

    def refuse():
        with show.app.app_context():
            start.wait()
            try:
                perform(
                    lambda uow: (
                        service.reject(uow, withdrawal_id=one, actor_id=cast.fin, reason="No.") and None
                    )
                )
            except DomainError:
                return False
            return True

    def send():
        with show.app.app_context():
            start.wait()
            return claim(show)

    with ThreadPoolExecutor(2) as threads:
        refused, _sent = threads.submit(refuse), threads.submit(send)
        return refused.result()


def test_a_payout_is_refused_or_sent_and_never_both(show, cast):
    for _ in range(RACES):
        (one,) = show.queue()
        refused = race(show, cast, one)

        with show.app.app_context():
            tried = db.session.scalars(
                select(PayoutAttempt.id).where(PayoutAttempt.withdrawal_id == one)
            ).all()
        assert (show.state(one), len(tried)) == (("rejected", 0) if refused else ("sending", 1))


def test_without_the_look_at_attempts_money_would_go_back_that_is_being_sent(show, cast, monkeypatch):
    """The control: a sender has it, the state alone is asked for, and it lies."""
    (one,) = show.queue()
    claim(show)
    show.do(lambda uow: setattr(uow.session.get_one(Withdrawal, one), "state", "queued"))
    named = {"withdrawal_id": one, "actor_id": cast.fin, "reason": "No."}
    with pytest.raises(DomainError):
        show.do(lambda uow: service.reject(uow, **named) and None)

    monkeypatch.setattr(service, "_demand_untouched", lambda *_: None)
    show.do(lambda uow: service.reject(uow, **named) and None)
    assert show.state(one) == "rejected"


@pytest.fixture
def fin(app, cast):
    laptop = Visitor(app)
    laptop.sign_in("fin@example.com", PASSWORD)
    return laptop


def test_what_is_queued_is_refused_on_its_page_and_in_the_list(show, fin, app):
    one, other = show.queue(2, people=2)
    with app.app_context():
        ids = {row.id: row.public_id for row in db.session.scalars(select(Withdrawal))}
    fin.visit(f"/admin/payouts/sending/{ids[one]}")
    assert "Do not send it" in fin.words
    fin.submit("/admin/payouts/reject?state=queued", {"reason": "The account is not theirs."})
    fin.follow()
    assert show.state(one) == "rejected"

    fin.visit("/admin/payouts?state=queued")
    assert "Reject" in fin.words and "Export for the bank" not in fin.words
    fin.submit("/admin/payouts/reject?state=queued", {"chosen": [ids[other]], "reason": "No."})
    assert show.state(other) == "rejected"
    fin.visit(f"/admin/payouts/sending/{ids[one]}")
    assert "Do not send it" not in fin.words


def test_what_goes_by_file_is_sent_by_no_job(show):
    show.do(ensure_methods)
    with show.app.app_context():
        method = db.session.scalars(select(PayoutMethod).where(PayoutMethod.kind == "nacha")).one()
        method.settings = json.dumps(
            {"bank_routing": "021000021", "bank_name": "B", "company_name": "C", "company_id": "1" * 10}
        )
        provider = provider_of(method)

        assert provider.adapter.capabilities.by_file and take_turn(provider) == 0
