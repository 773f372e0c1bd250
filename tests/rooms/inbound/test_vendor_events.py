"""The vendors' door: what is believed is stored once; what is not leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.ids import new_signing_secret
from portal.models import Inbox, Vendor
from portal.store import perform
from portal.vendors.service import add_key, revoke_key
from tests.conftest import Database
from tests.people import Cast, invite_cast
from tests.vendors import Vera, activated, body_of, invite_vera, registered, send


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


def stored(app: Flask) -> list[Inbox]:
    with app.app_context():
        return list(db.session.scalars(select(Inbox).order_by(Inbox.id)))


def test_a_signed_event_is_stored_as_it_came(app: Flask, vera: Vera) -> None:
    answer = send(app.test_client(), vera, activated(vera))

    assert (answer.status_code, answer.json) == (202, {"id": "e1", "result": "stored"})
    [row] = stored(app)
    assert (row.source, row.event_id, row.vendor_id) == (f"vendor-{vera.vendor_id}", "e1", vera.vendor_id)
    assert (row.kind, row.state, row.deliveries) == ("service.activated", "new", 1)
    assert json.loads(row.body) == body_of(activated(vera))


def test_the_same_event_again_is_counted_and_nothing_else(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    codes = [send(client, vera, activated(vera)).status_code for _ in range(3)]

    assert codes == [202, 200, 200]
    [row] = stored(app)
    assert (row.deliveries, row.state) == (3, "new")


def test_the_same_id_with_another_body_is_a_conflict(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    send(client, vera, registered(vera))

    answer = send(client, vera, registered(vera, customer_ref="C2"))

    assert answer.status_code == 409
    [row] = stored(app)
    assert (row.deliveries, json.loads(row.body)["customer"]["ref"]) == (1, "C1")


FORGERIES: dict[str, Callable[[Vera], dict[str, Any]]] = {
    "another key": lambda vera: {"secret": new_signing_secret()},
    "stale": lambda vera: {"timestamp": int(utc_now().timestamp()) - 310},
    "from the future": lambda vera: {"timestamp": int(utc_now().timestamp()) + 310},
    "no signature": lambda vera: {"headers": {"webhook-signature": ""}},
    "a signature of nonsense": lambda vera: {"headers": {"webhook-signature": "v1,é"}},
    "another time than signed": lambda vera: {
        "headers": {"webhook-timestamp": str(int(utc_now().timestamp()) + 1)}
    },
    "another id than signed": lambda vera: {"headers": {"webhook-id": "e2"}},
    "an unknown vendor": lambda vera: {"public_id": "a" * 20},
}


@pytest.mark.parametrize("wrong", FORGERIES.values(), ids=FORGERIES)
def test_what_is_not_proved_is_refused_without_a_trace(
    app: Flask, vera: Vera, wrong: Callable[[Vera], dict[str, Any]]
) -> None:
    answer = send(app.test_client(), vera, activated(vera), **wrong(vera))

    assert answer.status_code == 401
    assert answer.json and answer.json["detail"]
    assert stored(app) == []


def test_an_unknown_vendor_and_a_wrong_key_look_the_same(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    unknown = send(client, vera, activated(vera), public_id="a" * 20)
    wrong_key = send(client, vera, activated(vera), secret=new_signing_secret())

    assert (unknown.status_code, unknown.json) == (wrong_key.status_code, wrong_key.json)


def test_another_vendors_key_opens_nothing(app: Flask, vera: Vera, cast: Cast) -> None:
    other = invite_vera(app, cast, name="Other Solar")

    assert send(app.test_client(), vera, activated(vera), secret=other.key.secret).status_code == 401
    assert stored(app) == []


def test_two_live_keys_are_tried_and_a_revoked_one_is_not(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    with app.app_context():
        second = perform(lambda uow: add_key(uow, vendor_id=vera.vendor_id, actor_id=None))
    first_is_live = send(client, vera, registered(vera), event_id="e1").status_code
    second_is_live = send(client, vera, registered(vera), event_id="e2", secret=second.secret).status_code
    with app.app_context():
        old = vera.key.public_id
        perform(lambda uow: revoke_key(uow, vendor_id=vera.vendor_id, key_public_id=old, actor_id=None))

    first_is_revoked = send(client, vera, registered(vera), event_id="e3").status_code

    assert (first_is_live, second_is_live, first_is_revoked) == (202, 202, 401)


def test_a_disabled_vendor_is_not_known_any_more(app: Flask, vera: Vera) -> None:
    def disable(uow: Any) -> None:
        uow.session.get_one(Vendor, vera.vendor_id).disabled_at = uow.clock()

    with app.app_context():
        perform(disable)

    assert send(app.test_client(), vera, registered(vera)).status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"\xff", b'{"type": "customer.registered"}', b'{"type": "service.exploded"}'],
    ids=["empty", "a list", "broken", "not text", "half of it", "an unknown type"],
)
def test_a_malformed_event_is_refused_by_name_and_not_stored(app: Flask, vera: Vera, body: bytes) -> None:
    answer = send(app.test_client(), vera, body)

    assert answer.status_code == 422
    assert answer.json and all(error["field"] and error["message"] for error in answer.json["errors"])
    assert stored(app) == []


def test_a_body_that_is_too_large_is_refused_before_its_signature_is_read(app: Flask, vera: Vera) -> None:
    answer = send(app.test_client(), vera, b" " * 20_000, secret=new_signing_secret())

    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")
    assert answer.json and answer.json["detail"] == "The body is too large."


def test_ten_deliveries_at_once_are_one_event(app: Flask, vera: Vera) -> None:
    def deliver(_number: int) -> int:
        return send(app.test_client(), vera, activated(vera)).status_code

    with ThreadPoolExecutor(10) as pool:
        codes = sorted(pool.map(deliver, range(10)))

    assert codes == [200] * 9 + [202]
    [row] = stored(app)
    assert row.deliveries == 10


def test_too_many_events_of_one_vendor_are_told_to_wait(
    database: Database, make_app: Callable[..., Flask]
) -> None:
    app = make_app(database, CANOPY_RATE_LIMITS="on")
    app.config["VENDOR_REQUESTS_A_MINUTE"] = 2
    cast = invite_cast(app)
    vera, other = invite_vera(app, cast), invite_vera(app, cast, name="Other Solar")
    client = app.test_client()

    answers = [send(client, vera, registered(vera), event_id=f"e{number}") for number in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=2;w=60'
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]
    assert "Retry-After" not in answers[0].headers
    assert send(client, other, registered(other)).status_code == 202


def test_without_a_database_the_vendor_is_asked_to_come_again(make_app: Callable[..., Flask]) -> None:
    nobody_listens = "postgresql://nobody@127.0.0.1:1/nothing"
    app = make_app(Database("postgresql", nobody_listens, nobody_listens))

    answer = app.test_client().post(f"/api/v1/vendors/{'a' * 20}/events", json={})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_the_door_takes_no_other_method(app: Flask, vera: Vera) -> None:
    answer = app.test_client().put(f"/api/v1/vendors/{vera.public_id}/events")

    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")


def test_nothing_happens_at_the_door_itself(app: Flask, vera: Vera) -> None:
    from portal.models import Sale

    send(app.test_client(), vera, activated(vera))

    with app.app_context():
        assert db.session.scalar(select(func.count(Sale.id))) == 0
