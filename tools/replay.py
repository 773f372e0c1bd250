"""Replay a file of real installs through the whole portal, week by week, on processes of their own.

    python -m tools.replay FILE.csv [--rows N] [--weeks W] [--consultants N]

Web, workers and relay run as in production on PostgreSQL and Redis, with the clock moved on each week. Then
everything is counted again from what is stored; a figure that does not fit is named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from tests import servers, services
from tests.processes import answers, running, wait_until
from tools import ROOT

FIRST_MONDAY = datetime(2026, 1, 5, 7, tzinfo=UTC)
SUNDAY_NOON = timedelta(days=6, hours=12)
TWO_HOURS = timedelta(hours=2)
HOLDS_ARE_OVER = timedelta(days=30)
LARGEST = 10
OTHERS = "Other installers"
PATIENCE_SECONDS = 1_800

UNFINISHED = (
    "SELECT (SELECT count(*) FROM inbox WHERE state IN ('new', 'retry'))"
    " + (SELECT count(*) FROM outbox WHERE relayed_at IS NULL)"
)


@dataclass(frozen=True)
class Plan:
    """What is replayed: `rows` 0 means all of the file."""

    file: str
    rows: int = 0
    weeks: int = 12
    consultants: int = 2_000
    seed: int = 2026
    cancel_share: float = 0.05
    duplicate_share: float = 0.02
    reorder_share: float = 0.05

    def monday(self, week: int) -> datetime:
        return FIRST_MONDAY + timedelta(days=7 * week)

    def cycle_name(self, week: int) -> str:
        year, number, _ = self.monday(week).isocalendar()
        return f"{year}-W{number:02d}"


@dataclass
class Figures:
    """What came of it; `faults` is empty when everything fits."""

    weeks: list[dict[str, Any]] = field(default_factory=list)
    checked: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0


def replay(plan: Plan, environment: Mapping[str, str], folder: Path) -> Figures:
    """Replay a plan on a migrated database; `environment` holds the portal's settings for all processes."""
    started = time.monotonic()
    (folder / "plan.json").write_text(json.dumps(asdict(plan) | {"vendors": installers(plan)}))
    portal = _Portal(plan, dict(environment), folder)
    figures = Figures()
    portal.step("prepare", at=plan.monday(0))
    for week in range(plan.weeks):
        figures.weeks.append(portal.feed(week))
        portal.step("close", plan.cycle_name(week), at=plan.monday(week + 1) + TWO_HOURS)
    names = [plan.cycle_name(week) for week in range(plan.weeks)]
    end = plan.monday(plan.weeks) + HOLDS_ARE_OVER
    portal.step("pay", *names, at=end)
    result = portal.step("check", *names, at=end)
    figures.checked, figures.faults = result["figures"], result["faults"] + _lost(figures, result)
    figures.seconds = time.monotonic() - started
    return figures


def installers(plan: Plan) -> list[str]:
    """The names of the ten largest installers of the whole file."""
    with Path(plan.file).open(newline="") as lines:
        names = Counter(row["installer_company"].strip() for row in csv.DictReader(lines))
    return [name for name, _ in names.most_common(LARGEST)]


def _lost(figures: Figures, result: dict[str, Any]) -> list[str]:
    answered = sum(week["accepted"] + week["repeated"] for week in figures.weeks)
    deliveries = result["figures"]["deliveries"]
    if answered == deliveries:
        return []
    return [f"{answered} deliveries were answered with yes, {deliveries} were counted"]


class _Portal:
    """The portal's processes and commands, each started with the clock of its week."""

    def __init__(self, plan: Plan, environment: dict[str, str], folder: Path) -> None:
        self.plan = plan
        self.environment = environment
        self.folder = folder
        self.engine: Engine = create_engine(environment["DATABASE_OWNER_URL"], poolclass=NullPool)

    def step(self, name: str, *arguments: str, at: datetime) -> dict[str, Any]:
        """One step of `tools.replay_steps`, in a process of its own; its answer."""
        command = ["-m", "tools.replay_steps", str(self.folder), name, *arguments]
        return self._run(command, self._clock(at))

    def feed(self, week: int) -> dict[str, Any]:
        """Send one week's events to running processes and wait until all of them took effect."""
        began, now = _real_now(), self.plan.monday(week) + SUNDAY_NOON
        with self._processes(now, began):
            sending = time.monotonic()
            counts = self._run(self._simulate(week), self._clock(now, since=began))
            sent = time.monotonic()
            wait_until(self._is_idle, seconds=PATIENCE_SECONDS, what=f"the work of week {week}")
            seconds = {"sending": round(sent - sending, 1), "working": round(time.monotonic() - sending, 1)}
        return counts | seconds | {"week": self.plan.cycle_name(week)}

    @contextmanager
    def _processes(self, now: datetime, began: datetime) -> Iterator[None]:
        commands = (["jobs.relay"], ["jobs.worker"], ["gunicorn", "--workers", "2", "wsgi:app"])
        with ExitStack() as stack:
            started = [
                stack.enter_context(running(self._clock(now, since=began), *words)) for words in commands
            ]
            # The relay is not asked to stop: whatever is killed loses nothing.
            stack.callback(os.killpg, started[0].pid, signal.SIGKILL)
            url = self.environment["CANOPY_BASE_URL"]
            wait_until(lambda: answers(f"{url}/login"), seconds=60, what="the web process")
            yield

    def _simulate(self, week: int) -> list[str]:
        plan = self.plan
        options = {
            "--url": self.environment["CANOPY_BASE_URL"],
            "--keys": self.folder / "keys.json",
            "--consultants": self.folder / "codes.txt",
            "--vendor-column": "installer_company",
            "--map": "size=size_kw",
            "--set": "service=solar",
            "--start": plan.monday(0).isoformat(),
            "--days": 7 * plan.weeks,
            "--since": plan.monday(week).isoformat(),
            "--until": plan.monday(week + 1).isoformat(),
            "--limit": plan.rows,
            "--seed": plan.seed,
            "--cancel-share": plan.cancel_share,
            "--duplicate-share": plan.duplicate_share,
            "--reorder-share": plan.reorder_share,
        }
        words = [str(word) for option in options.items() for word in option]
        return ["-m", "flask", "--app", "wsgi", "vendor", "simulate", plan.file, *words, "--json"]

    def _is_idle(self) -> bool:
        with self.engine.connect() as connection:
            idle = connection.execute(text(UNFINISHED)).scalar_one() == 0
        time.sleep(0 if idle else 0.2)
        return idle

    def _clock(self, at: datetime, *, since: datetime | None = None) -> dict[str, str]:
        """The surroundings of a process for which it was `at` when it really was `since`, or now."""
        moved = {"CANOPY_NOW": at.isoformat(), "CANOPY_NOW_SINCE": (since or _real_now()).isoformat()}
        return self.environment | moved

    def _run(self, command: list[str], environment: dict[str, str]) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer


def _real_now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Replay on servers started for it; prints the figures as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.replay", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("file")
    for name in ("rows", "weeks", "consultants", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Plan, name))
    plan = Plan(**vars(parser.parse_args()))
    try:
        with tempfile.TemporaryDirectory(prefix="canopy-replay-") as folder:
            figures = replay(plan, _own_servers(Path(folder)), Path(folder))
    finally:
        servers.end_own()
    print(json.dumps(asdict(figures), indent=1))
    return 1 if figures.faults else 0


def _own_servers(folder: Path) -> dict[str, str]:
    """A fresh PostgreSQL and Redis, migrated; raises `RuntimeError` where one cannot be had."""
    database, redis = services.postgres_url(), services.redis_url()
    if database is None or redis is None:
        raise RuntimeError("; ".join(f"{part}: {reason}" for part, reason in services.MISSING.items()))
    port = servers.free_port()
    owner = make_url(database)
    environment = {
        "CANOPY_ENV": "development",
        "SECRET_KEY": "a-secret-for-the-replay-a-secret-for-the-replay",
        "CANOPY_INSTANCE": str(folder),
        "CANOPY_UNDO_MINUTES": "0",
        "DATABASE_URL": owner.render_as_string(hide_password=False),
        "DATABASE_OWNER_URL": owner.render_as_string(hide_password=False),
        "REDIS_URL": redis,
        "CANOPY_BIND": f"127.0.0.1:{port}",
        "CANOPY_BASE_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True)
    return environment


if __name__ == "__main__":
    sys.exit(main())
