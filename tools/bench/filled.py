"""A database of our own with a network of some shape and one open sale for each member, for what is measured.

What the tree and its sales refer to is not written, so foreign keys are not checked while it is filled.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg
from sqlalchemy import make_url

from portal.commissions.plans.versions import SHIPPED
from portal.engine.order import in_order
from tests import services
from tests.conftest import Database, migrate
from tools.bench.networks import SHAPES

PACKS: Final = ("pack", "plus", "smart")
ROWS_AT_ONCE: Final = 50_000
Row = tuple[Any, ...]

_SEATS: Final = "CREATE TABLE bench_seat (consultant_id bigint PRIMARY KEY, seat bigint)"
_SALE: Final = (
    "public_id, cycle_id, consultant_id, contract_id, terms_version_id, milestone, volume, revenue_cents,"
    " occurred_at"
)


@contextmanager
def made(members: int, shape: str) -> Iterator[tuple[str, Any]]:
    """On PostgreSQL: the address of the database, and the seats of everybody."""
    server = services.require_postgres()
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS canopy_live WITH (FORCE)")
        connection.execute("CREATE DATABASE canopy_live")
    url = make_url(server).set(database="canopy_live").render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory() as folder:
        migrate(Database("postgresql", url, url), Path(folder))
    parent, leg, _ = SHAPES[shape](members)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(_SEATS)
        for table, rows in _tables(parent, leg):
            with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
    order = in_order(parent, leg.astype(np.int8))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE INDEX ON bench_seat (seat)")
        connection.execute("VACUUM ANALYZE")
    yield url, order
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP DATABASE canopy_live WITH (FORCE)")


def made_on_sqlite(members: int, shape: str, folder: Path) -> str:
    """The same in a file of SQLite in `folder`; its address."""
    file = folder / "bench.sqlite"
    url = f"sqlite:///{file}"
    migrate(Database("sqlite", url, url), folder)
    parent, leg, _ = SHAPES[shape](members)
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA foreign_keys = 0")
        connection.execute(_SEATS)
        for table, rows in _tables(parent, leg):
            marks = ", ".join("?" for _ in table.split(","))
            while some := list(islice(rows, ROWS_AT_ONCE)):
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", some)  # noqa: S608
    return url


def opening(consultant_id: int) -> int:
    """What a member had sold before anything was measured, in hundredths."""
    return 100 + consultant_id % 50_000


def _tables(parent: Any, leg: Any) -> Iterator[tuple[str, Iterator[Row]]]:
    """Each table with its columns, and its rows."""
    today = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    now, later, members = str(today), str(today + timedelta(days=7)), range(1, len(parent) + 1)
    above = [None if up < 0 else up + 1 for up in parent.tolist()]
    sides = [None if up < 0 else "LR"[side] for up, side in zip(parent.tolist(), leg.tolist(), strict=True)]
    yield (
        "plan_version (id, name, document, sha256, valid_from, created_at)",
        iter([(1, "bench", json.dumps(SHIPPED), "", now, now)]),
    )
    yield (
        "cycle (id, name, starts_at, until, state, plan_version_id)",
        iter([(1, "bench", now, later, "open", 1)]),
    )
    yield (
        "pack (code, name, summary, price_cents, monthly_cents, position, features)",
        iter([(code, code, "", 0, 0, 0, "{}") for code in PACKS]),
    )
    yield (
        "placement (consultant_id, parent_id, leg, valid_from)",
        ((who, up, side, now) for who, up, side in zip(members, above, sides, strict=True)),
    )
    yield (
        "consultant (id, public_id, code, person_id, sponsor_id, pack, status, preference, joined_at)",
        (
            (who, f"c{who}", f"c{who}", who, up, PACKS[who % 3], "active", "weaker", now)
            for who, up in zip(members, above, strict=True)
        ),
    )
    yield (
        f"sale ({_SALE}, recorded_at, cause)",
        ((f"s{who}", 1, who, 1, 1, "activated", opening(who), 0, now, now, f"s{who}") for who in members),
    )
    seats = in_order(parent, leg.astype(np.int8)).seat.tolist()
    yield "bench_seat (consultant_id, seat)", zip(members, seats, strict=True)
