"""`python -m tools.bench.vendor_api`: how many signed events a second the portal takes, and works off.

A PostgreSQL that keeps what it confirms (fsync), a Redis, and gunicorn with two processes, all on this
machine beside the sender. The bodies are signed before the clock runs. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import urllib3
from flask import Flask
from sqlalchemy import func, select

from jobs import inbox
from portal import create_app
from portal.extensions import db
from portal.gateways.vendor_signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from portal.kernel.clock import utc_now
from portal.models import Inbox
from tests import servers, services
from tests.people import invite_cast
from tests.vendors import Vera, invite_vera
from tools.soak.stage import Stage, own_servers, staged

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Letter:
    """A signed request, ready to be sent."""

    path: str
    body: bytes
    headers: Mapping[str, str]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools.bench.vendor_api", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="in batches")
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--single", type=int, default=4_000, help="one by one")
    parser.add_argument(
        "--worked", type=int, default=2_000, help="events worked off by one worker, and again by two"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--connections", type=int, default=4)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    servers.end_leftovers()
    try:
        with _house(chosen.processes) as stage:
            print(json.dumps(_measured(stage, chosen), indent=2))
    finally:
        servers.end_own()
    return 0


@contextmanager
def _house(processes: int) -> Iterator[Stage]:
    """The portal as in production, on servers of its own."""
    database = services.new_postgres(**DURABLE)
    database.start("postgres-bench")
    os.environ["TEST_DATABASE_URL"] = database.url
    with tempfile.TemporaryDirectory() as folder:
        assert database.process is not None, "it was started"
        more = {"WEB_CONCURRENCY": str(processes), "BENCH_POSTGRES": str(database.process.pid)}
        environment = own_servers(Path(folder), **more)
        with staged(environment, Path(folder)) as stage:
            yield stage


def _measured(stage: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    app = create_app({**os.environ, **stage.environment})
    vera = invite_vera(app, invite_cast(app))
    batches = [
        _letter(vera, "events/batch", f"b{start}", {"events": _events(vera, start, chosen.batch)})
        for start in range(0, chosen.events, chosen.batch)
    ]
    single = [
        _letter(vera, "events", event.pop("id"), event)
        for event in _events(vera, chosen.events, chosen.single)
    ]
    load = os.getloadavg()[0]
    found = {
        "load before": round(load, 2),
        "cores": os.cpu_count(),
        "web processes": chosen.processes,
        "batches": {
            "events in a batch": chosen.batch,
            "bytes in a batch": len(batches[0].body),
            **_sent(stage, vera, batches, events=chosen.batch, connections=chosen.connections),
        },
        "one by one": _sent(stage, vera, single, events=1, connections=16),
    }
    found |= {
        f"worked off by {workers}": _worked_off(app, chosen.worked, workers=workers) for workers in (1, 2)
    }
    return found


def _events(vera: Vera, start: int, count: int) -> list[dict[str, Any]]:
    then = (utc_now() - timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
    return [
        {
            "id": f"signed-K-{number}",
            "type": "service.activated",
            "occurred_at": then,
            "consultant_code": vera.ben,
            "customer": {
                "ref": f"C-{number}",
                "name": f"Customer {number}",
                "email": f"c{number}@example.com",
                "state": "CA",
            },
            "contract": {"ref": f"K-{number}", "service": "solar", "size": "8.40", "signed_on": "2026-10-02"},
        }
        for number in range(start, start + count)
    ]


def _letter(vera: Vera, path: str, message_id: str, document: Any) -> Letter:
    body = json.dumps(document, separators=(",", ":")).encode()
    now = int(utc_now().timestamp())
    headers = {
        "content-type": "application/json",
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(now),
        SIGNATURE_HEADER: sign(vera.key.secret, message_id, now, body),
    }
    return Letter(f"/api/v1/vendors/{vera.public_id}/{path}", body, headers)


def _sent(
    stage: Stage, vera: Vera, letters: Sequence[Letter], *, events: int, connections: int
) -> dict[str, Any]:
    """Send everything, and count what was stored; times in seconds."""
    pool = urllib3.PoolManager(maxsize=connections, block=True, timeout=60, retries=False)
    before, began = _cpu(stage), time.monotonic()
    with ThreadPoolExecutor(connections) as threads:
        answers = list(threads.map(lambda letter: _post(pool, stage, letter), letters))
    seconds = time.monotonic() - began
    used = {name: round(value - before[name], 2) for name, value in _cpu(stage).items()}
    waits = sorted(answer[1] for answer in answers)
    stored = sum(answer[0] for answer in answers)
    assert stored == events * len(letters), f"only {stored} of {events * len(letters)} were stored"
    return {
        "events": stored,
        "seconds": round(seconds, 2),
        "events a second": round(stored / seconds),
        "median answer in ms": round(1000 * waits[len(waits) // 2], 1),
        "slowest answer in ms": round(1000 * waits[-1], 1),
        "CPU seconds": used,
        "CPU ms for 1,000 events": {name: round(1e6 * value / stored) for name, value in used.items()},
    }


def _post(pool: urllib3.PoolManager, stage: Stage, letter: Letter) -> tuple[int, float]:
    """How many events were stored, and after how long the answer came."""
    began = time.monotonic()
    answer = pool.request("POST", stage.address + letter.path, body=letter.body, headers=letter.headers)
    document = answer.json()
    if answer.status not in (200, 202):
        raise RuntimeError(f"{answer.status}: {document}")
    stored = document["counts"]["stored"] if "counts" in document else 1
    return stored, time.monotonic() - began


def _cpu(stage: Stage) -> dict[str, float]:
    """CPU seconds so far of our web processes, of our database with its connections, and of the sender."""
    groups = {"web": stage.running["web"].pid, "PostgreSQL": int(stage.environment["BENCH_POSTGRES"])}
    sums = {**dict.fromkeys(groups, 0.0), "sender": sum(os.times()[:2])}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            numbers = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        for name, leader in groups.items():
            # A connection of PostgreSQL is a child of the server, in a group of its own.
            if str(leader) in (place.name, numbers[1], numbers[2]):
                sums[name] += (int(numbers[11]) + int(numbers[12])) / TICK
    return sums


def _worked_off(app: Flask, count: int, *, workers: int) -> dict[str, Any]:
    """How fast so many worker processes let stored events take effect, each its part of `count`."""
    before, began = _done(app), time.monotonic()
    children = [_worker(app, count // workers) for _ in range(workers)]
    used = [os.wait4(child, 0)[2] for child in children]
    seconds, handled = time.monotonic() - began, _done(app) - before
    spent = sum(each.ru_utime + each.ru_stime for each in used)
    return {
        "events": handled,
        "seconds": round(seconds, 2),
        "events a second": round(handled / seconds, 1),
        "CPU ms of the workers for an event": round(1000 * spent / handled, 2),
        "load": round(os.getloadavg()[0], 2),
    }


def _worker(app: Flask, most: int) -> int:
    """A process that drains the inbox as a worker does; its number."""
    child = os.fork()
    if child == 0:
        try:
            with app.app_context():
                db.engine.dispose(close=False)
                inbox.drain(most=most)
        finally:
            os._exit(0)
    return child


def _done(app: Flask) -> int:
    with app.app_context():
        db.session.rollback()
        number = db.session.scalar(select(func.count(Inbox.id)).where(Inbox.state == "done"))
        db.session.remove()
    return int(number or 0)


if __name__ == "__main__":
    sys.exit(main())
