"""Many differences settled by one press: each for itself, by a job, and nothing that was not chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobs import inbox, relay, statements
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.vendor_events import VendorEvent
from portal.models import Audit, Statement, StatementDifference
from portal.statements import several
from portal.statements.settling import KEEP, REVERSE, THEIRS, settle
from portal.statements.several import Wanted
from tests.people import Cast
from tests.statements import world
from tests.vendors import Vera, activated, invite_vera

LOST = 60


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Vera:
    return invite_vera(app, cast)


@pytest.fixture
def one(vera: Vera) -> VendorEvent:
    """An activation of yesterday."""
    return activated(vera, occurred_at=utc_now() - timedelta(days=1), signed_on=None)


@pytest.fixture
def lost(app: Flask, vera: Vera, one: VendorEvent) -> list[VendorEvent]:
    """Activations that only the statement names, and one, K1, that only an event told of."""
    events = [replace(one, contract_ref=f"L{number}", customer_ref=f"D{number}") for number in range(LOST)]
    world.tell(app, vera, [one])
    world.send_statements(app, vera, events)
    return events


def statement_id(app: Flask) -> int:
    """The statement that has differences."""
    with app.app_context():
        return int(db.session.scalars(select(StatementDifference.statement_id).limit(1)).one())


def work_off(app: Flask) -> None:
    with app.app_context():
        statements.settle_chosen()
        inbox.drain()
        statements.compare_again()


def test_all_of_a_kind_are_settled_by_a_job_each_for_itself(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, lost: list[VendorEvent]
) -> None:
    about = {"statement_id": statement_id(app), "actor_id": cast.fin}

    asked = do(several.ask, wanted=Wanted(THEIRS, kind="missing"), **about)
    before = world.net(app, vera)
    with app.app_context():
        due = relay.perform(relay._due)
    work_off(app)

    assert asked == LOST and len(before) == 1 and "statement-settling" in due
    assert [kind for _id, kind in world.open_ones(app)] == ["extra"]
    assert len(world.net(app, vera)) == LOST + 1
    with app.app_context():
        by_action = select(Audit.action, func.count()).group_by(Audit.action)
        counted = {row[0]: row[1] for row in db.session.execute(by_action)}
        assert (counted["difference settled"], counted["differences chosen"]) == (LOST, 1)
        who = set(db.session.scalars(select(StatementDifference.settled_by)))
        assert who == {cast.fin, None}


def test_only_those_that_are_chosen_and_only_where_the_choice_fits(
    app: Flask, do: Callable[..., Any], cast: Cast, lost: list[VendorEvent]
) -> None:
    about = {"statement_id": statement_id(app), "actor_id": cast.fin}
    with app.app_context():
        rows = db.session.scalars(select(StatementDifference).order_by(StatementDifference.id)).all()
        named = tuple(
            row.public_id for row in rows if row.kind == "extra" or row.contract_ref in ("L1", "L2")
        )
        statement = db.session.get_one(Statement, about["statement_id"])
        look = several.look(db.session(), statement, Wanted(REVERSE, public_ids=named))
        assert ([each.difference.contract_ref for each in look.known], look.left) == (["K1"], 2)

    with pytest.raises(BadInput, match="Please write why"):
        do(several.ask, wanted=Wanted(KEEP, public_ids=named), **about)
    with pytest.raises(BadInput, match="at least one"):
        do(several.ask, wanted=Wanted(KEEP, note="x", public_ids=("nothing",)), **about)
    with pytest.raises(BadInput, match="None of the chosen"):
        do(several.ask, wanted=Wanted(REVERSE, kind="missing"), **about)
    assert do(several.ask, wanted=Wanted(KEEP, note="A test of theirs.", public_ids=named), **about) == 3
    work_off(app)

    with app.app_context():
        kept = select(StatementDifference.contract_ref).where(StatementDifference.choice == KEEP)
        assert set(db.session.scalars(kept)) == {"K1", "L1", "L2"}
    assert len(world.open_ones(app)) == LOST - 2


def test_what_came_after_the_look_is_not_settled_by_it(
    app: Flask, do: Callable[..., Any], cast: Cast, lost: list[VendorEvent]
) -> None:
    with app.app_context():
        first = select(StatementDifference.id).where(StatementDifference.kind == "missing")
        until = db.session.scalars(first.order_by(StatementDifference.id).limit(1)).one()

    wanted = Wanted(THEIRS, kind="missing", until=until)
    about = {"statement_id": statement_id(app), "actor_id": cast.fin}

    assert do(several.ask, wanted=wanted, **about) == 1


def test_what_somebody_settled_or_a_later_statement_ended_meanwhile_is_left_alone(
    app: Flask, do: Callable[..., Any], cast: Cast, vera: Vera, lost: list[VendorEvent]
) -> None:
    about = {"statement_id": statement_id(app), "actor_id": cast.fin}
    [(first, _), *_rest] = world.open_ones(app)
    do(several.ask, wanted=Wanted(THEIRS, kind="missing"), **about)
    do(settle, difference_id=first, choice=KEEP, note="Not this one.", actor_id=cast.ada)
    world.send_statements(app, vera, lost[:1])
    work_off(app)

    with app.app_context():
        rows = db.session.scalars(
            select(StatementDifference).where(StatementDifference.statement_id == about["statement_id"])
        ).all()
        by_choice = {choice: [row for row in rows if row.choice == choice] for choice in (KEEP, THEIRS, None)}
    assert (by_choice[KEEP][0].settled_by, by_choice[THEIRS]) == (cast.ada, [])
    assert {row.note for row in by_choice[None]} >= {
        "A later statement of this day replaced the one this is about."
    }
    with pytest.raises(Conflict, match="later statement"):
        do(several.ask, wanted=Wanted(THEIRS, kind="missing"), **about)
