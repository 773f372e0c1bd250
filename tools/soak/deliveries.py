"""Stripe's events many times over, in random order, while web and workers are killed: each counts once."""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from portal import create_app
from portal.extensions import db
from portal.gateways.sandbox.delivery import signature
from portal.models import EventSweep
from portal.store import UnitOfWork, perform
from tests.payments.stage import Stage as Lives
from tests.payments.stage import build
from tools.soak.deliveries_judge import judged
from tools.soak.stage import Killing, Stage, keep_killing, staged

CLIENTS = 6
WAITING = "SELECT count(*) FROM inbox WHERE state IN ('new', 'retry')"
LIVES = (
    ("pack", ("pay", "refund-part", "refund")),
    ("pack", ("pay", "dispute", "lose")),
    ("pack", ("pay", "refund", "fail-refund")),
    ("plus", ("pay", "renew", "fail-renewal", "pay-late", "call-off", "end")),
    ("plus", ("pay", "renew", "refund-part", "dispute", "win")),
    ("order", ("pay", "refund-part", "refund")),
    ("order", ("pay", "dispute", "win")),
    ("order", ("pay", "dispute", "lose")),
)


@dataclass
class Figures:
    """What was run and what the judge found; no fault means that every event counted once."""

    seed: int
    events: int
    deliveries: int
    kills: int = 0
    refused_and_repeated: int = 0
    seconds: float = 0.0
    judged: dict[str, Any] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        """What is not as it must be."""
        found: list[str] = self.judged["faults"]
        return found


@dataclass
class Post:
    """Delivers as Stripe does: again until it is taken. `taken` counts answers with 200."""

    stage: Stage
    secret: str
    taken: int = 0
    repeated: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def deliver(self, event: dict[str, Any]) -> None:
        """One delivery, to its end."""
        body = json.dumps(event)
        while not self._is_taken(body):
            with self.lock:
                self.repeated += 1
            time.sleep(0.3)
        with self.lock:
            self.taken += 1

    def _is_taken(self, body: str) -> bool:
        header = {"Stripe-Signature": signature(self.secret, body, int(time.time()))}
        try:
            return (
                self.stage.ask("POST", "/webhooks/stripe", body=body.encode(), headers=header).status == 200
            )
        except urllib3.exceptions.HTTPError:
            return False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m tools.soak deliveries`."""
    for name, value in (
        ("events", 2000),
        ("deliveries", 10_000),
        ("kills", 20),
        ("seed", 1),
        ("seconds", 3000),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, environment: dict[str, str], folder: Path) -> Figures:
    """Let people live at Stripe, deliver what it told in any order while processes die, and judge."""
    chance = random.Random(chosen.seed)
    app = create_app(environment)
    events = list(_lives(build(app, folder, file="sandbox.sqlite"), chosen.events))
    secret = app.config["SETTINGS"].webhook_secret
    with app.app_context():
        perform(_forbid_asking)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    deliveries = events + chance.choices(events, k=max(chosen.deliveries - len(events), 0))
    chance.shuffle(deliveries)
    figures = Figures(chosen.seed, len(events), len(deliveries))
    with staged(environment, folder, "relay", "worker-1", "worker-2") as stage:
        post = Post(stage, secret)
        figures.seconds = _until_done(stage, post, deliveries, chosen, chance)
        figures.kills, figures.refused_and_repeated = stage.kills, post.repeated
        with stage.database() as engine:
            figures.judged = judged(engine, stage.sandbox_file, taken=post.taken)
    return figures


def _forbid_asking(uow: UnitOfWork) -> None:
    """Let the hourly sweep find nothing: here every event must come by its own deliveries."""
    now = uow.clock()
    uow.session.add(EventSweep(since=now, until=now, listed=0, found=0, finished_at=now))


def _lives(lives: Lives, number: int) -> Iterator[dict[str, Any]]:
    """So many events, or a few more: whole lives only."""
    made, place = 0, 0
    while made < number:
        what, acts = LIVES[place % len(LIVES)]
        subject = lives.order() if what == "order" else lives.register(what)
        events = lives.act(subject, *acts)
        made, place = made + len(events), place + 1
        yield from events


def _until_done(
    stage: Stage,
    post: Post,
    deliveries: list[dict[str, Any]],
    chosen: argparse.Namespace,
    chance: random.Random,
) -> float:
    plan = Killing(["web", "worker-1", "worker-2", "relay"], chosen.kills, chosen.seconds)
    with ThreadPoolExecutor(CLIENTS) as clients:
        done = [clients.submit(post.deliver, event) for event in deliveries]

        def over() -> bool:
            return all(one.done() for one in done) and stage.count(WAITING) == 0

        seconds = keep_killing(stage, plan, chance=chance, until=over)
        for one in done:
            one.result()
    return seconds
