"""The portal with the played providers beside it, a clock that can be moved, and what is due done at once."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from werkzeug.serving import WSGIRequestHandler, make_server

from jobs import inbox, reactions, relay, sending
from portal.extensions import db
from portal.gateways.sandbox import connect
from portal.gateways.sandbox.faults import order_faults
from portal.gateways.sandbox.play import Play
from portal.kernel import clock
from portal.kernel.clock import utc_now
from portal.models import Message, PayoutAttempt, Withdrawal
from portal.payouts.automatic.claiming import ASKING
from portal.store import perform
from tests.gateways.conftest import until
from tools.soak.judge import judged
from tools.soak.people import play_of, queue_payouts

SOAK = int(os.environ.get("CANOPY_SOAK", "1"))
OPEN = ("queued", "sending", "resolving")
QUICK_FAULTS = ("drop_before", "drop_after", "500_before", "500_after", "429")


@dataclass
class Show:
    """An application that is served, and what stands beside it."""

    app: Flask
    file: Path

    @property
    def play(self) -> Play:
        return play_of(self.app)

    def queue(
        self, payouts: int = 1, *, people: int = 1, cents: int = 50_00, kind: str = "stripe"
    ) -> list[int]:
        return queue_payouts(self.app, payouts=payouts, people=people, cents=cents, kind=kind)

    def order(self, operation: str, *faults: Any) -> None:
        """Let the next calls of an operation go wrong in these ways."""
        order_faults(self.play.store, {"operation": operation, "faults": list(faults)})

    def order_share(self, *operations: str, percent: int, calls: int, seed: int) -> None:
        """Let a share of the next calls go wrong, in every way there is."""
        chance = random.Random(seed)
        for operation in operations:
            kinds = [
                chance.choice(QUICK_FAULTS) if chance.randrange(100) < percent else "ok" for _ in range(calls)
            ]
            self.order(operation, *kinds)

    def drain(self) -> int:
        with self.app.app_context():
            return sending.drain()

    def do(self, service: Any, *values: Any, **named: Any) -> Any:
        with self.app.app_context():
            return perform(lambda uow: service(uow, *values, **named))

    def later(self, **wait: float) -> None:
        """Let time pass."""
        clock.start_at(utc_now() + timedelta(**wait))

    def settle(self, *, days: float = 8) -> None:
        """Do what is due and let time pass to the next moment, until nothing is open or the days are over."""
        end = utc_now() + timedelta(days=days)
        while utc_now() < end:
            self.drain()
            with self.app.app_context():
                due = db.session.scalar(
                    select(func.min(Withdrawal.next_at)).where(Withdrawal.state.in_(ASKING))
                )
            if due is None:
                return
            clock.start_at(due if due > utc_now() else utc_now() + timedelta(minutes=10))

    def hear(self) -> None:
        """Let what the providers told take effect, and what follows from it."""
        self.play.courier.wake()
        until(lambda: self.play.courier.idle, seconds=30)
        with self.app.app_context():
            while inbox.drain() + relay.carry():
                reactions.drain_mail()

    def state(self, withdrawal_id: int) -> str:
        return str(self.row(withdrawal_id).state)

    def row(self, withdrawal_id: int) -> Withdrawal:
        with self.app.app_context():
            return db.session.get_one(Withdrawal, withdrawal_id)

    def states(self) -> dict[str, int]:
        with self.app.app_context():
            rows = db.session.execute(select(Withdrawal.state, func.count()).group_by(Withdrawal.state))
            return {str(state): int(count) for state, count in rows}

    def attempts(self, withdrawal_id: int) -> list[tuple[int, str | None]]:
        """(generation, outcome) of each attempt, oldest first."""
        with self.app.app_context():
            wanted = select(PayoutAttempt).where(PayoutAttempt.withdrawal_id == withdrawal_id)
            found = db.session.scalars(wanted.order_by(PayoutAttempt.number))
            return [(each.generation, each.outcome) for each in found]

    def messages(self, template: str) -> int:
        with self.app.app_context():
            return int(db.session.scalar(select(func.count()).where(Message.template == template)) or 0)

    def documents(self, kind: str) -> list[dict[str, Any]]:
        with self.play.store.reading() as books:
            return books.newest(kind, limit=100_000)

    def funds(self) -> int:
        with self.play.store.reading() as books:
            return connect.platform_funds(books)

    def judged(self) -> dict[str, Any]:
        with self.app.app_context():
            return judged(db.engine, self.file)


class _Quiet(WSGIRequestHandler):
    def log_request(self, *args: Any, **kwargs: Any) -> None:
        pass


@contextmanager
def served(app: Flask, port: int) -> Iterator[None]:
    """The application on a port of this machine."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
