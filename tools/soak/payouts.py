"""Automatic payouts while the provider fails, workers are killed and Redis forgets: each is paid once."""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal import create_app
from portal.extensions import db
from tools.soak.judge import judged
from tools.soak.people import queue_payouts
from tools.soak.stage import Killing, Stage, keep_killing, staged

PACE = 120
FAULTS = ("drop_before", "drop_after", "500_before", "500_after", "429", "hang")
HANG_SECONDS = 1.5
FAULTY_OPERATIONS = ("stripe.transfers.create", "stripe.transfers.list")
CALLS_FOR_EACH = 4
OPEN = "SELECT count(*) FROM withdrawal WHERE state IN ('queued', 'sending', 'resolving')"


@dataclass
class Figures:
    """What was run and what the judge found; no fault means that every payout was paid once."""

    seed: int
    pace: int
    faulty_percent: int
    kills: int
    flushes: int
    seconds: float = 0.0
    attempts: int = 0
    most_attempts: int = 0
    judged: dict[str, Any] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        """What is not as it must be."""
        found: list[str] = self.judged["faults"]
        return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m tools.soak payouts`."""
    for name, value in (
        ("payouts", 1000), ("faulty", 40), ("kills", 20), ("flushes", 5), ("seed", 1), ("seconds", 3000),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--pace", type=int, default=PACE)
    parser.add_argument("--nudge", action="store_true", help="wake the relay all the time; for short runs")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, environment: dict[str, str], folder: Path) -> Figures:
    """Queue payouts, let the provider fail and processes die until all is settled, and judge."""
    environment = environment | {"CANOPY_PAYOUT_PACE": str(chosen.pace)}
    chance = random.Random(chosen.seed)
    app = create_app(environment)
    queue_payouts(app, payouts=chosen.payouts, people=max(chosen.payouts // 10, 1))
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    figures = Figures(chosen.seed, chosen.pace, chosen.faulty, 0, chosen.flushes)
    with staged(environment, folder) as stage:
        order_faults(stage, payouts=chosen.payouts, percent=chosen.faulty, chance=chance)
        for name in ("relay", "worker-1", "worker-2"):
            stage.start(name)
        figures.seconds = _until_settled(stage, chosen, chance)
        figures.kills = stage.kills
        figures.attempts = stage.count("SELECT count(*) FROM payout_attempt")
        figures.most_attempts = stage.count("SELECT coalesce(max(number), 0) FROM payout_attempt")
        with stage.database() as engine:
            figures.judged = judged(engine, stage.sandbox_file)
    return figures


def order_faults(stage: Stage, *, payouts: int, percent: int, chance: random.Random) -> None:
    """Let this share of all calls go wrong, in every way there is."""
    for operation in FAULTY_OPERATIONS:
        kinds = (
            chance.choice(FAULTS) if chance.randrange(100) < percent else "ok"
            for _ in range(CALLS_FOR_EACH * payouts)
        )
        stage.order_faults(operation, [{"hang": HANG_SECONDS} if kind == "hang" else kind for kind in kinds])


def _until_settled(stage: Stage, chosen: argparse.Namespace, chance: random.Random) -> float:
    flushes = iter(range(chosen.flushes))

    def settled() -> bool:
        if chance.random() < 0.2 and next(flushes, None) is not None:
            stage.forget_redis()
        if chosen.nudge:
            stage.nudge()
        return stage.count(OPEN) == 0

    plan = Killing(["worker-1", "worker-2", "relay"], chosen.kills, chosen.seconds)
    return keep_killing(stage, plan, chance=chance, until=settled)
