"""Whatever events were lost, told twice or wrong: believing the statements ends in the books of truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import statements
from portal.extensions import db
from portal.gateways.vendor_events import parse
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.vendor_events import VendorEvent
from portal.models import Audit, Inbox, Statement, StatementDifference, TermsVersion
from portal.statements import queries
from portal.statements.settling import ASK, KEEP, REVERSE, THEIRS, settle
from portal.store import UnitOfWork, perform, statement_days
from tests.people import Cast
from tests.statements import world
from tests.vendors import Vera, activated, invite_vera


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


@pytest.mark.parametrize("seed", range(5))
def test_believing_the_statements_ends_in_the_books_of_the_full_run(
    app: Flask, cast: Cast, vera: Vera, seed: int
) -> None:
    rng = Random(seed)
    other = invite_vera(app, cast, name="Other Solar")
    events = world.truth(rng, vera)
    world.tell(app, vera, events)
    world.tell(app, other, world.disturbed(rng, events, other))
    wrong = world.net(app, other)

    world.send_statements(app, vera, events)
    agreed = world.open_ones(app)
    world.send_statements(app, other, events)
    settled = [world.believe(app, rng, cast.fin) for _round in range(2)]

    assert agreed == []
    assert wrong != world.net(app, vera), "the events were not disturbed"
    assert settled[0] > 0 and settled[1] == 0
    assert world.net(app, other) == world.net(app, vera)
    assert world.open_ones(app) == []


@pytest.fixture
def one(vera: Vera) -> VendorEvent:
    """An activation of yesterday."""
    return activated(vera, occurred_at=utc_now() - timedelta(days=1), signed_on=None)


def only(app: Flask) -> StatementDifference:
    with app.app_context():
        return db.session.scalars(select(StatementDifference)).one()


def test_an_event_that_was_lost_is_made_of_the_line_and_says_where_it_came_from(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, one: VendorEvent
) -> None:
    world.send_statements(app, vera, [one])
    do(settle, difference_id=only(app).id, choice=THEIRS, note="", actor_id=cast.fin)

    with app.app_context():
        row = db.session.scalars(select(Inbox)).one()
        assert (row.found_by, row.deliveries, row.event_id) == ("statement", 0, only(app).event_id)
        assert parse(row.body) == one
        assert "difference settled" in db.session.scalars(select(Audit.action)).all()


def test_keeping_ours_needs_a_reason_and_is_done_once(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, one: VendorEvent
) -> None:
    world.send_statements(app, vera, [one])
    about = {"difference_id": only(app).id, "actor_id": cast.fin}

    with pytest.raises(BadInput, match="Please write why"):
        do(settle, choice=KEEP, note=" ", **about)
    with pytest.raises(BadInput, match="Please choose"):
        do(settle, choice=REVERSE, note="", **about)
    do(settle, choice=KEEP, note="It was a test of theirs.", **about)
    with pytest.raises(Conflict, match="settled this already"):
        do(settle, choice=THEIRS, note="", **about)

    assert (only(app).choice, only(app).note, only(app).settled_by) == (
        KEEP,
        "It was a test of theirs.",
        cast.fin,
    )


def test_a_question_stays_open_and_a_later_event_ends_it_by_itself(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, one: VendorEvent
) -> None:
    world.send_statements(app, vera, [one])
    do(settle, difference_id=only(app).id, choice=ASK, note="Is this true?", actor_id=cast.fin)
    asked = only(app)

    world.tell(app, vera, [one])
    with app.app_context():
        statements.compare_again()

    assert (asked.choice, asked.settled_at) == (ASK, None)
    assert (only(app).choice, only(app).settled_by) == ("by_itself", None)
    assert world.open_ones(app) == []


def test_a_later_statement_replaces_the_earlier_and_what_was_settled_stays_settled(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, one: VendorEvent
) -> None:
    lost = replace(one, contract_ref="K2", customer_ref="C2")
    world.send_statements(app, vera, [one])
    first = only(app)
    do(settle, difference_id=first.id, choice=KEEP, note="Theirs is wrong.", actor_id=cast.fin)

    world.send_statements(app, vera, [one, lost])

    with app.app_context():
        rows = db.session.scalars(select(StatementDifference).order_by(StatementDifference.id)).all()
        assert [row.contract_ref for row in rows] == ["K1", "K2"]
    assert [kind for _id, kind in world.open_ones(app)] == ["missing"]


def test_what_only_the_earlier_statement_said_can_no_longer_be_settled(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, one: VendorEvent
) -> None:
    world.send_statements(app, vera, [one])
    world.send_statements(app, vera, [])

    with pytest.raises(Conflict, match="later statement"):
        do(settle, difference_id=only(app).id, choice=THEIRS, note="", actor_id=cast.fin)


def test_another_consultant_cannot_be_booked_and_needs_a_reason(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, one: VendorEvent
) -> None:
    world.tell(app, vera, [one])
    world.send_statements(app, vera, [replace(one, consultant_code=vera.ana)])
    about = {"difference_id": only(app).id, "actor_id": cast.fin}

    assert only(app).fields == {"consultant": [vera.ben, vera.ana]}
    with pytest.raises(BadInput, match="Please choose"):
        do(settle, choice=THEIRS, note="", **about)
    do(settle, choice=KEEP, note="The customer stays with Ben.", **about)


def test_a_size_told_wrong_is_put_right_and_the_sale_with_it(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, one: VendorEvent
) -> None:
    world.tell(app, vera, [replace(one, size_thousandths=9_000)])
    world.send_statements(app, vera, [one])
    before = world.net(app, vera)

    world.believe(app, Random(0), cast.fin)

    assert list(before.values()) == [(190_00, 650_00)]
    assert list(world.net(app, vera).values()) == [(184_00, 620_00)]


MONTHS = ("2026-09", "2026-10")


@pytest.fixture
def renewed(app: Flask, vera: Vera, one: VendorEvent) -> list[VendorEvent]:
    """A contract with two renewed months, each worth 10.00 volume and $30.00."""
    with app.app_context():
        perform(_pay_by_the_month)
    more = {"type": "service.renewed", "size_thousandths": 0, "service_code": ""}
    return [one] + [
        replace(
            one,
            period=month,
            occurred_at=one.occurred_at + timedelta(minutes=at),
            milestone="renewed",
            **more,
        )
        for at, month in enumerate(MONTHS, 1)
    ]


def _pay_by_the_month(uow: UnitOfWork) -> None:
    terms = uow.session.scalars(select(TermsVersion)).one()
    terms.kind, terms.residual_volume_flat, terms.residual_revenue_flat_cents = "recurring", 10_00, 30_00


def test_a_month_that_was_never_renewed_is_taken_back_and_the_other_stays(
    app: Flask, cast: Cast, vera: Vera, renewed: list[VendorEvent]
) -> None:
    world.tell(app, vera, renewed)
    world.send_statements(app, vera, renewed[:-1])
    [(_id, kind)] = world.open_ones(app)
    before = world.net(app, vera)

    world.believe(app, Random(0), cast.fin)

    with app.app_context():
        last = db.session.scalars(select(Inbox).order_by(Inbox.id.desc())).first()
        assert last is not None and (last.state, last.found_by) == ("done", "statement")
        assert last.outcome == "taken back: renewed for October 2026, 10 volume, $30.00"
    assert kind == "extra" and world.open_ones(app) == []
    gone = {what: value for what, value in before.items() if what not in world.net(app, vera)}
    assert [(what[1], value) for what, value in gone.items()] == [("renewed-2026-10", (10_00, 30_00))]


def test_a_refund_of_one_month_that_was_lost_is_booked_for_that_month_alone(
    app: Flask, cast: Cast, vera: Vera, renewed: list[VendorEvent]
) -> None:
    back = replace(renewed[-1], type="service.refunded", milestone="", refund_share=2_500)
    world.tell(app, vera, renewed)
    world.send_statements(app, vera, [*renewed, back])
    before = world.net(app, vera)

    world.believe(app, Random(0), cast.fin)

    after = world.net(app, vera)
    changed = {what[1]: value for what, value in after.items() if value != before[what]}
    assert changed == {"renewed-2026-10": (7_50, 22_50)}
    assert after.keys() == before.keys() and world.open_ones(app) == []


@pytest.mark.parametrize("kind", world.NEVER_TRUE)
def test_what_only_we_know_of_is_taken_back_and_counts_as_never_said(
    app: Flask, cast: Cast, vera: Vera, renewed: list[VendorEvent], kind: str
) -> None:
    share = 5_000 if kind == "service.refunded" else 0
    about = {"type": kind, "milestone": "", "size_thousandths": 0, "signed_on": None, "refund_share": share}
    wrong = replace(renewed[0], **about)
    world.tell(app, vera, renewed[:-1])
    before = world.net(app, vera)
    world.tell(app, vera, [*renewed[:-1], wrong])
    world.send_statements(app, vera, renewed[:-1])

    world.believe(app, Random(0), cast.fin)

    assert world.open_ones(app) == [] and world.net(app, vera) == before
    with app.app_context():
        row = db.session.scalars(select(Inbox).order_by(Inbox.id.desc())).first()
        assert row is not None and (row.kind, row.state, row.found_by) == (
            "fact.withdrawn",
            "done",
            "statement",
        )
        said = json.loads(row.body)
        assert said["by"] == cast.fin and "does not name it" in said["reason"]


def test_what_was_taken_back_is_missing_where_a_later_statement_names_it_and_can_be_booked_again(
    app: Flask, cast: Cast, vera: Vera, one: VendorEvent
) -> None:
    world.tell(app, vera, [one])
    before = world.net(app, vera)
    world.send_statements(app, vera, [])
    world.believe(app, Random(0), cast.fin)
    between = world.net(app, vera)
    world.tell(app, vera, [one])

    world.send_statements(app, vera, [one])
    kinds = [kind for _id, kind in world.open_ones(app)]
    world.believe(app, Random(0), cast.fin)

    assert (between, kinds, world.open_ones(app)) == ({}, ["missing"], [])
    assert world.net(app, vera) == before


@pytest.fixture
def refused(app: Flask, cast: Cast, vera: Vera, one: VendorEvent) -> StatementDifference:
    """A missing line was believed; its event names a contract of another customer, and is given up."""
    world.tell(app, vera, [one])
    world.send_statements(app, vera, [one, replace(one, type="service.signed", customer_ref="C9")])
    world.believe(app, Random(0), cast.fin)
    return only(app)


def test_what_was_settled_by_an_event_that_was_refused_is_open_again(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, refused: StatementDifference
) -> None:
    with app.app_context():
        assert [row.state for row in db.session.scalars(select(Inbox).order_by(Inbox.id))] == ["done", "dead"]
        day = queries.days(db.session(), vera.vendor_id)
        counted = statement_days.open_by_vendor(db.session())
        statement = db.session.get_one(Statement, refused.statement_id)
        [shown] = queries.differences(db.session(), statement, still_open=True)
        assert (shown.known.is_not_done, queries.differences(db.session(), statement, still_open=False)) == (
            True,
            [],
        )
        statements.compare_again()

    assert refused.settled_at is not None
    assert counted == {vera.vendor_id: 1} and sum(each.open for each in day) == 1
    assert world.open_ones(app) == [(refused.id, "missing")]

    do(settle, difference_id=refused.id, choice=KEEP, note="A slip of theirs.", actor_id=cast.fin)

    assert world.open_ones(app) == [] and only(app).event_id is None


def test_an_event_that_was_given_up_is_tried_again_by_the_same_choice(
    app: Flask, do: Callable[..., Any], cast: Cast, refused: StatementDifference
) -> None:
    do(settle, difference_id=refused.id, choice=THEIRS, note="", actor_id=cast.fin)

    with app.app_context():
        states = [row.state for row in db.session.scalars(select(Inbox).order_by(Inbox.id))]
    assert states == ["done", "retry"] and world.open_ones(app) == []
    with pytest.raises(Conflict, match="settled this already"):
        do(settle, difference_id=refused.id, choice=KEEP, note="x", actor_id=cast.fin)
