"""What was acknowledged stays, what was not is done once, whoever is killed: clients or the database itself.

The judge reads the database and the clients' own logs, nothing else.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from tests import services
from tests.conftest import SECRET, Database, migrate
from tests.processes import ROOT
from tests.services import PostgresServer

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
OPERATIONS = 2_000 * TIMES
CLIENT_KILLS = 4 * TIMES
SERVER_KILLS = 1 * TIMES
CLIENTS = 4
FEW = 60


@dataclass
class Field:
    """A database, its clients and their logs."""

    database: Database
    folder: Path
    server: PostgresServer | None = None
    clients: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, number: int, first: int, last: int, *more: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "CANOPY_ENV": "development",
            "SECRET_KEY": SECRET,
            "DATABASE_URL": self.database.url,
            "CANOPY_INSTANCE": str(self.folder / f"client-{number}"),
        }
        words = (self.folder / "words.log").open("ab")
        command = [sys.executable, "-m", "tests.store.client", str(self.log(number)), str(first), str(last)]
        client = subprocess.Popen([*command, *more], cwd=ROOT, env=environment, stdout=words, stderr=words)
        self.clients.append(client)
        return client

    def log(self, number: int) -> Path:
        return self.folder / f"client-{number}.log"

    def acknowledged(self) -> list[int]:
        return [int(line) for path in self.folder.glob("client-*.log") for line in path.read_text().split()]

    def booked(self) -> list[tuple[int, int, int]]:
        """Of every entry the number in its key, how many postings it has, and their sum in cents."""
        engine = create_engine(self.database.owner_url)
        with engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT e.key, COUNT(p.id), SUM(p.amount_cents) FROM entry e"
                    " LEFT JOIN posting p ON p.entry_id = e.id GROUP BY e.id, e.key"
                )
            ).all()
        engine.dispose()
        return [(int(key.rpartition("-")[2]), int(count), int(total or 0)) for key, count, total in rows]

    def drift(self) -> list[object]:
        """Balances that are not the sum of their postings."""
        engine = create_engine(self.database.owner_url)
        with engine.connect() as connection:
            wrong = connection.execute(
                text(
                    "SELECT a.id FROM account a WHERE a.tracked AND a.balance <>"
                    " COALESCE((SELECT SUM(p.amount_cents) FROM posting p WHERE p.credit_id = a.id), 0)"
                )
            ).all()
        engine.dispose()
        return list(wrong)

    def end(self) -> None:
        for client in self.clients:
            if client.poll() is None:
                client.kill()
            client.wait()


@pytest.fixture
def sqlite_field(sqlite_database, tmp_path) -> Iterator[Field]:
    field = Field(sqlite_database, tmp_path)
    yield field
    field.end()


@pytest.fixture
def postgresql_field(tmp_path) -> Iterator[Field]:
    services.require_postgres()
    server = services.new_postgres(fsync="on", synchronous_commit="on", full_page_writes="on")
    server.start("durable")
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE canopy")
    url = make_url(server.url).set(database="canopy").render_as_string(hide_password=False)
    database = Database("postgresql", url, url)
    migrate(database, tmp_path / "instance")
    field = Field(database, tmp_path, server)
    yield field
    field.end()
    server.kill()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def battle(request) -> Field:
    return request.getfixturevalue(f"{request.param}_field")


def test_what_was_acknowledged_stays_and_the_rest_is_done_once(battle):
    kills = fight(battle)

    booked = [number for number, _, _ in battle.booked()]
    acknowledged = battle.acknowledged()
    assert kills >= CLIENT_KILLS
    assert sorted(acknowledged) == list(range(OPERATIONS)), "every client came to its end"
    assert set(acknowledged) - set(booked) == set(), "acknowledged but lost"
    assert sorted(booked) == list(range(OPERATIONS)), "each once"
    assert {(count, total) for _, count, total in battle.booked()} == {(2, 12)}, "no half entries"
    assert battle.drift() == []


def test_a_client_that_dies_before_it_hears_the_answer_repeats_without_harm(battle):
    battle.start(0, 0, FEW, "--die-at", "20").wait()
    battle.start(0, 0, FEW).wait()

    assert sorted(number for number, _, _ in battle.booked()) == list(range(FEW))


def test_control_without_its_key_the_repeated_one_is_booked_twice(sqlite_field):
    sqlite_field.start(0, 0, FEW, "--new-key", "--die-at", "20").wait()
    sqlite_field.start(0, 0, FEW, "--new-key").wait()

    assert [number for number, _, _ in sqlite_field.booked()].count(20) == 2


def test_control_an_early_acknowledgement_loses_what_it_promised(sqlite_field):
    kills = fight(sqlite_field, "--acknowledge-early", operations=OPERATIONS // 5)

    booked = {number for number, _, _ in sqlite_field.booked()}
    assert kills and set(sqlite_field.acknowledged()) - booked


def fight(battle: Field, *more: str, operations: int = OPERATIONS) -> int:
    """Let the clients book all operations while they, and a PostgreSQL, are killed; how many kills."""
    chance, share, kills = random.Random(11), operations // CLIENTS, 0
    parts = [(number, number * share, (number + 1) * share) for number in range(CLIENTS)]
    running = {part: battle.start(*part, *more) for part in parts}
    plan = [k * operations // (CLIENT_KILLS + 1) for k in range(1, CLIENT_KILLS + 1)]
    strikes = [k * operations // (SERVER_KILLS + 1) for k in range(1, SERVER_KILLS + 1)]
    deadline = time.monotonic() + 120 * TIMES
    while any(client.poll() is None for client in running.values()):
        assert time.monotonic() < deadline, (battle.folder / "words.log").read_text()[-2_000:]
        done = len(battle.acknowledged())
        if plan and done >= plan[0]:
            plan.pop(0)
            part = chance.choice([part for part, client in running.items() if client.poll() is None])
            running[part].send_signal(signal.SIGKILL)
            running[part].wait()
            running[part] = battle.start(*part, *more)
            kills += 1
        if battle.server and strikes and done >= strikes[0]:
            strikes.pop(0)
            battle.server.kill()
            battle.server.start("durable")
            kills += 1
        time.sleep(0.01)
    assert not battle.server or not strikes, "the database was killed as well"
    return kills
