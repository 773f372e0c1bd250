"""Books with something in them, and a hand that writes SQL past the application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, create_engine, text

from portal.extensions import db
from portal.ledger import audit
from portal.payouts import batches, service
from portal.store import UnitOfWork, engine_options, perform
from tests.conftest import Database
from tests.payouts.purses import earn, fund
from tests.people import Cast, invite_cast


@dataclass(frozen=True)
class Hand:
    """Writes SQL as one role; `names` stand for ids in it, as `:ben_available`."""

    role: str
    engine: Engine
    names: dict[str, int]

    def write(self, *statements: str) -> None:
        """All in one transaction."""
        with self.engine.begin() as connection:
            self.run(connection, *statements)

    def run(self, connection: Connection, *statements: str) -> None:
        for statement in statements:
            used = {name: value for name, value in self.names.items() if f":{name}" in statement}
            connection.execute(text(statement), used)


@pytest.fixture
def books(app: Flask, cast: Cast) -> dict[str, int]:
    """Ben: $380.00 free, $20.00 set aside, $50.00 held, $100.00 at the bank's in a batch. Ids by name."""
    with app.app_context():
        return perform(lambda uow: _keep(uow, cast))


@pytest.fixture
def hands(database: Database, books: dict[str, int]) -> Iterator[list[Hand]]:
    """The owner of the tables and, where there is one, the application's own role."""
    urls = {"owner": database.owner_url, "application": database.url}
    if database.url == database.owner_url:
        urls.pop("application")
    made = [Hand(role, create_engine(url, **engine_options(url)), books) for role, url in urls.items()]
    yield made
    for hand in made:
        hand.engine.dispose()


@pytest.fixture
def broken(app: Flask) -> Callable[[], list[str]]:
    """The names of the invariants that do not hold."""

    def read() -> list[str]:
        with app.app_context():
            return [each.invariant for each in audit.broken_invariants(db.session())]

    return read


def _keep(uow: UnitOfWork, cast: Cast) -> dict[str, int]:
    fund(uow, cast.ben, 500_00, cycle=cast.cycle)
    entry = earn(uow, cast.ben, 50_00, cycle=cast.cycle)
    rows = [
        service.request_withdrawal(
            uow, consultant_id=cast.ben, amount=cents, key=f"k{cents}", actor_id=cast.ada
        ).id
        for cents in (100_00, 20_00)
    ]
    service.approve(uow, withdrawal_id=rows[0], actor_id=cast.fin)
    batch = batches.export_batch(uow, withdrawal_ids=rows[:1], actor_id=cast.ada)
    accounts = uow.session.execute(
        text("SELECT purpose, id FROM account WHERE owner_type = 'company' OR owner_id = :ben"),
        {"ben": cast.ben},
    )
    found = {f"ben_{purpose}": int(row_id) for purpose, row_id in accounts}
    posting = uow.session.scalar(text("SELECT max(id) FROM posting"))
    return {
        **found,
        "entry": entry,
        "posting": int(posting or 0),
        "period": uow.clock().year * 100 + uow.clock().month,
        "waiting": rows[1],
        "exported": rows[0],
        "batch": batch.id,
        "ben": cast.ben,
        "cycle": cast.cycle,
    }


@pytest.fixture
def cast_of() -> Callable[[Flask], Cast]:
    """The cast in an application that the test made itself."""
    return invite_cast
