"""The processes of a soak: web with the sandbox, relay, workers; each killed and ended by its number."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3
from redis import Redis
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from portal.store.wake import WAKE_LIST
from tests import servers, services
from tests.processes import answers, end, wait_until
from tools import ROOT

COMMANDS = {
    "web": ("gunicorn", "--log-level", "warning", "wsgi:app"),
    "relay": ("jobs.relay",),
    "worker": ("jobs.worker", "money", "payouts", "mail"),
    "webhooks": ("jobs.worker", "webhooks"),
}
START_SECONDS = 60
SHOWN_CHARACTERS = 3000


@dataclass
class Stage:
    """What runs, by name; `kills` counts what was killed."""

    environment: dict[str, str]
    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    kills: int = 0

    @property
    def address(self) -> str:
        """Where the web process answers."""
        return self.environment["CANOPY_BASE_URL"]

    @property
    def sandbox_file(self) -> Path:
        """The record of the played providers."""
        return Path(self.environment["CANOPY_INSTANCE"]) / "sandbox.sqlite"

    def start(self, name: str, *command: str) -> None:
        """Start a process under a name; without a command the one that is named so, such as `worker-2`."""
        words = command or COMMANDS[name.partition("-")[0]]
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=os.environ | self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill a process and all that it started, without a word, and start it again."""
        end(self.running.pop(name), signal.SIGKILL)
        self.kills += 1
        self.start(name)

    def ask(self, method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
        """One request to the web process."""
        return urllib3.request(method, f"{self.address}{path}", timeout=30, retries=False, **more)

    def order_faults(self, operation: str, faults: list[Any]) -> None:
        """Let the next calls of an operation go wrong in these ways."""
        answer = self.ask("POST", "/sandbox/faults", json={"operation": operation, "faults": faults})
        if answer.status != 200:
            raise RuntimeError(f"no faults for {operation}: {answer.data.decode()}")

    def nudge(self) -> None:
        """Wake the relay as a commit does, so that a short test need not wait for its next look."""
        Redis.from_url(self.environment["REDIS_URL"]).lpush(WAKE_LIST, "1")

    def forget_redis(self) -> None:
        """Lose everything that Redis knows."""
        Redis.from_url(self.environment["REDIS_URL"]).flushall()

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """The database as its owner sees it."""
        engine = create_engine(self.environment["DATABASE_OWNER_URL"], poolclass=NullPool)
        try:
            yield engine
        finally:
            engine.dispose()

    def run(self, statement: str) -> None:
        """Carry out a statement as the owner of the database."""
        with self.database() as engine, engine.begin() as connection:
            connection.execute(text(statement))

    def count(self, query: str) -> int:
        """The one number that a query gives."""
        with self.database() as engine, engine.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())


@contextmanager
def staged(environment: dict[str, str], folder: Path, *names: str, web: bool = True) -> Iterator[Stage]:
    """The named processes, `web` first unless nobody asks it; ended with the block."""
    stage = Stage(environment, folder)
    try:
        if web:
            stage.start("web")
            wait_until(
                lambda: answers(f"{stage.address}/healthz"), seconds=START_SECONDS, what="the web process"
            )
        for name in names:
            stage.start(name)
        yield stage
    except BaseException:
        for log in sorted(folder.glob("*.log")):
            print(
                f"--- {log.name}",
                log.read_text(errors="replace")[-SHOWN_CHARACTERS:],
                sep="\n",
                file=sys.stderr,
            )
        raise
    finally:
        for process in stage.running.values():
            end(process, signal.SIGKILL)


@dataclass
class Killing:
    """Which processes are killed, how often, how many seconds apart, and how long all may take."""

    names: list[str]
    kills: int
    seconds: float
    pause: tuple[float, float] = (0.5, 2.0)


def keep_killing(stage: Stage, plan: Killing, *, chance: random.Random, until: Callable[[], bool]) -> float:
    """Kill one of the named processes now and then until all is done; the seconds it took.

    Raises `AssertionError` when it is not done in time.
    """
    started = time.monotonic()
    while not (finished := until()) or stage.kills < plan.kills:
        if time.monotonic() - started > plan.seconds:
            raise AssertionError(f"not done within {plan.seconds} s, after {stage.kills} kills")
        if stage.kills < plan.kills:
            time.sleep(chance.uniform(*plan.pause))
            stage.kill(chance.choice(plan.names))
        elif not finished:
            time.sleep(0.3)
    return time.monotonic() - started


def own_servers(folder: Path, **more: str) -> dict[str, str]:
    """Settings with a fresh PostgreSQL and Redis, migrated; raises `RuntimeError` where one cannot be had."""
    database, redis = services.postgres_url(), services.redis_url()
    if database is None or redis is None:
        raise RuntimeError("; ".join(f"{part}: {reason}" for part, reason in services.MISSING.items()))
    port = servers.free_port()
    owner = make_url(database).render_as_string(hide_password=False)
    environment = {
        "CANOPY_ENV": "development",
        "SECRET_KEY": "a-secret-for-the-soak-a-secret-for-the-soak",
        "CANOPY_INSTANCE": str(folder),
        "CANOPY_RATE_LIMITS": "off",
        "DATABASE_URL": owner,
        "DATABASE_OWNER_URL": owner,
        "REDIS_URL": redis,
        "CANOPY_BIND": f"127.0.0.1:{port}",
        "CANOPY_BASE_URL": f"http://127.0.0.1:{port}",
        **more,
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True)
    return environment
