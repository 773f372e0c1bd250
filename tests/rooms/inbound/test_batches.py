"""Many events in one body: each is stored, seen, refused or in conflict for itself."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.extensions import db
from portal.gateways.vendor_batches import MOST_BATCH_BYTES
from portal.kernel.ids import new_signing_secret
from portal.models import Inbox
from tests.conftest import Database
from tests.people import Cast, invite_cast
from tests.vendors import (
    Vera,
    activated,
    ask,
    body_of,
    cancelled,
    invite_vera,
    knock,
    registered,
    send,
    send_batch,
)


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


def stored(app: Flask) -> list[Inbox]:
    with app.app_context():
        return list(db.session.scalars(select(Inbox).order_by(Inbox.id)))


def results(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [each["result"] for each in answer.json["results"]]


def test_a_batch_is_stored_in_its_order_as_single_events_are(app: Flask, vera: Vera) -> None:
    events = [("z", registered(vera)), ("a", activated(vera)), ("m", cancelled(vera))]
    answer = send_batch(app.test_client(), vera, events)

    assert results(answer) == ["stored"] * 3
    assert answer.json and answer.json["counts"] == {
        "stored": 3,
        "seen before": 0,
        "conflict": 0,
        "refused": 0,
    }
    rows = stored(app)
    assert [row.event_id for row in rows] == ["z", "a", "m"]
    assert [(row.kind, row.object_ref, row.state, row.deliveries) for row in rows] == [
        ("customer.registered", "C1", "new", 1),
        ("service.activated", "K1", "new", 1),
        ("service.cancelled", "K1", "new", 1),
    ]
    assert [json.loads(row.body) for row in rows] == [body_of(event) for _, event in events]


def test_one_bad_event_loses_none_of_the_others(app: Flask, vera: Vera) -> None:
    good = {"id": "e1", **body_of(registered(vera))}
    twice = '{"id": "e2", "type": "customer.registered", "customer": {"ref": "A", "ref": "B"}}'
    bad = [
        {**good, "id": "e3", "customer": {}},
        {**good, "id": "not an id"},
        {key: value for key, value in good.items() if key != "id"},
        "nothing",
        {**good, "id": "e4", "type": "service.exploded"},
    ]
    parts = [json.dumps(good), twice, *map(json.dumps, bad), json.dumps({**good, "id": "e5"})]
    parts.append('{"id": "e6", "customer": NaN, "type": ' + "9" * 5_000 + "}")
    body = ('{"events": [' + ",".join(parts) + "]}").encode()

    answer = knock(app.test_client(), vera, "POST", "events/batch", body)

    assert results(answer) == ["stored", *["refused"] * 6, "stored", "refused"]
    told = answer.json["results"] if answer.json else []
    assert [each["id"] for each in told] == ["e1", None, "e3", None, None, None, "e4", "e5", "e6"]
    assert [error["field"] for each in told for error in each.get("errors", [])][:4] == [
        "event",
        "customer.ref",
        "id",
        "id",
    ]
    assert [row.event_id for row in stored(app)] == ["e1", "e5"]


def test_the_same_id_is_one_event_however_it_comes(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    send(client, vera, registered(vera), event_id="e1")
    batch = [("e1", registered(vera)), ("e2", activated(vera)), ("e2", activated(vera))]
    first = results(send_batch(client, vera, batch))
    changed = [("e1", registered(vera, customer_ref="C9")), ("e3", cancelled(vera)), ("e3", registered(vera))]
    second = results(send_batch(client, vera, changed))
    single = send(client, vera, activated(vera), event_id="e2").status_code
    other = send(client, vera, cancelled(vera), event_id="e2").status_code

    assert first == ["seen before", "stored", "seen before"]
    assert second == ["conflict", "stored", "conflict"]
    assert (single, other) == (200, 409)
    assert [(row.event_id, row.deliveries) for row in stored(app)] == [("e1", 2), ("e2", 3), ("e3", 1)]


def test_a_batch_sent_again_changes_nothing(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    batch = [(f"e{number}", registered(vera, customer_ref=f"C{number}")) for number in range(50)]

    assert results(send_batch(client, vera, batch)) == ["stored"] * 50
    assert results(send_batch(client, vera, batch)) == ["seen before"] * 50
    assert len(stored(app)) == 50


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'{"events": ', "body"),
        (b"\xff", "body"),
        (b"[" * 100_000, "body"),
        (b'{"events": {}, "events": []}', "body"),
        (b'{"events": {}}', "events"),
        (b'{"events": []}', "events"),
        (b'{"events": [' + b"1," * 1_000 + b"1]}", "events"),
        (b'{"events": [1], "more": 1}', "more"),
    ],
    ids=[
        "empty",
        "a list",
        "broken",
        "not text",
        "a tower",
        "twice",
        "an object",
        "none",
        "too many",
        "more",
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(app: Flask, vera: Vera, body: bytes, field: str) -> None:
    answer = knock(
        app.test_client(), vera, "POST", "events/batch", body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json and answer.json["errors"][0]["field"] == field
    assert stored(app) == []


def test_a_batch_over_its_limit_is_refused_before_its_signature_is_read(app: Flask, vera: Vera) -> None:
    answer = knock(
        app.test_client(), vera, "POST", "events/batch", b" " * (MOST_BATCH_BYTES + 1), secret=vera.key.secret
    )

    assert answer.status_code == 413


def test_the_events_of_batches_are_counted_by_themselves(database: Database, make_app: Any) -> None:
    app = make_app(database, CANOPY_RATE_LIMITS="on")
    app.config["VENDOR_EVENTS_A_MINUTE"] = 3
    vera = invite_vera(app, invite_cast(app))
    client = app.test_client()

    taken = send_batch(client, vera, [(f"e{number}", registered(vera)) for number in range(3)])
    over = send_batch(client, vera, [("e4", registered(vera))])

    assert results(taken) == ["stored"] * 3
    assert '"events";r=0;' in taken.headers["RateLimit"]
    assert (over.status_code, 0 < int(over.headers["Retry-After"]) <= 60) == (429, True)
    assert len(stored(app)) == 3


def test_who_signs_wrongly_again_and_again_is_told_to_wait(database: Database, make_app: Any) -> None:
    app = make_app(database, CANOPY_RATE_LIMITS="on")
    app.config["VENDOR_REFUSALS_A_MINUTE"] = 2
    vera = invite_vera(app, invite_cast(app))
    client = app.test_client()

    wrong = [ask(client, vera, "events", secret=new_signing_secret()).status_code for _ in range(3)]
    right = ask(client, vera, "events")

    assert wrong == [401, 401, 429]
    assert (right.status_code, 0 < int(right.headers["Retry-After"]) <= 60) == (429, True)


@pytest.mark.postgres
def test_two_batches_at_once_with_the_same_ids_store_each_once(
    postgresql_database: Database, make_app: Any
) -> None:
    app = make_app(postgresql_database)
    vera = invite_vera(app, invite_cast(app))
    batch = [(f"e{number}", registered(vera, customer_ref=f"C{number}")) for number in range(400)]
    rounds = [batch, batch[::-1], batch[200:] + batch[:200], batch[::-1]] * 2

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda events: send_batch(app.test_client(), vera, events), rounds))

    found = [result for answer in answers for result in results(answer)]
    assert (found.count("stored"), found.count("seen before")) == (400, 7 * 400)
    rows = stored(app)
    assert (len(rows), {row.deliveries for row in rows}) == (400, {8})


def test_what_became_of_events_is_told_to_their_vendor_alone(app: Flask, vera: Vera, cast: Cast) -> None:
    from jobs import inbox

    other = invite_vera(app, cast, name="Other Solar")
    client = app.test_client()
    send(client, vera, activated(vera), event_id="good")
    send(client, vera, activated(vera, customer_ref="C2"), event_id="bad")
    send(client, vera, registered(vera, customer_ref="C3", consultant_code="NOBODY22"), event_id="early")
    with app.app_context():
        inbox.drain()

    told = {name: ask(client, vera, f"events/{name}").json for name in ("good", "bad", "early")}

    assert {name: (each["state"], each["attempts"], each["deliveries"]) for name, each in told.items()} == {
        "good": ("done", 1, 1),
        "bad": ("dead", 1, 1),
        "early": ("waiting", 1, 1),
    }
    assert told["good"]["problem"] is None and told["good"]["done_at"] and not told["good"]["next_try_at"]
    assert told["early"]["next_try_at"] and told["early"]["problem"]["message"]
    assert ask(client, vera, "events/unknown").status_code == 404
    assert ask(client, other, "events/good").status_code == 404
    assert ask(client, other, "events").json == {"events": [], "next": None}


def test_events_are_listed_page_by_page_and_by_state(app: Flask, vera: Vera) -> None:
    from jobs import inbox

    client = app.test_client()
    batch = [(f"e{number}", registered(vera, customer_ref=f"C{number}")) for number in range(5)]
    send_batch(client, vera, batch)
    with app.app_context():
        inbox.drain(most=2)

    pages, after = [], ""
    while after is not None:
        page = ask(client, vera, f"events?limit=2{after and '&after=' + after}").json
        pages.append([event["id"] for event in page["events"]])
        after = page["next"]

    assert pages == [["e0", "e1"], ["e2", "e3"], ["e4"]]
    by_state = {
        state: [event["id"] for event in ask(client, vera, f"events?state={state}").json["events"]]
        for state in ("waiting", "done", "dead")
    }
    assert by_state == {"waiting": ["e2", "e3", "e4"], "done": ["e0", "e1"], "dead": []}


@pytest.mark.parametrize(
    "query", ["state=lost", "state=", "limit=0", "limit=1001", "limit=two", "limit=", "after="]
)
def test_a_parameter_that_is_none_is_refused_by_name(app: Flask, vera: Vera, query: str) -> None:
    answer = ask(app.test_client(), vera, f"events?{query}")

    assert answer.status_code == 422
    assert answer.json and answer.json["errors"][0]["field"] == query.partition("=")[0]


def test_a_place_that_the_list_does_not_have_is_not_found(app: Flask, vera: Vera, cast: Cast) -> None:
    other = invite_vera(app, cast, name="Other Solar")
    send(app.test_client(), other, registered(other), event_id="theirs")

    for after in ("e99", "theirs"):
        assert ask(app.test_client(), vera, f"events?after={after}").status_code == 404
