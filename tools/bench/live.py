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
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from typing import Any, Final

import psycopg
from sqlalchemy import create_engine

from portal.live.reading import LiveLegs
from portal.store import engine_options
from tools.bench.filled import made, opening

READS: Final = 2_000
SQL_READS: Final = 7
SECONDS: Final = 8
BACKGROUND: Final = 2_000  # sales a second
WRITERS: Final = 4
PAUSE: Final = 0.005
TURNS: Final = 15
ROWS_A_TURN: Final = 400

SELL = """
    INSERT INTO sale (public_id, cycle_id, consultant_id, contract_id, terms_version_id, milestone, volume,
                      revenue_cents, occurred_at, recorded_at, cause)
    VALUES (%(name)s, 1, %(seller)s, 1, 1, 'activated', %(volume)s, 0, now(), now(), %(name)s)
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
            "plain insert / sale": _beside_a_plain_insert(url, members),
        }


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


def _beside_a_plain_insert(url: str, members: int) -> dict[str, float]:
    """The time for a row without number of a transaction and without guards, over that for a sale.

    Both tables begin empty with the same indexes; blocks of each take turns.
    """
    took: dict[str, list[float]] = {"plain_sale": [], "sale": []}
    chance = random.Random(4)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("TRUNCATE sale CASCADE")
        connection.execute("SET session_replication_role = origin")
        connection.execute("CREATE TABLE plain_sale (LIKE sale INCLUDING DEFAULTS INCLUDING INDEXES)")
        connection.execute("ALTER TABLE plain_sale DROP COLUMN txid")
        connection.execute("ALTER TABLE sale DISABLE TRIGGER ALL")
        for name in _guards_of(connection, "sale"):
            connection.execute(f'ALTER TABLE sale ENABLE TRIGGER "{name}"')
        for turn in range(2 * TURNS):
            table = ("sale", "plain_sale")[turn % 2]
            statement = SELL.replace("INTO sale", f"INTO {table}")
            began = time.perf_counter()
            for _ in range(ROWS_A_TURN):
                name, seller = f"{random.getrandbits(80):020x}", chance.randrange(members) + 1
                connection.execute(statement, {"name": name, "seller": seller, "volume": 100})
            took[table].append(time.perf_counter() - began)
    plain, sale = (statistics.median(took[table]) for table in ("plain_sale", "sale"))
    return {"ratio": round(plain / sale, 2), "ms a sale": round(sale / ROWS_A_TURN * 1000, 3)}


def _guards_of(connection: psycopg.Connection, table: str) -> list[str]:
    """The triggers that the house put on a table, without those that check foreign keys."""
    rows = connection.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", (table,)
    )
    return [name for (name,) in rows]


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
