"""`python -m tools.bench.live`: the live legs on a real PostgreSQL with real processes, as ratios.

For each shape: a database of its own with so many members and open sales; readers and writers are processes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg
from sqlalchemy import create_engine, make_url

from portal.commissions.plans import SHIPPED
from portal.engine.order import in_order
from portal.live.reading import LiveLegs
from portal.store import engine_options
from tests import services
from tests.conftest import Database, migrate
from tools.bench.networks import SHAPES

READS: Final = 2_000
SQL_READS: Final = 7
SECONDS: Final = 8
BACKGROUND: Final = 2_000  # sales a second
WRITERS: Final = 4
PAUSE: Final = 0.005

PACKS: Final = ("pack", "plus", "smart")

SELL = """
    INSERT INTO sale (public_id, cycle_id, consultant_id, contract_id, milestone, volume, revenue_cents,
                      occurred_at, recorded_at, cause)
    VALUES (%(name)s, 1, %(seller)s, 1, 'activated', %(volume)s, 0, now(), now(), %(name)s)
"""
LEG_IN_SQL = """
    SELECT sum(s.volume) FROM sale s JOIN bench_seat b ON b.consultant_id = s.consultant_id
     WHERE s.cycle_id = 1 AND b.seat > %s AND b.seat < %s
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    parser.add_argument("--shapes", default="random,chain")
    chosen = parser.parse_args()
    rows = {shape: measure(chosen.members, shape) for shape in chosen.shapes.split(",")}
    sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    return 0


def measure(members: int, shape: str) -> dict[str, Any]:
    """All figures of one shape; seconds unless the name says otherwise."""
    with made(members, shape) as (url, seats):
        return {
            **_reads(url, seats),
            "commit to exact legs elsewhere, ms": _visible(url, members, background=0),
            f"the same at {BACKGROUND:,} sales a second, ms": _visible(url, members, background=BACKGROUND),
            "sales a second without and with a reader": _writes(url, members),
        }


@contextmanager
def made(members: int, shape: str) -> Iterator[tuple[str, Any]]:
    """A migrated database with a network of the shape and one open sale for each member; its address."""
    server = services.require_postgres()
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS canopy_live WITH (FORCE)")
        connection.execute("CREATE DATABASE canopy_live")
    url = make_url(server).set(database="canopy_live").render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory() as folder:
        migrate(Database("postgresql", url, url), Path(folder))
    parent, leg, _ = SHAPES[shape](members)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        _fill(connection, parent, leg)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    yield url, in_order(parent, leg.astype(np.int8))
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP DATABASE canopy_live WITH (FORCE)")


def _fill(connection: psycopg.Connection, parent: Any, leg: Any) -> None:
    count = len(parent)
    # Only the tree and its sales are measured; what they refer to is not written, so nothing may check it.
    connection.execute("SET session_replication_role = replica")
    connection.execute(
        "INSERT INTO plan_version (id, name, document, sha256, valid_from, created_at)"
        " VALUES (1, 'bench', %s, '', now(), now())",
        (json.dumps(SHIPPED),),
    )
    connection.execute(
        "INSERT INTO cycle (id, name, starts_at, until, state, plan_version_id)"
        " VALUES (1, 'bench', now(), now() + interval '7 days', 'open', 1)"
    )
    connection.execute(
        "INSERT INTO pack (code, name, summary, price_cents, monthly_cents, position, features)"
        " SELECT code, code, '', 0, 0, 0, '{}' FROM unnest(%s::text[]) code",
        (list(PACKS),),
    )
    above = ["\\N" if up < 0 else str(up + 1) for up in parent.tolist()]
    sides = ["\\N" if up < 0 else "LR"[side] for up, side in zip(parent.tolist(), leg.tolist(), strict=True)]
    lines = (f"{i + 1}\t{above[i]}\t{sides[i]}\tnow\n" for i in range(count))
    _copy(connection, "placement (consultant_id, parent_id, leg, valid_from)", lines)
    lines = (
        f"{i + 1}\tc{i}\tc{i}\t{i + 1}\t{above[i]}\t{PACKS[i % 3]}\tactive\tweaker\tnow\n"
        for i in range(count)
    )
    columns = "id, public_id, code, person_id, sponsor_id, pack, status, preference, joined_at"
    _copy(connection, f"consultant ({columns})", lines)
    connection.execute(
        "INSERT INTO sale (public_id, cycle_id, consultant_id, contract_id, milestone, volume, revenue_cents,"
        " occurred_at, recorded_at, cause)"
        " SELECT 's' || n, 1, n, 1, 'activated', 100 + n %% 50000, 0, now(), now(), 's' || n"
        " FROM generate_series(1, %s) n",
        (count,),
    )
    order = in_order(parent, leg.astype(np.int8))
    connection.execute("CREATE TABLE bench_seat (consultant_id bigint PRIMARY KEY, seat bigint)")
    lines = (f"{i + 1}\t{seat}\n" for i, seat in enumerate(order.seat.tolist()))
    _copy(connection, "bench_seat (consultant_id, seat)", lines)
    connection.execute("CREATE INDEX ON bench_seat (seat)")


def opening(consultant_id: int) -> int:
    """What a member had sold before anything was measured, in hundredths."""
    return 100 + consultant_id % 50_000


def _copy(connection: psycopg.Connection, target: str, lines: Iterator[str]) -> None:
    with connection.cursor().copy(f"COPY {target} FROM STDIN") as copy:
        while some := "".join(islice(lines, 100_000)):
            copy.write(some)


def _reads(url: str, order: Any) -> dict[str, Any]:
    """Start, memory, and reads of the root and of anybody, beside the same leg summed by the database."""
    engine = create_engine(url, **engine_options(url))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    live = LiveLegs(engine)
    root = live.legs([1]).legs[0]
    start = time.perf_counter() - began
    chance, members = random.Random(1), len(order.seat)
    own = _milliseconds(lambda: live.legs([1]), READS)
    anybody = _milliseconds(lambda: live.legs([chance.randrange(members) + 1]), READS)
    seat, lo, hi = (int(column[0]) for column in order)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        in_sql = _milliseconds(
            lambda: [connection.execute(LEG_IN_SQL, leg).fetchone() for leg in ((lo, seat), (seat, hi))],
            SQL_READS,
        )
        left = connection.execute(LEG_IN_SQL, (lo, seat)).fetchone()
    assert root is not None and left is not None and root.left == int(left[0] or 0), "both come to the same"
    engine.dispose()
    return {
        "start": round(start, 3),
        "index, MiB": round(live.nbytes / 2**20, 1),
        "growth of the process, MiB": round(
            (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        ),
        "read of the root, ms": own,
        "read of anybody, ms": anybody,
        "the root's legs summed in SQL, ms": in_sql,
        "SQL / live": round(in_sql["p50"] / own["p50"], 1),
    }


def _visible(url: str, members: int, *, background: int) -> dict[str, float]:
    """From a commit in one process to exact legs of the root in another."""
    here, there = multiprocessing.Pipe()
    stop = multiprocessing.Event()
    others = [
        multiprocessing.Process(
            daemon=True, target=_keep_selling, args=(url, members, background / WRITERS, number, stop)
        )
        for number in range(WRITERS if background else 0)
    ]
    writer = multiprocessing.Process(daemon=True, target=_tell_each_sale, args=(url, members, there))
    engine = create_engine(url, **engine_options(url))
    live = LiveLegs(engine)
    live.legs([1])
    for process in (*others, writer):
        process.start()
    waited, told = [], dict[int, int]()
    while (message := here.recv()) is not None:
        seller, volume, committed = message
        live.legs([1])
        waited.append(time.monotonic() - committed)
        told[seller] = told.get(seller, 0) + volume
        assert live.volume_of(seller) >= opening(seller) + told[seller], "seen at the first look"
    stop.set()
    for process in (*others, writer):
        process.join()
    engine.dispose()
    return _percentiles(waited)


def _writes(url: str, members: int) -> dict[str, Any]:
    """Writers at full speed, alone and with a process that reads the root a hundred times a second."""
    found: dict[str, Any] = {}
    for name, reads in (("without", False), ("with", True)):
        stop = multiprocessing.Event()
        counts: Any = multiprocessing.Queue()
        reader = multiprocessing.Process(daemon=True, target=_keep_reading, args=(url, stop))
        writers = [
            multiprocessing.Process(
                daemon=True, target=_sell_fast, args=(url, members, f"{name}{number}", counts)
            )
            for number in range(WRITERS)
        ]
        for process in ([reader] if reads else []) + writers:
            process.start()
        found[name] = round(sum(counts.get() for _ in writers) / SECONDS)
        stop.set()
        for process in ([reader] if reads else []) + writers:
            process.join()
    return found | {"with / without": round(found["with"] / found["without"], 2)}


def _tell_each_sale(url: str, members: int, pipe: Pipe) -> None:
    chance = random.Random(9)
    with _writing(url) as connection:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            seller, volume = chance.randrange(1, members) + 1, chance.randrange(100, 50_000)
            _sell(connection, seller, volume)
            pipe.send((seller, volume, time.monotonic()))
            time.sleep(PAUSE)
    pipe.send(None)


def _keep_selling(url: str, members: int, rate: float, number: int, stop: Any) -> None:
    chance, at = random.Random(number), time.monotonic()
    with _writing(url) as connection:
        while not stop.is_set():
            at += 1 / rate
            time.sleep(max(0.0, at - time.monotonic()))
            _sell(connection, chance.randrange(members) + 1, chance.randrange(100, 50_000))


def _sell_fast(url: str, members: int, name: str, counts: Any) -> None:
    chance, count, until = random.Random(name), 0, time.monotonic() + SECONDS
    with _writing(url) as connection:
        while time.monotonic() < until:
            _sell(connection, chance.randrange(members) + 1, chance.randrange(100, 50_000))
            count += 1
    counts.put(count)


def _keep_reading(url: str, stop: Any) -> None:
    live = LiveLegs(create_engine(url, **engine_options(url)))
    while not stop.is_set():
        live.legs([1])
        time.sleep(0.01)


@contextmanager
def _writing(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def _sell(connection: psycopg.Connection, seller: int, volume: int) -> None:
    name = f"{random.getrandbits(80):020x}"
    connection.execute(SELL, {"name": name, "seller": seller, "volume": volume})


def _milliseconds(act: Callable[[], object], times: int) -> dict[str, float]:
    waited = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        waited.append(time.perf_counter() - began)
    return _percentiles(waited)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50": round(statistics.median(ordered) * 1000, 3),
        "p99": round(ordered[int(len(ordered) * 0.99)] * 1000, 3),
        "of": len(ordered),
    }


if __name__ == "__main__":
    sys.exit(main())
