"""Messages to addresses that are calm, failing or dead, while workers are killed."""

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

from jobs import relay
from jobs.reactions import drain_money
from jobs.webhooks import AT_ONCE
from portal import create_app
from portal.extensions import db
from portal.integrations import endpoints
from portal.integrations.endpoints import Wish
from portal.models import AccountUser
from portal.store import UnitOfWork, perform
from tests.people import invite_cast
from tests.processes import wait_until
from tests.shop import add_sale
from tools.soak.stage import Killing, Stage, keep_killing, staged
from tools.soak.webhooks_judge import judged
from tools.soak.webhooks_receiver import Receiver, listening

KIND = "sale.recorded"
WORKERS = ("webhooks-1", "webhooks-2")
# Seconds in which is sold between two kills: a worker starts in two to four.
PAUSE = 3
START_SECONDS = 60
# So many sales are sold before the measured ones, while the second worker still starts.
WARM = 20
OPEN = """
    SELECT (SELECT count(*) FROM outbox WHERE relayed_at IS NULL)
         + (SELECT count(*) FROM task WHERE state IN ('new', 'retry') AND queue = 'money')
         + (SELECT count(*) FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id
             WHERE d.state IN ('new', 'retry') AND e.url NOT LIKE '%/dead-%')
"""
# Once everything is sold, nobody waits for the pauses, which grow to hours.
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
        ("sales", 200), ("calm", 5), ("failing", 1), ("dead", 1), ("percent", 25), ("pace", 6),
        ("kills", 4), ("seed", 1), ("seconds", 300),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, environment: dict[str, str], folder: Path) -> Figures:
    """Sell at a pace: a third without the dead addresses, a third with them, a third while workers die."""
    environment = environment | {"CANOPY_WEBHOOKS_TO_LOOPBACK": "on"}
    app, started = create_app(environment), time.monotonic()
    manners = {name: getattr(chosen, name) for name in ("calm", "failing", "dead")}
    figures = Figures(chosen.seed, chosen.sales, manners)
    with listening(Receiver(random.Random(chosen.seed), chosen.percent)) as receiver:
        shop = Shop(app, receiver, chosen.pace, invite_cast(app).ben)
        third = (chosen.sales - WARM) // 3
        shop.open(calm=chosen.calm, failing=chosen.failing)
        with staged(environment, folder, "relay", *WORKERS, web=False) as stage:
            shop.sell(1)
            wait_until(lambda: receiver.calls, seconds=START_SECONDS, what="the first message")
            shop.sell(WARM - 1 + third)
            shop.open(dead=chosen.dead)
            shop.sell(third)
            _kill_until_told(stage, shop, chosen)
            figures.kills = stage.kills
        figures.seconds = round(time.monotonic() - started, 1)
        parts = {
            "without the dead": (WARM, WARM + third),
            "beside the dead": (WARM + third, WARM + 2 * third),
        }
        with app.app_context():
            most_twice = figures.kills * AT_ONCE
            figures.judged = judged(db.session(), receiver, most_twice=most_twice, parts=parts)
            db.session.remove()
            db.engine.dispose()
    return figures


@dataclass
class Shop:
    """A company that sells, and whose addresses are told of it."""

    app: Flask
    receiver: Receiver
    pace: int
    seller: int
    sold: int = 0

    def open(self, **manners: int) -> None:
        """Tell so many more addresses of each manner from now on."""
        with self.app.app_context():
            for manner, number in manners.items():
                for at in range(number):
                    perform(partial(address, receiver=self.receiver, name=f"{manner}-{at}"))
            db.session.remove()

    def sell(self, number: int) -> None:
        """Record sales at the pace."""
        for _ in range(number):
            next_at = time.monotonic() + 1 / self.pace
            with self.app.app_context():
                perform(lambda uow: add_sale(uow, self.seller, 100_00))
            self.react()
            self.sold += 1
            time.sleep(max(next_at - time.monotonic(), 0))

    def react(self) -> None:
        """Write the messages that follow from what was sold; workers for money have much else to do."""
        with self.app.app_context():
            relay.carry()
            drain_money()
            db.session.remove()


def address(uow: UnitOfWork, receiver: Receiver, name: str) -> int:
    """An address of the company's that behaves as its name says; its number."""
    ada = uow.session.scalars(select(AccountUser.id).where(AccountUser.email == "ada@example.com")).one()
    wish = Wish(receiver.url_of(name), (KIND,), loopback=True)
    made = endpoints.add_endpoint(uow, consultant_id=None, wish=wish, actor_id=ada)
    receiver.secrets[name] = made.secret
    return made.id


def _kill_until_told(stage: Stage, shop: Shop, chosen: argparse.Namespace) -> None:
    """Sell the rest, with a worker killed now and then, until nothing waits for those who live."""
    a_turn = chosen.pace * PAUSE

    def told() -> bool:
        shop.sell(min(a_turn, chosen.sales - shop.sold))
        if shop.sold < chosen.sales:
            return False
        shop.react()
        stage.run(NO_PAUSES)
        return stage.count(OPEN) == 0

    plan = Killing(list(WORKERS), chosen.kills, chosen.seconds, pause=(0.0, 1.0))
    keep_killing(stage, plan, chance=random.Random(chosen.seed), until=told)
