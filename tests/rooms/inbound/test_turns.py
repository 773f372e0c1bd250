"""Senders take turns, a message that cannot be handled holds up nobody, and each takes few statements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text

from jobs import effects, inbox
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.vendor_events import VendorEvent
from portal.models import Customer, Inbox, Sale
from portal.store import UnitOfWork, perform
from portal.store.inbox import STRIPE, Arrival, receive, vendor_source
from tests.people import Cast
from tests.vendors import Vera, activated, body_of, invite_vera, registered

# For an activation with a new customer and their person, contract, sale and facts.
MOST_STATEMENTS = 18
FLOOD = """
    INSERT INTO inbox (source, vendor_id, event_id, kind, found_by, body, body_sha256, received_at,
                       deliveries, state, attempts, next_at)
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
    SELECT :source, :vendor_id, 'flood-' || :state || n, 'customer.registered', 'webhook', :body, '', :at,
           1, :state, 0, :at FROM numbers
"""


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Iterator[Vera]:
    found = invite_vera(app, cast)
    with app.app_context():
        yield found


def arrive(vera: Vera, *events: VendorEvent) -> None:
    def write(uow: UnitOfWork) -> None:
        for told in events:
            arrival = Arrival(
                source=vendor_source(vera.vendor_id),
                event_id=f"{told.contract_ref}-{told.customer_ref}",
                kind=told.type,
                body=json.dumps(body_of(told)).encode(),
                vendor_id=vera.vendor_id,
                object_ref=told.contract_ref,
            )
            receive(uow, arrival=arrival)

    perform(write)


def flood(vera: Vera, count: int, *, state: str = "new") -> None:
    """So many messages of a vendor, all of them waiting since an hour ago."""
    about = {"source": vendor_source(vera.vendor_id), "vendor_id": vera.vendor_id, "count": count}
    body = json.dumps(body_of(registered(vera))).encode()
    then = utc_now().replace(microsecond=0, tzinfo=None)
    perform(
        lambda uow: (
            uow.session.execute(text(FLOOD), {**about, "body": body, "state": state, "at": then}) and None
        )
    )


def states_of(source: str) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Inbox.state).where(Inbox.source == source).order_by(Inbox.id)))


@contextmanager
def heard() -> Iterator[list[tuple[str, Any]]]:
    """The statements that the database is asked meanwhile."""
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if not statement.startswith("BEGIN"):
            said.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_flood_of_one_sender_holds_up_no_other(app: Flask, cast: Cast, vera: Vera) -> None:
    other = invite_vera(app, cast, name="Other Solar")
    flood(vera, 300)
    arrive(other, activated(other))
    stripe = Arrival(source=STRIPE, event_id="evt_1", kind="unheard.of", body=b"{}")
    perform(lambda uow: receive(uow, arrival=stripe) and None)

    handled = inbox.drain(most=2 * inbox.IN_A_ROW)

    assert handled == 2 * inbox.IN_A_ROW
    assert states_of(vendor_source(other.vendor_id)) == ["done"]
    assert states_of(STRIPE) == ["ignored"]
    assert states_of(vendor_source(vera.vendor_id)).count("new") == 300 - handled + 2


def test_one_senders_messages_take_effect_in_the_order_of_arrival(vera: Vera) -> None:
    arrive(vera, *(registered(vera, customer_ref=f"C{number}") for number in range(25)))

    inbox.drain()

    db.session.rollback()
    assert db.session.scalars(select(Customer.ref).order_by(Customer.id)).all() == [
        f"C{number}" for number in range(25)
    ]


def test_the_next_message_is_found_by_the_index_of_those_that_wait(vera: Vera) -> None:
    flood(vera, 20_000, state="done")
    flood(vera, 20_000)
    perform(lambda uow: uow.session.execute(text("ANALYZE")) and None)

    with heard() as said:
        inbox.drain(most=1)

    (statement, parameters), *_ = (each for each in said if each[0].lstrip().startswith("SELECT inbox"))
    plan = _plan(statement, parameters)
    assert "ix_inbox_turn" in plan
    assert "Sort" not in plan and "TEMP B-TREE" not in plan


def _is_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"


def _plan(statement: str, parameters: Any) -> str:
    how = "EXPLAIN " if _is_postgresql() else "EXPLAIN QUERY PLAN "
    with db.engine.connect() as connection:
        return "\n".join(str(row) for row in connection.exec_driver_sql(how + statement, parameters))


def test_an_activation_takes_few_statements(vera: Vera) -> None:
    def of(number: int) -> VendorEvent:
        told = {"customer_name": f"Rosa {number}", "customer_email": f"rosa{number}@example.com"}
        return activated(vera, contract_ref=f"K{number}", customer_ref=f"C{number}", **told)

    arrive(vera, *map(of, range(11)))
    inbox.drain(most=1)
    with heard() as said:
        handled = inbox.drain(most=inbox.IN_A_ROW)

    assert handled == inbox.IN_A_ROW == 10
    # The first look of a drain may begin at a sender that has nothing.
    assert len(said) <= 10 * MOST_STATEMENTS + 1
    assert len(db.session.scalars(select(Sale.id)).all()) == 11


@pytest.mark.postgres
def test_a_message_that_others_are_in_the_way_of_waits_and_the_rest_goes_on(
    postgresql_database: Any, make_app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.people import invite_cast

    app = make_app(postgresql_database)
    vera = invite_vera(app, invite_cast(app))
    real = effects.VENDOR_EFFECTS["service.activated"]

    def impatient(uow: UnitOfWork, row: Inbox, told: VendorEvent) -> str:
        uow.session.execute(text("SET LOCAL lock_timeout = '20ms'"))
        return real(uow, row, told)

    with app.app_context():
        arrive(vera, registered(vera))
        inbox.drain()
        arrive(vera, activated(vera), activated(vera, customer_ref="C2", contract_ref="K2"))
        monkeypatch.setitem(effects.VENDOR_EFFECTS, "service.activated", impatient)
        with db.engine.connect() as busy:
            busy.execute(text("SELECT id FROM customer WHERE ref = 'C1' FOR UPDATE"))
            handled = inbox.drain()
            while_busy = states_of(vendor_source(vera.vendor_id))
            busy.rollback()

    assert (handled, while_busy) == (2, ["done", "retry", "done"])
