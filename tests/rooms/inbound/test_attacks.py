"""What strangers, old friends and careless programs may send: it has no effect, and breaks nothing."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.extensions import db
from portal.gateways.vendor_batches import MOST_BATCH_BYTES
from portal.gateways.vendor_signatures import sign
from portal.kernel.clock import utc_now
from portal.models import Inbox, Statement
from portal.store import perform
from portal.vendors.service import add_key, revoke_key
from tests import servers
from tests.conftest import Database, environment
from tests.people import Cast, invite_cast
from tests.processes import answers, running, wait_until
from tests.vendors import Vera, ask, body_of, invite_vera, knock, registered, send, send_batch

DOORS = {
    "events": b'{"type": "customer.registered"}',
    "events/batch": b'{"events": [{}]}',
    "statements": b'{"day": "2026-11-21", "lines": [{}]}',
}
QUESTIONS = ("events", "events/e1", "signups")


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


def kept(app: Flask) -> int:
    with app.app_context():
        rows = db.session.scalar(select(func.count(Inbox.id))) or 0
        return rows + (db.session.scalar(select(func.count(Statement.id))) or 0)


def now() -> int:
    return int(utc_now().timestamp())


@pytest.mark.parametrize("off", [-301, 301, -100_000, 100_000])
def test_every_door_is_shut_outside_five_minutes_either_way(app: Flask, vera: Vera, off: int) -> None:
    client = app.test_client()
    sent = [knock(client, vera, "POST", path, body, timestamp=now() + off) for path, body in DOORS.items()]
    asked = [ask(client, vera, path, timestamp=now() + off) for path in QUESTIONS]

    assert {answer.status_code for answer in sent + asked} == {401}
    assert kept(app) == 0


@pytest.mark.parametrize("off", [-290, 290])
def test_within_five_minutes_every_door_is_open(app: Flask, vera: Vera, off: int) -> None:
    client = app.test_client()
    send(client, vera, registered(vera))

    sent = [knock(client, vera, "POST", path, body, timestamp=now() + off) for path, body in DOORS.items()]
    asked = [ask(client, vera, path, timestamp=now() + off) for path in QUESTIONS]

    assert [answer.status_code for answer in sent + asked] == [422, 200, 422, 200, 200, 200]


def test_what_was_overheard_and_sent_again_counts_once(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    then = now()
    overheard: dict[str, Any] = {"timestamp": then, "message_id": "m7"}
    batch = [("e1", registered(vera)), ("e2", registered(vera, customer_ref="C2"))]

    codes = [send_batch(client, vera, batch, **overheard).status_code for _ in range(3)]

    assert codes == [200] * 3
    assert kept(app) == 2


def test_a_signature_for_one_body_opens_no_other_door(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    body = json.dumps({"id": "e1", **body_of(registered(vera))}).encode()
    then = now()
    headers = {"webhook-signature": sign(vera.key.secret, "m1", then, body)}

    stolen = knock(
        client, vera, "POST", "events/batch", b'{"events": [' + body + b"]}", timestamp=then, headers=headers
    )
    asked = ask(client, vera, "events", timestamp=then, headers=headers)

    assert (stolen.status_code, asked.status_code) == (401, 401)
    assert kept(app) == 0


def test_the_keys_of_others_and_of_yesterday_open_no_door(app: Flask, vera: Vera, cast: Cast) -> None:
    other = invite_vera(app, cast, name="Other Solar")
    client = app.test_client()
    with app.app_context():
        new = perform(lambda uow: add_key(uow, vendor_id=vera.vendor_id, actor_id=None))
        old = vera.key.public_id
        perform(lambda uow: revoke_key(uow, vendor_id=vera.vendor_id, key_public_id=old, actor_id=None))

    for secret, status in ((other.key.secret, 401), (vera.key.secret, 401), (new.secret, 422)):
        codes = {
            knock(client, vera, "POST", path, body, secret=secret).status_code
            for path, body in DOORS.items()
            if path != "events/batch"
        }
        assert codes == {status}
        assert ask(client, vera, "signups", secret=secret).status_code == (401 if status == 401 else 200)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "GZIP, identity"},
        {"Content-Encoding": "br"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/problem+json"},
        {"Content-Type": ""},
    ],
    ids=str,
)
def test_only_plain_json_is_read(app: Flask, vera: Vera, headers: dict[str, str]) -> None:
    client = app.test_client()
    for path, body in DOORS.items():
        answer = knock(client, vera, "POST", path, body, headers=headers)
        assert (answer.status_code, answer.content_type) == (415, "application/problem+json")
    assert kept(app) == 0


def test_a_bomb_is_not_unpacked(app: Flask, vera: Vera) -> None:
    bomb = gzip.compress(b'{"events": [' + b" " * 200_000_000 + b"]}")
    client = app.test_client()

    packed = knock(client, vera, "POST", "events/batch", bomb, headers={"Content-Encoding": "gzip"})
    silent = knock(client, vera, "POST", "events/batch", bomb)

    assert (packed.status_code, silent.status_code) == (415, 422)


def test_broken_bodies_break_nothing(app: Flask, vera: Vera) -> None:
    chance = random.Random(7)
    whole = json.dumps({"events": [{"id": "e1", **body_of(registered(vera))}]}).encode()
    client = app.test_client()
    for _ in range(250):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        path = chance.choice(list(DOORS))
        assert knock(client, vera, "POST", path, bytes(body)).status_code in (200, 202, 409, 422)


def test_odd_addresses_are_strangers(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    for public_id in ("%00" * 20, "é" * 20, "a" * 5_000, "1 OR 1=1", "..%2f.."):
        assert ask(client, vera, "events", public_id=public_id).status_code in (401, 404)
    for event_id in ("%00", "a" * 5_000, "é"):
        assert ask(client, vera, f"events/{event_id}").status_code == 404


# --- on the wire


@pytest.fixture
def wire(sqlite_database: Database, make_app: Any, tmp_path: Path) -> Iterator[tuple[Flask, Vera, int]]:
    """The portal in a process of its own, and its port."""
    app = make_app(sqlite_database)
    vera = invite_vera(app, invite_cast(app))
    port = servers.free_port()
    settings = environment(sqlite_database, tmp_path / "instance", CANOPY_BIND=f"127.0.0.1:{port}")
    with running(settings, "gunicorn", "wsgi:app"):
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), seconds=30, what="the portal")
        yield app, vera, port


def on_the_wire(port: int, head: list[str], body: bytes) -> int:
    """The status that bytes written by hand are answered with; 0 where the line was cut."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        with contextlib.suppress(OSError):
            line.sendall("\r\n".join([*head, "Host: x", "Connection: close", "", ""]).encode() + body)
        try:
            start = line.recv(200).split(b" ")
        except OSError:
            return 0
    return int(start[1]) if len(start) > 1 else 0


def head_of(vera: Vera, path: str, body: bytes, *more: str) -> list[str]:
    then = now()
    return [
        f"POST /api/v1/vendors/{vera.public_id}/{path} HTTP/1.1",
        "Content-Type: application/json",
        "webhook-id: w1",
        f"webhook-timestamp: {then}",
        f"webhook-signature: {sign(vera.key.secret, 'w1', then, body)}",
        *more,
    ]


def chunks(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"


def test_what_only_a_socket_can_send(wire: tuple[Flask, Vera, int]) -> None:
    app, vera, port = wire
    body = json.dumps(body_of(registered(vera))).encode()
    length, chunked = f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"

    def post(*more: str, sent: bytes = body, path: str = "events") -> int:
        return on_the_wire(port, head_of(vera, path, body, *more), sent)

    doubled = {
        name: post(length, f"{name}: {value}")
        for name, value in (
            ("webhook-id", "w2"),
            ("webhook-timestamp", str(now() + 1)),
            ("webhook-signature", "v1,AAAA"),
            ("webhook-id", "w1"),
        )
    }
    assert set(doubled.values()) == {401}
    assert post("Content-Length: 5", length) == 400
    assert post(length, chunked, sent=chunks(body, 10)) in (400, 202)
    assert post(chunked, sent=b"zz\r\n" + body) in (0, 400)
    assert post(chunked, sent=chunks(b"x" * 200_000, 4_000)) in (0, 413)
    assert post(chunked, sent=chunks(b" " * (MOST_BATCH_BYTES + 5), 60_000), path="events/batch") in (0, 413)
    assert post("Content-Length: 999999999999") in (0, 413)
    assert kept(app) <= 1
    assert post(chunked, sent=chunks(body, 7)) in (200, 202)
    assert kept(app) == 1
