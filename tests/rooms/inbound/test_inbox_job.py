"""The inbox takes effect in the order of arrival; what cannot, waits, and holds up nobody."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobs import effects, inbox
from portal.extensions import db
from portal.kernel.clock import fixed, utc_now
from portal.models import Consultant, Contract, Inbox, Sale
from portal.store import UnitOfWork, perform
from tests.people import Cast
from tests.vendors import NOON, Vera, activated, cancelled, invite_vera, registered, send


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Iterator[Vera]:
    vera = invite_vera(app, cast)
    yield vera


def drain(app: Flask, *, at: datetime | None = None) -> int:
    with app.app_context():
        return inbox.drain(fixed(at or utc_now() + timedelta(seconds=1)))


def states(app: Flask) -> list[tuple[str, str | None]]:
    with app.app_context():
        return [
            tuple(row) for row in db.session.execute(select(Inbox.state, Inbox.last_error).order_by(Inbox.id))
        ]


def sales_of(app: Flask) -> list[int]:
    with app.app_context():
        return list(db.session.scalars(select(Sale.volume).order_by(Sale.id)))


def test_an_activation_becomes_a_sale(app: Flask, vera: Vera) -> None:
    send(app.test_client(), vera, activated(vera))

    assert drain(app) == 1

    assert states(app) == [("done", None)]
    assert sales_of(app) == [184_00]
    assert drain(app) == 0


def test_a_row_handled_again_by_mistake_changes_nothing(app: Flask, vera: Vera) -> None:
    send(app.test_client(), vera, activated(vera))
    drain(app)
    _set_back(app)

    drain(app)

    assert sales_of(app) == [184_00]
    assert states(app) == [("ignored", "This was said of the contract K1 before.")]


def test_an_unknown_consultant_is_waited_for(app: Flask, vera: Vera, cast: Cast) -> None:
    send(app.test_client(), vera, activated(vera, consultant_code="LATECOME"))
    drain(app)
    waiting = states(app)
    _rename(app, cast.cem, "LATECOME")

    too_early = drain(app, at=utc_now() + timedelta(seconds=5))
    in_time = drain(app, at=utc_now() + timedelta(seconds=14))

    assert waiting == [("retry", "There is no consultant with the code LATECOME.")]
    assert (too_early, in_time) == (0, 1)
    assert states(app) == [("done", None)]
    assert sales_of(app) == [184_00]


def test_after_eight_tries_a_message_is_given_up(app: Flask, vera: Vera) -> None:
    send(app.test_client(), vera, activated(vera, consultant_code="NOBODY22"))
    now = utc_now()
    tries = 0

    while drain(app, at=now) == 1 or tries == 0:
        tries += 1
        now += timedelta(hours=10)

    assert tries == 8
    assert states(app) == [("dead", "There is no consultant with the code NOBODY22.")]


def test_the_waits_triple(app: Flask, vera: Vera) -> None:
    send(app.test_client(), vera, activated(vera, consultant_code="NOBODY22"))
    now = utc_now() + timedelta(seconds=1)
    waits = []

    for _ in range(4):
        drain(app, at=now)
        with app.app_context():
            then = db.session.scalars(select(Inbox.next_at)).one()
        waits.append((then - now).total_seconds())
        now = then

    for wait, planned in zip(waits, (10, 30, 90, 270), strict=True):
        assert 0.79 * planned <= wait <= 1.21 * planned


def test_a_poisoned_message_holds_up_nobody(app: Flask, vera: Vera, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    send(client, vera, registered(vera, customer_ref="C9"), event_id="poison")
    send(client, vera, activated(vera), event_id="sound")
    monkeypatch.setitem(effects.VENDOR_EFFECTS, "customer.registered", _explode)

    handled = drain(app)

    assert handled == 2
    assert states(app) == [("retry", "ZeroDivisionError: integer division or modulo by zero"), ("done", None)]
    assert sales_of(app) == [184_00]


def _explode(uow: UnitOfWork, row: Inbox, event: Any) -> str:
    from portal.sales.customers import find_or_register

    find_or_register(uow, vendor_id=row.vendor_id or 0, event=event)
    _ = 1 // 0


def test_what_a_bug_had_done_before_it_showed_is_undone(
    app: Flask, vera: Vera, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.models import Customer, Outbox

    send(app.test_client(), vera, registered(vera))
    monkeypatch.setitem(effects.VENDOR_EFFECTS, "customer.registered", _explode)

    drain(app)

    with app.app_context():
        assert db.session.scalar(select(func.count(Customer.id))) == 0
        assert db.session.scalar(select(func.count(Outbox.id))) == 0


def test_a_contract_of_another_customer_is_given_up_at_once(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    send(client, vera, activated(vera), event_id="e1")
    send(client, vera, activated(vera, customer_ref="C2"), event_id="e2")

    drain(app)

    assert states(app) == [("done", None), ("dead", "The contract K1 belongs to another customer.")]


def test_a_cancellation_that_overtook_its_contract_waits_for_it(app: Flask, vera: Vera) -> None:
    client = app.test_client()
    bare = cancelled(vera, service_code="", size_thousandths=0, signed_on=None)
    send(client, vera, bare, event_id="e1")
    send(client, vera, activated(vera), event_id="e2")

    drain(app)
    drain(app, at=utc_now() + timedelta(seconds=14))

    assert states(app) == [("done", None), ("done", None)]
    assert sales_of(app) == [184_00, -184_00]
    with app.app_context():
        assert db.session.scalars(select(Contract)).unique().one().cancelled_at == NOON + timedelta(hours=2)


@pytest.mark.postgres
def test_several_workers_share_the_inbox_without_doing_anything_twice(
    postgresql_database: Any, make_app: Any
) -> None:
    from tests.people import invite_cast

    app = make_app(postgresql_database)
    vera = invite_vera(app, invite_cast(app))
    client = app.test_client()
    for number in range(40):
        refs = {"customer_ref": f"C{number % 5}", "contract_ref": f"K{number % 20}"}
        send(
            client,
            vera,
            activated(vera, **refs | {"customer_ref": f"C{number % 20 % 5}"}),
            event_id=f"e{number}",
        )

    with ThreadPoolExecutor(6) as pool:
        handled = sum(pool.map(lambda _: drain(app), range(6)))

    assert handled == 40
    found = [state for state, _ in states(app)]
    assert (found.count("done"), found.count("ignored")) == (20, 20)
    assert sales_of(app) == [184_00] * 20


def _set_back(app: Flask) -> None:
    def write(uow: UnitOfWork) -> None:
        uow.session.scalars(select(Inbox)).one().state = "new"

    with app.app_context():
        perform(write)


def _rename(app: Flask, consultant_id: int, code: str) -> None:
    def write(uow: UnitOfWork) -> None:
        uow.session.get_one(Consultant, consultant_id).code = code

    with app.app_context():
        perform(write)
