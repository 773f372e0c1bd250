"""Messages to addresses of which some fail, some keep silent and one is dead, while workers are killed."""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from portal import create_app
from portal.extensions import db
from portal.integrations import endpoints
from portal.integrations.endpoints import Wish
from portal.models import AccountUser
from portal.store import UnitOfWork, perform
from tests.people import invite_cast
from tests.shop import add_sale
from tools.soak.stage import Killing, Stage, keep_killing, staged
from tools.soak.webhooks_judge import judged
from tools.soak.webhooks_receiver import Receiver, listening

KIND = "sale.recorded"
# Seconds between two kills.
PAUSE = (8.0, 15.0)
OPEN = """
    SELECT (SELECT count(*) FROM outbox WHERE relayed_at IS NULL)
         + (SELECT count(*) FROM task WHERE state IN ('new', 'retry'))
         + (SELECT count(*) FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id
             WHERE d.state IN ('new', 'retry') AND e.disabled_at IS NULL)
"""
UNTRIED = """
    SELECT count(*) FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id
     WHERE d.state = 'new' AND e.disabled_at IS NULL
"""
# Once everything was tried, nobody waits for the pauses, which grow to hours.
NO_PAUSES = "UPDATE webhook_delivery SET next_at = now() WHERE state = 'retry' AND lease_until IS NULL"


@dataclass
class Figures:
    """What was run and what the judge found; no fault means that each living address was told everything."""

    seed: int
    sales: int
    addresses: dict[str, int]
    kills: int = 0
    seconds: float = 0.0
    judged: dict[str, Any] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        """What is not as it must be."""
        found: list[str] = self.judged["faults"]
        return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m tools.soak webhooks`."""
    for name, value in (
        ("sales", 200), ("calm", 5), ("failing", 4), ("dead", 1), ("percent", 25), ("pace", 4),
        ("kills", 3), ("seed", 1), ("seconds", 900),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, environment: dict[str, str], folder: Path) -> Figures:
    """Sell at a pace while workers die, wait until everybody is told who can be, and judge."""
    environment = environment | {"CANOPY_WEBHOOKS_TO_LOOPBACK": "on"}
    app, chance = create_app(environment), random.Random(chosen.seed)
    manners = {name: getattr(chosen, name) for name in ("calm", "failing", "dead")}
    figures = Figures(chosen.seed, chosen.sales, manners)
    with listening(Receiver(chance, chosen.percent)) as receiver:
        seller = _company(app, receiver, manners)
        with staged(environment, folder, "relay", "workers", web=False) as stage:
            figures.seconds = _until_told(stage, app, chosen, chance, seller)
            figures.kills = stage.kills
        with app.app_context():
            figures.judged = judged(db.session(), receiver)
            db.session.remove()
            db.engine.dispose()
    return figures


def _company(app: Flask, receiver: Receiver, manners: dict[str, int]) -> int:
    """A company whose addresses are told of sales; the seller."""
    cast = invite_cast(app)
    with app.app_context():
        for manner, number in manners.items():
            for at in range(number):
                perform(partial(address, receiver=receiver, name=f"{manner}-{at}"))
        db.session.remove()
    return cast.ben


def address(uow: UnitOfWork, receiver: Receiver, name: str) -> int:
    """An address of the company's that behaves as its name says; its number."""
    ada = uow.session.scalars(select(AccountUser.id).where(AccountUser.email == "ada@example.com")).one()
    wish = Wish(receiver.url_of(name), (KIND,), loopback=True)
    made = endpoints.add_endpoint(uow, consultant_id=None, wish=wish, actor_id=ada)
    receiver.secrets[name] = made.secret
    return made.id


def _until_told(
    stage: Stage, app: Flask, chosen: argparse.Namespace, chance: random.Random, seller: int
) -> float:
    """Sell at the pace, with a worker killed now and then, until nothing waits; the seconds it took."""
    started, sold = time.monotonic(), 0

    def told() -> bool:
        nonlocal sold
        with app.app_context():
            while sold < min((time.monotonic() - started) * chosen.pace, chosen.sales):
                perform(lambda uow: add_sale(uow, seller, 100_00))
                sold += 1
            db.session.remove()
        if sold == chosen.sales and stage.count(UNTRIED) == 0:
            stage.run(NO_PAUSES)
        return sold == chosen.sales and stage.count(OPEN) == 0

    plan = Killing(["workers"], chosen.kills, chosen.seconds, pause=PAUSE)
    return keep_killing(stage, plan, chance=chance, until=told)
