"""Statements come once, replace each other by day, and are compared by a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import reactions, relay
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput
from portal.models import Statement, StatementDifference, StatementLine
from portal.statements.lines import Line
from portal.statements.service import receive_statement
from tests.people import Cast
from tests.vendors import NOON, Vera, invite_vera

DAY = date(2026, 11, 16)
LINE = Line(
    line=1, type="service.activated", contract_ref="K1", occurred_at=NOON, customer_ref="C1",
    service_code="solar", size_thousandths=8_400,
)  # fmt: skip


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


def send(do: Callable[..., Any], vera: Vera, content: bytes, *lines: Line, day: date = DAY) -> int:
    sent = {"source": "api", "content": content}
    return int(do(_id_of, vendor_id=vera.vendor_id, day=day, lines=lines, **sent))


def _id_of(uow: Any, **about: Any) -> int:
    return receive_statement(uow, **about).id


def react(app: Flask) -> None:
    with app.app_context():
        relay.carry()
        reactions.drain_money()


def test_the_same_statement_is_kept_once_and_a_later_one_replaces_it(
    app: Flask, do: Callable[..., Any], vera: Vera
) -> None:
    first = send(do, vera, b"a", LINE)
    again = send(do, vera, b"a", LINE)
    second = send(do, vera, b"b", LINE)
    back = send(do, vera, b"a", LINE)

    assert first == again == back != second
    with app.app_context():
        rows = db.session.scalars(select(Statement).order_by(Statement.id)).all()
        assert [row.replaced_at is None for row in rows] == [True, False]
        assert len(db.session.scalars(select(StatementLine.id)).all()) == 2


def test_a_job_writes_down_what_differs(app: Flask, do: Callable[..., Any], vera: Vera) -> None:
    send(do, vera, b"a", LINE)

    react(app)

    with app.app_context():
        difference = db.session.scalars(select(StatementDifference)).one()
        assert (difference.kind, difference.contract_ref, difference.settled_at) == ("missing", "K1", None)
        assert db.session.scalars(select(Statement.compared_at)).one() is not None


def test_a_statement_of_a_day_to_come_and_of_an_unknown_type_is_refused(
    do: Callable[..., Any], vera: Vera
) -> None:
    with pytest.raises(BadInput, match="a day that has begun"):
        send(do, vera, b"a", LINE, day=(utc_now() + timedelta(days=3)).date())
    with pytest.raises(BadInput, match="Line 1: the type must be one of"):
        wrong = Line(line=1, type="customer.registered", contract_ref="K1", occurred_at=NOON)
        send(do, vera, b"a", wrong)
