"""While a stop stands, nothing that asks goes on; one for each cause, lifted with a reason, once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.models import Audit
from portal.payouts import stops


def stop(do, cause="books", detail="Something is off."):
    return do(lambda uow: stops.stop(uow, cause=cause, detail=detail).id)


def test_one_stop_for_each_cause_and_the_first_one_stays(app, cast, do):
    first = stop(do)

    assert stop(do, detail="Again.") == first
    assert stop(do, cause="match") != first
    with app.app_context():
        assert [found.detail for found in stops.standing(db.session())] == ["Something is off."] * 2


def test_nothing_goes_on_before_every_stop_is_lifted(cast, do):
    rows = [stop(do), stop(do, cause="match")]
    for row in rows:
        with pytest.raises(Conflict):
            do(stops.refuse_while_stopped)
        do(lambda uow, row=row: stops.lift(uow, stop_id=row, actor_id=cast.fin, reason="Found it.") and None)

    do(stops.refuse_while_stopped)
    assert stop(do) not in rows, "a cause can stop again"


def test_a_stop_is_lifted_once_with_a_reason_and_it_is_written_down_who_did(app, cast, do):
    row = stop(do)
    for reason in ("", " ", "x" * 501):
        with pytest.raises(BadInput):
            do(stops.lift, stop_id=row, actor_id=cast.fin, reason=reason)
    with pytest.raises(NotYours):
        do(stops.lift, stop_id=424242, actor_id=cast.fin, reason="Found it.")
    do(lambda uow: stops.lift(uow, stop_id=row, actor_id=cast.fin, reason="Found it.") and None)

    with pytest.raises(Conflict):
        do(stops.lift, stop_id=row, actor_id=cast.fin, reason="Found it.")
    with app.app_context():
        notes = db.session.execute(select(Audit.action, Audit.actor_id).where(Audit.thing == "payout_stop"))
        assert [tuple(note) for note in notes] == [("payouts.stop", None), ("payouts.lift", cast.fin)]


def test_two_checks_that_fail_at_once_make_one_stop(app, cast):
    from concurrent.futures import ThreadPoolExecutor

    from portal.store import perform

    def fail(_):
        with app.app_context():
            try:
                return perform(lambda uow: stops.stop(uow, cause="books", detail="Something is off.").id)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(8) as hands:
        assert len(set(hands.map(fail, range(16)))) == 1
