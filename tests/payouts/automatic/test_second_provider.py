"""The same state machine with a provider that is described by data, and one that cannot be asked."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update

from jobs import matching as job
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import PayoutMatch, PayoutMethod
from portal.payouts.automatic import matching as compared
from tests.payouts.automatic.show import SOAK

PAYOUTS = 50 * SOAK


@pytest.fixture
def database(sqlite_database):
    """The rules are the same on both engines."""
    return sqlite_database


def describe(show, **changes) -> None:
    url = f"{show.app.config['SETTINGS'].base_url}/sandbox/http-provider/payouts"
    settings = {
        "url": url,
        "token": "test-token",
        "account": "canopy-test",
        "fields": {name: name for name in ("reference", "amount", "currency", "destination", "account")},
        "ref": "id",
        "keeps_keys": "yes",
        "lookup_url": f"{url}?reference={{reference}}",
        "list_url": f"{url}?since={{since}}&until={{until}}",
        **changes,
    }
    http = update(PayoutMethod).where(PayoutMethod.kind == "http")
    show.do(lambda uow: uow.session.execute(http.values(settings=json.dumps(settings))) and None)


def times_paid(show) -> list[int]:
    references = [each["reference"] for each in show.documents("http_payout")]
    return [references.count(each) for each in sorted(set(references))]


def test_each_is_paid_once_though_four_of_ten_calls_fail(show):
    show.queue(PAYOUTS, people=5, kind="http")
    describe(show)
    show.order_share("http.send", "http.lookup", percent=40, calls=5 * PAYOUTS, seed=3)

    show.settle()

    assert show.states() == {"sent": PAYOUTS}
    assert times_paid(show) == [1] * PAYOUTS
    show.later(seconds=2)
    with show.app.app_context():
        assert job.match_all() == 0
        assert max(db.session.scalars(select(PayoutMatch.compared))) == PAYOUTS


def test_a_provider_that_cannot_be_asked_is_never_tried_again_without_a_person(show):
    show.queue(4, people=4, kind="http")
    describe(show, lookup_url="")
    show.order("http.send", "drop_after", "drop_before", "500_after")

    show.settle()

    assert show.states() == {"review": 3, "sent": 1}
    assert len(show.documents("http_payout")) == 3


def test_without_word_that_keys_are_kept_the_same_key_is_not_used_again(show):
    (one,) = show.queue(1, kind="http")
    describe(show, keeps_keys="no")
    show.order("http.send", "drop_before")

    show.drain()
    show.later(seconds=61)
    show.drain()
    assert show.attempts(one) == [(1, "unknown")]
    show.settle(days=1)

    assert show.attempts(one) == [(1, "unknown"), (2, "accepted")]
    assert times_paid(show) == [1]


def test_a_record_that_cannot_be_read_keeps_no_other_from_being_compared(show):
    show.queue(1, kind="http")
    show.queue(1, kind="stripe")
    describe(show)
    show.drain()
    with show.play.store.writing() as books:
        books.save("http_payout", {**books.newest("http_payout")[0], "amount": "many"})
    show.later(seconds=2)

    with show.app.app_context():
        assert job.match_all() == 0
        assert len(db.session.scalars(select(PayoutMatch)).all()) == 1
    show.later(hours=50)
    with show.app.app_context():
        assert len(compared.overdue(db.session(), now=utc_now())) == 2
        job.match_all()
        assert len(compared.overdue(db.session(), now=utc_now())) == 1


def test_without_a_list_the_match_asks_for_each(show):
    show.queue(3, people=1, kind="http")
    describe(show, list_url="")
    show.drain()
    show.later(seconds=2)

    with show.app.app_context():
        assert job.match_all() == 0
    with show.play.store.writing() as books:
        gone = books.newest("http_payout")[0]
        books.save("http_payout", {**gone, "reference": "po_moved"})
    with show.app.app_context():
        assert job.match_all() == 1


def test_a_description_that_cannot_be_used_sends_nothing_and_leaves_the_others_alone(show):
    show.queue(1, kind="http")
    show.queue(1, kind="stripe")
    describe(show, token="")

    show.drain()

    assert show.states() == {"queued": 1, "sent": 1}
