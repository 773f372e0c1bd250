"""`python -m tools.bench.arrival`: how long a running company takes to move in, on both databases.

For each of so many people a consultant, a place, a past line, volume, carry and a held balance.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import func, make_url, select

from portal import create_app
from portal.arrival import Faults, Files, bring_in, known_here, read_files
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.ledger.audit import broken_invariants
from portal.models import Consultant, Release
from portal.store import perform
from portal.store.rows import learn_sizes
from tests import services
from tests.conftest import Database, environment, migrate
from tools.bench.networks import SHAPES

ZONE = ZoneInfo("America/Denver")
NAME = "canopy_arrival"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    parser.add_argument("--shape", default="random", choices=sorted(SHAPES))
    parser.add_argument("--engines", default="postgresql,sqlite")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        write_company(files, members=chosen.members, shape=chosen.shape)
        found = {engine: _measured_apart(engine, files, Path(folder)) for engine in chosen.engines.split(",")}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0 if all(each["books"] == "in order" for each in found.values()) else 1


def write_company(folder: Path, *, members: int, shape: str) -> None:
    """The files of a company of so many, all of whom earned 1.00 in the last week and wait for it."""
    folder.mkdir()
    parent, leg, _ = SHAPES[shape](members)
    codes = [f"M{at}" for at in range(members)]
    above = ["" if up < 0 else codes[up] for up in parent.tolist()]
    sides = ["" if not up else "LR"[side] for up, side in zip(above, leg.tolist(), strict=True)]
    rest = ("US", "pack", "active")
    people = (
        (code, f"Member {code}", f"{code}@example.com", *rest, up, "2024-01-01")
        for code, up in zip(codes, above, strict=True)
    )
    _write(folder, "consultants", "code name email country pack status sponsor joined_at", people)
    places = zip(codes, above, sides, ["2024-01-01"] * members, strict=True)
    _write(folder, "placements", "code parent leg since", places)
    _write(folder, "cycles", "name start until", [("2026-W45", "2026-11-02", "2026-11-09")])
    lines = (("2026-W45", code, "retail", "1.00", "20.00") for code in codes)
    _write(folder, "lines", "cycle code kind amount base", lines)
    _write(folder, "volumes", "cycle code volume", (("2026-W45", code, "20.00") for code in codes))
    _write(folder, "carry", "code left right", ((code, "12.50", "3.00") for code in codes))
    balances = ((code, "pending", "1.00", "2026-11-23") for code in codes)
    _write(folder, "balances", "code kind amount due_on", balances)


def measure(engine: str, files: Path, home: Path) -> dict[str, Any]:
    """Seconds of each step, and the peak of this process."""
    with _database(engine, home) as database, create_app(environment(database, home / engine)).app_context():
        times, busy, faults = [time.perf_counter()], [time.process_time()], Faults()
        found = Files.in_folder(files)
        known = known_here(db.session(), zone=ZONE, now=utc_now())
        db.session.rollback()
        arrival = read_files(found, known, faults)
        times.append(time.perf_counter())
        busy.append(time.process_time())
        assert not faults.count, faults.shown()
        perform(lambda uow: bring_in(uow, arrival, zone=ZONE, actor_id=None).cycle)
        learn_sizes(database.owner_url)
        times.append(time.perf_counter())
        busy.append(time.process_time())
        broken = broken_invariants(db.session())
        times.append(time.perf_counter())
        counts = [db.session.scalar(select(func.count()).select_from(each)) for each in (Consultant, Release)]
        db.session.remove()
        db.engine.dispose()
    return {
        "read and checked, s": round(times[1] - times[0], 1),
        "written, s": round(times[2] - times[1], 1),
        "books looked at, s": round(times[3] - times[2], 1),
        "read and written, CPU s of this process": [round(busy[at + 1] - busy[at], 1) for at in (0, 1)],
        "consultants, holds": counts,
        "books": str(broken[0]) if broken else "in order",
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "load": round(os.getloadavg()[0], 1),
    }


def _measured_apart(engine: str, files: Path, home: Path) -> dict[str, Any]:
    """The same in a process of its own, so that peaks do not mix."""
    out, inward = os.pipe()
    child = os.fork()
    if not child:
        with os.fdopen(inward, "w") as answer:
            answer.write(json.dumps(measure(engine, files, home)))
        os._exit(0)
    os.close(inward)
    with os.fdopen(out) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    os.waitpid(child, 0)
    return found


@contextmanager
def _database(engine: str, home: Path) -> Iterator[Database]:
    if engine == "sqlite":
        url = f"sqlite:///{home / 'arrival.sqlite'}"
        migrate(Database("sqlite", url, url), home)
        yield Database("sqlite", url, url)
        return
    server = services.require_postgres()
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {NAME}")
        url = make_url(server).set(database=NAME).render_as_string(hide_password=False)
        migrate(Database("postgresql", url, url), home)
        yield Database("postgresql", url, url)
        connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def _write(folder: Path, name: str, heads: str, rows: Any) -> None:
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(heads.split())
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
