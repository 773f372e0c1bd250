"""An account that Stripe closed or refused can be replaced; the new one rests like any change."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.gateways.sandbox import connect
from portal.models import Destination, PayoutMethod
from portal.payouts.automatic import accounts
from tests.payouts.automatic.test_onboarding import ben, opened, place

__all__ = ["ben"]


@pytest.fixture
def database(sqlite_database):
    """Pages do not depend on the engine."""
    return sqlite_database


def current(show) -> Destination:
    with show.app.app_context():
        joined = select(Destination).join(PayoutMethod, PayoutMethod.id == Destination.method_id)
        wanted = (PayoutMethod.kind == "stripe", Destination.replaced_at.is_(None))
        return db.session.scalars(joined.where(*wanted)).unique().one()


def test_a_closed_account_is_replaced_by_a_new_one(show, ben):
    opened(ben)
    first = place(show).provider_account
    with show.play.store.writing() as books:
        connect.close(show.play, books, books.find("account", first))
    show.hear()
    assert accounts.is_dead(current(show))

    opened(ben)

    assert current(show).provider_account != first
    assert len(show.documents("account")) == 2


@pytest.mark.parametrize(
    ("problem", "ready", "same"),
    [
        ("not_complete", False, True),
        ("rejected.fraud", False, False),
        ("account_closed", False, False),
        ("refused", False, False),
        ("account_closed", True, True),
    ],
)
def test_only_what_will_never_be_paid_is_replaced(show, ben, problem, ready, same):
    opened(ben)
    before = current(show)

    def change(uow):
        kept = uow.session.get_one(Destination, before.id)
        kept.problem, kept.ready = problem, ready

    show.do(change)
    opened(ben)

    assert (current(show).id == before.id) is same


def test_a_key_under_which_stripe_refused_is_not_used_again(show, ben):
    opened(ben)
    before = current(show)
    show.do(lambda uow: accounts.note_dead(uow, destination_id=before.id))

    opened(ben)

    assert current(show).id != before.id and current(show).provider_account != before.provider_account
