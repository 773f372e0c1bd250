"""`python -m tools.bench.close`: a close on a real PostgreSQL, from the request to credited wallets.

Beside it: what a sale waits meanwhile, and with `--orm` the same work done with an object for each row.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from flask import Flask
from sqlalchemy import func, make_url, select, text

from jobs import books
from jobs import commissions as jobs
from portal import create_app
from portal.commissions import cycles
from portal.commissions import undo as undoing
from portal.commissions.closing import CLOSE_STEPS
from portal.extensions import db
from portal.models import Account, Cycle, Entry, Release, Run
from portal.store import perform
from tests import servers, services
from tests.conftest import Database, migrate
from tools.bench import filling, orm_way

ZONE: Final = ZoneInfo("America/Denver")
SALES_A_SECOND: Final = 50
MILLION: Final = 1_000_000
# What docs/cycles.md asks of whoever runs a database; nothing that keeps data safe is off.
ALWAYS: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}
DATABASE: Final = f"canopy_close_{os.getpid()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    parser.add_argument("--sales", type=int, default=1_000_000)
    parser.add_argument("--shape", default="random")
    parser.add_argument("--orm", action="store_true", help="also with an object for each row")
    parser.add_argument("--undo", action="store_true", help="undo the close as well")
    parser.add_argument("--quick", action="store_true", help="on the server of the tests: in memory, unsafe")
    chosen = parser.parse_args()
    if not chosen.quick and "TEST_DATABASE_URL" not in os.environ:
        os.environ["TEST_DATABASE_URL"] = _safe_server(chosen.members)
    with made(chosen.members, chosen.sales, chosen.shape) as url, tempfile.TemporaryDirectory() as folder:
        app = application(url, Path(folder))
        with app.app_context():
            row = measure(url, orm=chosen.orm, undo=chosen.undo)
    servers.end_own()
    about = {**vars(chosen), "settings": None if chosen.quick else advised(chosen.members)}
    sys.stdout.write(json.dumps({**about, "load": os.getloadavg()[0], **row}, indent=1) + "\n")
    return 0


def advised(members: int) -> dict[str, str]:
    """How docs/cycles.md asks that the database of so many members is set."""
    millions = max(1, -(-members // MILLION))
    sizes = {"shared_buffers": f"{millions + 1}GB", "max_wal_size": f"{max(8, 5 * millions)}GB"}
    return sizes | {"checkpoint_timeout": "15min" if millions == 1 else "30min"} | ALWAYS


def _safe_server(members: int) -> str:
    """A server as it should be run, on disk; its address."""
    server = services.new_postgres(place=tempfile.gettempdir(), **advised(members))
    server.start()
    return server.url


@contextmanager
def made(members: int, sales: int, shape: str) -> Iterator[str]:
    """A migrated database with a company of this size and one open cycle; its address."""
    server = services.require_postgres()
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    url = make_url(server).set(database=DATABASE).render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory() as folder:
        migrate(Database("postgresql", url, url), Path(folder))
    filling.fill(url, members, sales, shape)
    yield url
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def application(url: str, folder: Path) -> Flask:
    settings = {"CANOPY_ENV": "development", "SECRET_KEY": "only for this measurement, nothing is kept"}
    return create_app({**settings, "DATABASE_URL": url, "CANOPY_INSTANCE": str(folder)})


def measure(url: str, *, orm: bool, undo: bool) -> dict[str, Any]:
    """Preview, two approvals, close; seconds on the wall, and of our and the database's processors."""
    cycle_id = db.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
    admins = filling.admins()
    calm = _sale_waits(url, lambda: time.sleep(5))
    ended = _timed(lambda: perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True)))
    previewed = _timed(lambda: jobs.preview(cycle_id))
    run_id = db.session.get_one(Cycle, cycle_id).preview_run_id or 0
    for admin in admins:
        perform(partial(cycles.approve, cycle_id=cycle_id, run_id=run_id, actor_id=admin))
    found: dict[str, Any] = {"end": ended, "preview": previewed}
    busy = _sale_waits(url, lambda: found.update({"close": _timed(lambda: _close(cycle_id, admins[0]))}))
    found["books after"] = _timed(books.check)
    run = db.session.get_one(Run, db.session.get_one(Cycle, cycle_id).close_run_id)
    found["steps, ms"] = run.stages
    found["rows"] = _rows(run)
    found["a sale waits, ms"] = {"before": calm, "during the close": busy}
    if orm:
        found["with objects"] = orm_way.measure(run.id, _timed)
        ours, theirs = found["close"]["seconds"], found["with objects"]["all"]["seconds"]
        found["objects / close"] = _ratio(theirs, ours)
    if undo:
        found["undo"] = _timed(lambda: _undo(cycle_id, admins[0]))
    found["peak of this process, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


def _close(cycle_id: int, actor_id: int) -> None:
    """What the button and its job do until wallets are credited: ask, look at the books, take the steps."""
    perform(partial(cycles.request_close, cycle_id=cycle_id, actor_id=actor_id))
    assert not books.check(), "the books are in order"
    for step in CLOSE_STEPS:
        perform(partial(step, cycle_id=cycle_id, zone=ZONE))


def _undo(cycle_id: int, actor_id: int) -> None:
    perform(partial(undoing.request_undo, cycle_id=cycle_id, actor_id=actor_id, reason="Measured."))
    jobs.undo(cycle_id)


def _rows(run: Run) -> dict[str, int]:
    pending = (Account.purpose == "pending", Account.balance > 0)
    questions: dict[str, Any] = {
        "lines": text("SELECT count(*) FROM commission_line WHERE run_id = :run").bindparams(run=run.id),
        "entries": select(func.count()).select_from(Entry),
        "holds": select(func.count()).select_from(Release),
        "wallets credited": select(func.count()).select_from(Account).where(*pending),
    }
    return {name: int(db.session.execute(question).scalar_one()) for name, question in questions.items()}


def _timed(work: Callable[[], object]) -> dict[str, float]:
    before = time.perf_counter(), time.process_time(), _server_seconds()
    work()
    after = time.perf_counter(), time.process_time(), _server_seconds()
    names = ("seconds", "our processor", "the database's processor")
    return {name: _short(late - early) for name, early, late in zip(names, before, after, strict=True)}


def _server_seconds() -> float:
    """What the processes of the database have used of the processors so far."""
    with db.engine.connect() as connection:
        pids = connection.execute(text("SELECT pid FROM pg_stat_activity")).scalars().all()
    ticks = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(numbers[11]) + int(numbers[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _sale_waits(url: str, work: Callable[[], object]) -> dict[str, float]:
    """How long sales wait, fifty a second, while something is done."""
    stop = multiprocessing.Event()
    waits: Any = multiprocessing.Queue()
    seller = multiprocessing.Process(daemon=True, target=_sell, args=(url, stop, waits))
    seller.start()
    try:
        work()
    finally:
        stop.set()
    waited = sorted(waits.get())
    seller.join()
    return {
        "p50": _short(waited[len(waited) // 2] * 1000),
        "p99": _short(waited[int(len(waited) * 0.99)] * 1000),
        "longest": _short(waited[-1] * 1000),
        "of": len(waited),
    }


def _sell(url: str, stop: Any, waits: Any) -> None:
    """Each sale as the portal records it: shared gate, the open cycle, one row, one fact; a commit."""
    waited, number = [], 0
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        while not stop.is_set():
            number += 1
            began = time.perf_counter()
            filling.sell(connection, f"while-{os.getpid()}-{number}")
            connection.commit()
            waited.append(time.perf_counter() - began)
            time.sleep(1 / SALES_A_SECOND)
    waits.put(waited)


def _short(number: float) -> float:
    return float(f"{number:.3g}") if abs(number) < 100 else float(int(number))


def _ratio(one: float, other: float) -> float:
    return _short(one / other)


if __name__ == "__main__":
    sys.exit(main())
