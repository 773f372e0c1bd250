"""Facts reach the systems they belong to: signed, again until they are taken, under one id."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from jobs import relay, webhooks
from jobs.reactions import drain_money
from portal.extensions import db
from portal.gateways.vendor_signatures import verify
from portal.integrations import deliveries, endpoints
from portal.integrations.endpoints import KINDS, Mine, Wish
from portal.kernel.ids import new_id
from portal.models import AccountUser, Message, Task, WebhookDelivery, WebhookEndpoint
from tests.integrations.receiver import listening
from tests.people import invite_cast
from tests.shop import add_sale


@pytest.fixture
def app(database, make_app):
    return make_app(database, CANOPY_WEBHOOKS_TO_LOOPBACK="on")


@pytest.fixture
def cast(app):
    return invite_cast(app)


@pytest.fixture
def receiver():
    with listening() as other:
        yield other


@pytest.fixture
def endpoint(do, receiver):
    """`endpoint(consultant_id, *kinds)`: an address of a consultant's, or the company's for None."""

    def make(consultant_id, *kinds, name="ben"):
        def work(uow):
            user = uow.session.scalars(
                select(AccountUser).where(AccountUser.email == f"{name}@example.com")
            ).one()
            wish = Wish(receiver.url, kinds or KINDS, loopback=True)
            made = endpoints.add_endpoint(uow, consultant_id=consultant_id, wish=wish, actor_id=user.id)
            return Mine(made.public_id, consultant_id, user.id)

        return do(work)

    return make


@pytest.fixture
def run(app):
    """The relay, the reactions and the sending, once."""

    def once():
        with app.app_context():
            while relay.carry():
                pass
            drain_money()
            return webhooks.drain()

    return once


def rows(app, *columns):
    with app.app_context():
        found = db.session.execute(select(*columns).order_by(WebhookDelivery.id)).all()
        db.session.rollback()
    return [tuple(row) for row in found]


def wait(do, **more):
    """What waits is due now."""
    do(lambda uow: uow.session.execute(update(WebhookDelivery).values(next_at=uow.clock(), **more)))


def test_a_sale_is_told_to_the_company_and_to_its_seller_alone(app, do, cast, endpoint, run, receiver):
    for owner, name in ((None, "ada"), (cast.ben, "ben"), (cast.ana, "ana")):
        endpoint(owner, "sale.recorded", name=name)
    do(add_sale, cast.ben, 10_00, revenue=20_00)
    run()

    told = [json.loads(body) for _headers, body in receiver.calls]
    assert [message["type"] for message in told] == ["sale.recorded"] * 2
    assert {message["data"]["volume"] for message in told} == {"10.00"}
    assert rows(app, WebhookDelivery.state) == [("done",), ("done",)]


def test_a_message_is_signed_and_keeps_its_id_and_body_over_all_tries(app, do, cast, endpoint, run, receiver):
    mine = endpoint(cast.ben, "sale.recorded")
    answers = iter(["500 NO", "302 FOUND", "200 OK"])
    receiver.answer = lambda: next(answers)
    do(add_sale, cast.ben, 10_00)
    for _ in range(3):
        run()
        wait(do)
    run()

    assert len(receiver.calls) == 3
    assert len({(headers["webhook-id"], body) for headers, body in receiver.calls}) == 1
    [secret] = do(lambda uow: uow.session.scalars(select(WebhookEndpoint.secret)).all())
    for headers, body in receiver.calls:
        assert verify([secret], headers, body, datetime.now(UTC)) == headers["webhook-id"]
    assert rows(app, WebhookDelivery.state, WebhookDelivery.attempts, WebhookDelivery.status_code) == [
        ("done", 3, 200)
    ]
    assert mine.consultant_id == cast.ben


def test_what_is_never_taken_is_given_up_after_eight_tries_and_can_be_sent_again(
    app, do, cast, endpoint, run, receiver
):
    mine = endpoint(cast.ben, "sale.recorded")
    receiver.answer = lambda: "503 LATER"
    do(add_sale, cast.ben, 10_00)
    waits = []
    for _ in range(9):
        before = datetime.now(UTC)
        run()
        [(next_at,)] = rows(app, WebhookDelivery.next_at)
        waits.append((next_at - before).total_seconds())
        wait(do)

    assert len(receiver.calls) == 8
    assert rows(app, WebhookDelivery.state, WebhookDelivery.answer) == [("dead", "heard")]
    assert all(8 * 3**n <= waited <= 15 * 3**n + 5 for n, waited in enumerate(waits[:4]))

    receiver.answer = lambda: "200 OK"

    def again(uow):
        row = uow.session.scalars(select(WebhookDelivery)).unique().one()
        deliveries.replay(uow, endpoint=mine.locked(uow), public_id=row.public_id, actor_id=mine.actor_id)

    do(again)
    run()
    assert len({headers["webhook-id"] for headers, _ in receiver.calls}) == 1
    assert rows(app, WebhookDelivery.state) == [("done",)]


def test_an_address_that_takes_nothing_is_switched_off_and_its_owner_is_told(
    app, do, cast, endpoint, run, receiver
):
    mine = endpoint(cast.ben, "sale.recorded")
    do(lambda uow: setattr(mine.locked(uow), "failures", endpoints.MOST_FAILURES - 1))
    receiver.answer = lambda: "500 NO"
    do(add_sale, cast.ben, 10_00)
    run()
    wait(do)
    run()

    assert len(receiver.calls) == 1
    with app.app_context():
        [found] = db.session.query(WebhookEndpoint).all()
        assert found.disabled_at is not None and "in a row" in found.disabled_reason
        assert [mail.template for mail in db.session.query(Message)].count("webhook_disabled") == 1
        db.session.rollback()
    receiver.answer = lambda: "200 OK"
    do(endpoints.enable, mine)
    run()
    assert rows(app, WebhookDelivery.state) == [("done",)]


def test_an_address_that_is_gone_is_switched_off_at_once(app, do, cast, endpoint, run, receiver):
    endpoint(cast.ben, "sale.recorded")
    receiver.answer = lambda: "410 GONE"
    do(add_sale, cast.ben, 10_00)
    run()

    with app.app_context():
        assert db.session.query(WebhookEndpoint).one().disabled_at is not None


def test_for_a_day_both_secrets_sign(app, do, cast, endpoint, run, receiver):
    mine = endpoint(cast.ben, "sale.recorded")
    [old] = do(lambda uow: uow.session.scalars(select(WebhookEndpoint.secret)).all())
    new = do(endpoints.rotate_secret, mine)
    do(add_sale, cast.ben, 10_00)
    run()
    headers, body = receiver.calls[-1]
    assert verify([old], headers, body, datetime.now(UTC)) == verify([new], headers, body, datetime.now(UTC))

    past = timedelta(seconds=1)
    do(lambda uow: uow.session.execute(update(WebhookEndpoint).values(old_secret_until=uow.clock() - past)))
    do(add_sale, cast.ben, 20_00)
    run()
    assert len(receiver.calls[-1][0]["webhook-signature"].split()) == 1


def test_a_message_under_a_lease_is_not_sent_by_anybody_else(app, do, cast, endpoint, run, receiver):
    endpoint(cast.ben, "sale.recorded")
    do(add_sale, cast.ben, 10_00)
    with app.app_context():
        while relay.carry():
            pass
        drain_money()
    [parcel] = do(deliveries.claim_some, most=8, unsure=4)

    do(lambda uow: another(uow, cast.ben))
    assert do(deliveries.claim_some, most=8, unsure=4) == [], "nor is what stands behind it"
    wait(do, lease_until=datetime.now(UTC) - timedelta(seconds=1))
    run()
    assert [headers["webhook-id"] == parcel.message_id for headers, _ in receiver.calls] == [True, False]
    late = deliveries.Outcome(500, "late", taken=False, again_at=datetime.now(UTC))
    assert do(deliveries.settle, parcel, late) is False
    assert rows(app, WebhookDelivery.state) == [("done",)] * 2


def another(uow, consultant_id):
    """One more message to each address of a consultant's."""
    for each in uow.session.scalars(select(WebhookEndpoint).filter_by(consultant_id=consultant_id)).all():
        deliveries.write(uow, each, kind="sale.recorded", key=new_id(), data={})


def test_an_address_that_keeps_silent_holds_up_no_other(do, cast, endpoint, run, receiver):
    with listening() as slow:
        endpoint(cast.ana, "sale.recorded", name="ana")
        calm_url, receiver.url = receiver.url, slow.url
        endpoint(cast.ben, "sale.recorded")
        for _ in range(5):
            do(another, cast.ana)
            do(another, cast.ben)
        all_told, waited = threading.Event(), []

        def take():
            if len(receiver.calls) == 5:
                all_told.set()
            return "204 NO CONTENT"

        def keep_silent():
            waited.append(all_told.wait(3))
            return "204 NO CONTENT"

        receiver.url, receiver.answer, slow.answer = calm_url, take, keep_silent
        run()

        assert waited == [True] * 5, "the first answer came after everybody else was told"
        ids = [headers["webhook-id"] for headers, _ in slow.calls]
        assert len(set(ids)) == 5


def test_addresses_that_did_not_take_the_last_message_never_fill_all_places(do, cast, endpoint):
    for _ in range(4):
        endpoint(cast.ben, "sale.recorded")
    do(lambda uow: uow.session.execute(update(WebhookEndpoint).values(failures=1)) and None)
    endpoint(cast.ben, "sale.recorded")
    do(another, cast.ben)

    parcels = do(deliveries.claim_some, most=8, unsure=2)

    assert sorted(parcel.is_unsure for parcel in parcels) == [False, True, True]
    assert do(deliveries.claim_some, most=8, unsure=0) == []


def test_a_long_queue_of_one_address_holds_up_no_other(do, cast, endpoint):
    endpoint(cast.ben, "sale.recorded")
    for _ in range(30):
        do(another, cast.ben)
    endpoint(cast.ana, "sale.recorded", name="ana")
    do(another, cast.ana)
    taken = deliveries.Outcome(200, "", taken=True, again_at=datetime.now(UTC))
    told = []
    for _ in range(20):
        [parcel] = do(deliveries.claim_some, most=1, unsure=0)
        do(deliveries.settle, parcel, taken)
        told.append(parcel.endpoint_id)

    assert len(set(told)) == 2


def test_what_was_undone_while_it_was_sent_is_not_tried_again(app, do, cast, endpoint):
    endpoint(cast.ben, "sale.recorded")
    do(another, cast.ben)
    [parcel] = do(deliveries.claim_some, most=8, unsure=4)
    do(deliveries.hold_back, key_prefix="")
    do(deliveries.settle, parcel, deliveries.Outcome(500, "no", taken=False, again_at=datetime.now(UTC)))

    assert rows(app, WebhookDelivery.state) == [("dead",)]


def test_somebody_who_cannot_sign_in_any_more_is_told_nothing(app, do, cast, endpoint, run, receiver):
    mine = endpoint(cast.ben, "sale.recorded")
    do(lambda uow: setattr(uow.session.get_one(AccountUser, mine.actor_id), "disabled_at", uow.clock()))
    do(add_sale, cast.ben, 10_00)
    run()

    assert receiver.calls == []


def tasks(app, handler):
    with app.app_context():
        found = db.session.scalars(select(Task.id).where(Task.handler == handler)).all()
        db.session.rollback()
    return len(found)


@pytest.mark.parametrize(
    "kinds, off, made",
    [
        ((), False, 0),
        (("lead.taken",), False, 0),
        (("sale.recorded",), True, 0),
        (("sale.recorded",), False, 1),
    ],
)
def test_a_sale_makes_work_only_where_an_address_is_told_of_sales(
    app, cast, do, endpoint, run, kinds, off, made
):
    mine = endpoint(None, *kinds) if kinds else None
    if off:
        do(lambda uow: endpoints.disable(uow, mine))
    do(lambda uow: add_sale(uow, cast.ben, 8_400))
    run()

    assert tasks(app, "jobs.webhooks.sale_recorded") == made


def test_an_address_that_is_there_when_a_sale_is_relayed_learns_of_it(app, cast, do, endpoint, run, receiver):
    do(lambda uow: add_sale(uow, cast.ben, 8_400))
    endpoint(None, "sale.recorded")
    run()

    assert len(receiver.calls) == 1
