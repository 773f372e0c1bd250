"""A worker that dies in the middle of vendors' events: none is lost, none counts twice."""

from __future__ import annotations

import os
import random
import signal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine

from jobs import inbox
from portal.extensions import db
from portal.models import ContractFact, Customer, Inbox, Outbox, Sale
from tests.people import invite_cast
from tests.vendors import activated, invite_vera, send_batch

CONTRACTS = 20
KILLS = 8
# A worker dies at one of so many statements: within the first few messages, at every place of one.
AT_MOST = 60


@pytest.mark.postgres
def test_a_worker_killed_at_any_statement_loses_and_doubles_nothing(
    postgresql_database: Any, make_app: Any
) -> None:
    app = make_app(postgresql_database)
    vera, chance = invite_vera(app, invite_cast(app)), random.Random(5)
    told = []
    for number in range(CONTRACTS):
        refs = {"customer_ref": f"C{number}", "contract_ref": f"K{number}", "customer_name": "Rosa Diaz"}
        grown = {"type": "service.changed", "milestone": "", "size_thousandths": 10_000}
        told += [(f"a{number}", activated(vera, **refs)), (f"b{number}", activated(vera, **refs, **grown))]
    send_batch(app.test_client(), vera, told)

    died = [_drain_and_die(app, at=chance.randrange(1, AT_MOST)) for _ in range(KILLS)]

    with app.app_context():
        before = db.session.scalar(select(func.count(Inbox.id)).where(Inbox.state == "done"))
        inbox.drain()
        db.session.rollback()
        assert died == [True] * KILLS and 0 < (before or 0) < len(told)
        rows = db.session.execute(select(Inbox.state, Inbox.attempts)).all()
        assert {tuple(row) for row in rows} == {("done", 1)}
        assert db.session.scalar(select(func.sum(Sale.volume))) == CONTRACTS * 200_00
        assert _count(Sale.id) == _count(ContractFact.id) == 2 * CONTRACTS
        assert _count(Customer.id) == CONTRACTS
        names = db.session.execute(select(Outbox.name, func.count()).group_by(Outbox.name)).all()
        assert {name: number for name, number in names if not name.startswith("consultant")} == {
            "customer.registered": CONTRACTS,
            "sale.recorded": 2 * CONTRACTS,
        }
        db.session.rollback()


def _count(column: Any) -> int:
    return int(db.session.scalar(select(func.count(column))) or 0)


def _drain_and_die(app: Flask, *, at: int) -> bool:
    """Drain in a process of its own that is killed before its statement of this number; whether it was."""
    child = os.fork()
    if child == 0:
        said = 0

        def count(*_about: object) -> None:
            nonlocal said
            said += 1
            if said == at:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            with app.app_context():
                db.engine.dispose(close=False)
                event.listen(Engine, "before_cursor_execute", count)
                inbox.drain()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
