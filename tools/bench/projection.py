"""`python -m tools.bench.projection`: from a sale to the projection that counts it, by the real processes.

A relay and a warm worker on PostgreSQL and Redis; with `--sqlite` one process with both as threads, as in the
embedded default. A sale and its fact are one transaction, as in the portal.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from redis import Redis
from sqlalchemy import Connection, create_engine, text

from jobs import embedded
from portal import create_app, live
from portal.commissions import projection
from portal.engine import calculate
from portal.store.wake import wake
from tests import services
from tests.conftest import Database, environment
from tests.processes import running, wait_until
from tools.bench.filled import made, made_on_sqlite, opening
from tools.bench.networks import SHAPES, inputs

SALES: Final = 60
LOOK_SECONDS: Final = 0.01  # more often, and looking itself would take a processor from the work
MOST_SECONDS: Final = 600.0
UNCHECKED: Final = {
    "sqlite": "PRAGMA foreign_keys = 0",
    "postgresql": "SET session_replication_role = replica",
}
SELL: Final = text("""
    INSERT INTO sale (public_id, cycle_id, consultant_id, contract_id, terms_version_id, milestone, volume,
                      revenue_cents, occurred_at, recorded_at, cause)
    VALUES (:name, 1, :seller, 1, 1, 'activated', :volume, 0, :now, :now, :name)
""")
TELL: Final = text("INSERT INTO outbox (name, body, happened_at) VALUES ('sale.recorded', :body, :now)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    parser.add_argument("--shapes", default="random,chain")
    parser.add_argument("--pause", type=float, default=1.0, help="Seconds between two sales, at most.")
    parser.add_argument("--sqlite", action="store_true", help="One process on SQLite.")
    parser.add_argument("--alone", action="store_true", help="Compute and publish once, without a database.")
    chosen = parser.parse_args()
    unknown = [shape for shape in chosen.shapes.split(",") if shape not in SHAPES]
    if unknown:
        parser.error(f"there is no shape {unknown[0]}")
    measure = alone if chosen.alone else on_sqlite if chosen.sqlite else on_postgresql
    rows = {shape: measure(chosen.members, shape, chosen.pause) for shape in chosen.shapes.split(",")}
    sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    return 0


def on_postgresql(members: int, shape: str, pause: float) -> dict[str, Any]:
    """Figures of the processes as they run in production."""
    redis = services.require_redis()
    Redis.from_url(redis).flushdb()
    with made(members, shape) as (url, _), tempfile.TemporaryDirectory() as folder:
        settings = environment(Database("postgresql", url, url), Path(folder), REDIS_URL=redis)
        with running(settings, "jobs.relay"), running(settings, "jobs.worker", "recalculate") as worker:
            found = _figures(settings, url, members, pause, lambda _: None)
            return found | {"peak of the worker, MiB": _peak(worker.pid)}


def on_sqlite(members: int, shape: str, pause: float) -> dict[str, Any]:
    """Figures of the one process of the embedded default."""
    with tempfile.TemporaryDirectory() as folder:
        url = made_on_sqlite(members, shape, Path(folder))
        settings = environment(Database("sqlite", url, url), Path(folder), REDIS_URL="")
        return _figures(settings, url, members, pause, embedded.start)


def alone(members: int, shape: str, _pause: float) -> dict[str, Any]:
    """What the worker does once it has read all: compute every kind of pay, and publish it in Redis."""
    url = services.require_redis()
    redis = Redis.from_url(url)
    redis.flushdb()
    with tempfile.TemporaryDirectory() as folder:
        settings = environment(
            Database("sqlite", f"sqlite:///{folder}/none", ""), Path(folder), REDIS_URL=url
        )
        with create_app(settings).app_context():
            times, given = [time.perf_counter()], inputs(members, shape)
            times.append(time.perf_counter())
            result = calculate(given)
            times.append(time.perf_counter())
            projection.publish(result, np.arange(members), cycle_id=1, now=datetime.now(UTC))
            times.append(time.perf_counter())
    used: Any = redis.info("memory")
    redis.flushdb()
    return {
        "computed, s": round(times[2] - times[1], 1),
        "published, s": round(times[3] - times[2], 1),
        "peak of this process, MiB": _peak(os.getpid()),
        "one version in Redis, MiB": int(used["used_memory"]) >> 20,
    }


def _figures(
    settings: dict[str, str], url: str, members: int, pause: float, start: Callable[[Any], object]
) -> dict[str, Any]:
    app = create_app(settings)
    with app.app_context(), create_engine(url).connect() as connection:
        # Past the engine: SQLite does not hear this within a transaction.
        connection.connection.cursor().execute(UNCHECKED[connection.dialect.name])
        connection.connection.commit()
        live.legs([1])
        began = time.perf_counter()
        start(app)
        wait_until(lambda: projection.read(1) is not None, seconds=MOST_SECONDS, what="a projection")
        first = time.perf_counter() - began
        waited = _sell_and_wait(connection, members, pause=pause)
    return {
        "first projection, s": round(first, 2),
        "sale to exact legs, ms": _percentiles([legs for legs, _ in waited]),
        "sale to projection, ms": _percentiles([projected for _, projected in waited]),
    }


def _peak(pid: int) -> int:
    """The most memory that a process ever had, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def _sell_and_wait(connection: Connection, members: int, *, pause: float) -> list[tuple[float, float]]:
    """For each sale the milliseconds to exact legs of the root here, and to the projection."""
    chance, told = random.Random(3), dict[int, int]()
    waited, sold = [], 0
    figures = live.legs([1]).legs[0]
    assert figures is not None, "the root stands in the tree"
    before = figures.left + figures.right
    for _ in range(SALES):
        seller, volume = chance.randrange(1, members) + 1, chance.randrange(100, 50_000)
        told[seller], sold = told.get(seller, 0) + volume, sold + volume
        row = {"name": f"{random.getrandbits(80):020x}", "seller": seller, "volume": volume}
        now = datetime.now(UTC).replace(tzinfo=None)
        connection.execute(SELL, {**row, "now": now})
        connection.execute(TELL, {"body": json.dumps(row), "now": now})
        connection.commit()
        began = time.perf_counter()
        wake()
        figures = live.legs([1]).legs[0]
        legs = time.perf_counter() - began
        assert figures is not None and figures.left + figures.right == before + sold, "seen at the first look"
        while (record := projection.read(seller)) is None or _is_older(record, seller, told):
            time.sleep(LOOK_SECONDS)
        waited.append((legs * 1000, (time.perf_counter() - began) * 1000))
        time.sleep(chance.random() * pause)
    return waited


def _is_older(record: projection.Projected, seller: int, told: dict[int, int]) -> bool:
    return record.personal_volume < opening(seller) + told[seller]


def _percentiles(waited: list[float]) -> dict[str, float]:
    ordered = sorted(waited)
    middle, most = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return {"p50": round(middle, 1), "p95": round(most, 1), "of": len(ordered)}


if __name__ == "__main__":
    sys.exit(main())
