"""`python -m tools.bench.projection`: from a sale to the projection that counts it, by the real processes.

A relay and a warm worker on PostgreSQL and Redis; a sale and its fact are one transaction, as in the portal.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psycopg
from redis import Redis

from portal import create_app
from portal.commissions import projection
from portal.store.wake import wake
from tests import services
from tests.conftest import Database, environment
from tests.processes import running, wait_until
from tools.bench.live import SELL, made, opening
from tools.bench.networks import SHAPES

SALES: Final = 60
MOST_SECONDS: Final = 600.0
TELL = "INSERT INTO outbox (name, body, happened_at) VALUES ('sale.recorded', %s, now())"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    parser.add_argument("--shapes", default="random,chain")
    parser.add_argument("--pause", type=float, default=1.0, help="Seconds between two sales, at most.")
    chosen = parser.parse_args()
    unknown = [shape for shape in chosen.shapes.split(",") if shape not in SHAPES]
    if unknown:
        parser.error(f"there is no shape {unknown[0]}")
    rows = {shape: measure(chosen.members, shape, pause=chosen.pause) for shape in chosen.shapes.split(",")}
    sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    return 0


def measure(members: int, shape: str, *, pause: float) -> dict[str, Any]:
    """How long sales take to be in the projection, in milliseconds, and the first projection in seconds."""
    redis = services.require_redis()
    Redis.from_url(redis).flushdb()
    with made(members, shape) as (url, _), tempfile.TemporaryDirectory() as folder:
        settings = environment(Database("postgresql", url, url), Path(folder), REDIS_URL=redis)
        app = create_app(settings)
        with app.app_context(), psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("SET session_replication_role = replica")
            began = time.perf_counter()
            with running(settings, "jobs.relay"), running(settings, "jobs.worker", "recalculate"):
                wait_until(lambda: projection.read(1) is not None, seconds=MOST_SECONDS, what="a projection")
                first = time.perf_counter() - began
                waited = sorted(_sell_and_wait(connection, members, pause=pause))
    middle, most = waited[len(waited) // 2], waited[int(len(waited) * 0.95)]
    return {
        "first projection with the start of the processes, s": round(first, 2),
        "sale to projection, ms": {"p50": round(middle), "p95": round(most), "of": len(waited)},
    }


def _sell_and_wait(connection: psycopg.Connection, members: int, *, pause: float) -> list[float]:
    chance, waited, told = random.Random(3), [], dict[int, int]()
    for _ in range(SALES):
        seller, volume = chance.randrange(members) + 1, chance.randrange(100, 50_000)
        told[seller] = told.get(seller, 0) + volume
        wanted = opening(seller) + told[seller]
        name = f"{random.getrandbits(80):020x}"
        connection.execute(SELL, {"name": name, "seller": seller, "volume": volume})
        connection.execute(TELL, (json.dumps({"sale_id": 0, "consultant_id": seller, "volume": volume}),))
        connection.commit()
        began = time.perf_counter()
        wake()
        while (record := projection.read(seller)) is None or record.personal_volume < wanted:
            time.sleep(0.002)
        waited.append((time.perf_counter() - began) * 1000)
        time.sleep(chance.random() * pause)
    return waited


if __name__ == "__main__":
    sys.exit(main())
