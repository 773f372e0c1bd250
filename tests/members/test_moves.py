"""Moves in the tree: two people, at the beginning of a cycle, and what was before stays as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal import live
from portal.commissions import beginnings, cycles
from portal.commissions.replay import replay
from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict, DomainError
from portal.members import moves
from portal.members.moves import Wish
from portal.models import Audit, Carry, Consultant, Cycle, Outbox, Placement, PlacementMove, Run
from portal.store import perform
from tests.commissions.closed import ZONE, closed
from tests.people import add_consultant
from tests.shop import add_sale

WHY = "Placed on the wrong side by mistake"


@pytest.fixture
def people(app, cast):
    """Eve stands left of Ben with Fay below her; Ben is left of Ana, Cem right."""

    def write(uow):
        eve = add_consultant(uow, "Eve", sponsor=cast.ben, under=(cast.ben, "L"))
        return eve, add_consultant(uow, "Fay", sponsor=eve, under=(eve, "R"))

    with app.app_context():
        yield cast, *perform(write)


def propose(who, parent, leg, actor, reason=WHY):
    return perform(lambda uow: moves.propose(uow, Wish(who, parent, leg, reason), actor_id=actor).id)


def approve(move_id, actor):
    return perform(lambda uow: moves.approve(uow, move_id=move_id, actor_id=actor).state)


def end():
    perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True) and None)


def state(move_id):
    db.session.expire_all()
    found = db.session.get_one(PlacementMove, move_id)
    return found.state, found.problem or ""


def legs(consultant_id):
    found = live.legs([consultant_id]).legs[0]
    return found.left, found.right, found.people_left, found.people_right


def test_a_move_is_done_when_the_next_cycle_begins_and_takes_everybody_below_along(people):
    cast, eve, fay = people
    perform(lambda uow: add_sale(uow, fay, 100_00))
    move = propose(eve, cast.cem, "R", cast.ada)
    assert legs(cast.ana) == (100_00, 0, 3, 1)
    approve(move, cast.fin)
    assert legs(cast.ana) == (100_00, 0, 3, 1), "nothing happens before the cycle ends"

    end()
    perform(lambda uow: add_sale(uow, fay, 70_00))

    assert state(move) == ("done", "")
    assert legs(cast.ana) == (0, 70_00, 1, 3)
    rows = db.session.scalars(
        select(Placement).where(Placement.consultant_id == eve).order_by(Placement.id)
    ).all()
    assert [(row.parent_id, row.leg) for row in rows] == [(cast.ben, "L"), (cast.cem, "R")]
    began = db.session.scalars(select(Cycle.ended_at).where(Cycle.id == cast.cycle)).one()
    assert rows[0].valid_until == rows[1].valid_from == began
    done = [note.action for note in db.session.scalars(select(Audit).where(Audit.thing == "move"))]
    assert done == ["move.propose", "move.approved", "move.done"]
    placed = [
        fact.body for fact in db.session.scalars(select(Outbox).where(Outbox.name == "consultant.placed"))
    ]
    assert {"consultant_id": eve} in placed


def test_what_was_sold_before_stays_in_the_leg_where_it_was(people):
    cast, eve, fay = people
    perform(lambda uow: add_sale(uow, fay, 100_00))
    approve(propose(eve, cast.cem, "R", cast.ada), cast.fin)
    run_id = closed(cast.cycle, cast.ada, cast.fin)

    carry = db.session.get_one(Carry, (run_id, cast.ana))
    assert (carry.new_left, carry.new_right, carry.left) == (100_00, 0, 100_00)
    assert replay(db.session(), db.session.get_one(Run, run_id)).is_same

    perform(lambda uow: add_sale(uow, fay, 30_00))
    second = db.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
    carry = db.session.get_one(Carry, (closed(second, cast.ada, cast.fin), cast.ana))
    assert (carry.new_left, carry.new_right) == (0, 30_00), "what is sold after it counts on the new side"


def test_a_cycle_that_ends_late_still_computes_with_the_old_tree(people):
    """Between the time at which a cycle is over and its end, sales are still its own."""
    cast, eve, fay = people
    perform(lambda uow: add_sale(uow, fay, 100_00))
    approve(propose(eve, cast.cem, "R", cast.ada), cast.fin)
    late = db.session.get_one(Cycle, cast.cycle).until + timedelta(hours=3)
    perform(lambda uow: cycles.end_if_due(uow, zone=ZONE) and None, clock=lambda: late)

    run = perform(lambda uow: cycles.preview(uow, cycle_id=cast.cycle).id)

    carry = db.session.get_one(Carry, (run, cast.ana))
    assert (carry.new_left, carry.new_right) == (100_00, 0)


def test_the_old_tree_needs_the_old_place_to_count_at_the_very_moment(people, monkeypatch):
    """Shows that the test above can fail: with a move dated to the cycle's planned start it would."""
    cast, eve, fay = people
    perform(lambda uow: add_sale(uow, fay, 100_00))
    approve(propose(eve, cast.cem, "R", cast.ada), cast.fin)
    until = db.session.get_one(Cycle, cast.cycle).until
    dated_back = {"moves": lambda uow, at: moves.carry_out(uow, until)}
    monkeypatch.setattr(beginnings, "_steps", dated_back)
    late = until + timedelta(hours=3)
    perform(lambda uow: cycles.end_if_due(uow, zone=ZONE) and None, clock=lambda: late)

    run = perform(lambda uow: cycles.preview(uow, cycle_id=cast.cycle).id)

    assert db.session.get_one(Carry, (run, cast.ana)).new_right == 100_00


def test_a_spot_that_was_taken_meanwhile_refuses_the_move_with_the_reason(people):
    cast, eve, _ = people
    move = propose(eve, cast.cem, "R", cast.ada)
    approve(move, cast.fin)
    perform(lambda uow: add_consultant(uow, "Gus", sponsor=cast.cem, under=(cast.cem, "R")) and None)

    end()

    assert state(move) == ("refused", "Somebody stands on this spot. Please choose another one.")
    stands = select(Placement.parent_id).where(
        Placement.consultant_id == eve, Placement.valid_until.is_(None)
    )
    assert db.session.scalars(stands).one() == cast.ben
    assert db.session.scalars(select(Cycle.state).where(Cycle.id == cast.cycle)).one() == "ended"


def test_nobody_can_be_moved_below_themselves(people):
    cast, eve, fay = people
    for parent in (eve, fay):
        with pytest.raises(BadInput, match="own team"):
            propose(eve, parent, "L", cast.ada)


def test_two_moves_that_would_make_a_ring_are_not_both_done(people):
    """Each is possible alone: Ben's branch below Cem, and Cem's below Ben."""
    cast, *_ = people
    first, second = propose(cast.ben, cast.cem, "L", cast.ada), propose(cast.cem, cast.ben, "R", cast.ada)
    approve(first, cast.fin)
    approve(second, cast.fin)

    end()

    assert state(first)[0] == "done"
    assert state(second) == ("refused", "Nobody can stand below themselves: this spot is in their own team.")
    assert legs(cast.ana)[2:] == (0, 4)


def test_a_taken_spot_a_second_wish_a_short_reason_and_a_stranger_without_a_place_are_refused(people):
    cast, eve, fay = people
    waiting = perform(lambda uow: add_consultant(uow, "Nia", sponsor=cast.ana))
    for who, parent, leg, error in (
        (fay, cast.ana, "L", "stands on this spot"),
        (waiting, cast.cem, "L", "no place yet"),
        (fay, waiting, "L", "no place in the tree"),
        (fay, cast.cem, "X", "left or right"),
    ):
        with pytest.raises(DomainError, match=error):
            propose(who, parent, leg, cast.ada)
    with pytest.raises(BadInput, match="reason"):
        propose(eve, cast.cem, "L", cast.ada, reason="because")
    propose(eve, cast.cem, "L", cast.ada)
    with pytest.raises(Conflict, match="waits for a move already"):
        propose(eve, cast.cem, "R", cast.fin)


def test_one_person_alone_moves_nobody(people):
    cast, eve, _ = people
    move = propose(eve, cast.cem, "R", cast.ada)
    with pytest.raises(DomainError, match="Somebody else"):
        approve(move, cast.ada)

    end()

    assert state(move)[0] == "proposed"
    assert approve(move, cast.fin) == "approved"
    with pytest.raises(Conflict, match="decided already"):
        approve(move, cast.fin)


def test_a_rejected_move_is_over_and_another_one_can_be_proposed(people):
    cast, eve, _ = people
    move = propose(eve, cast.cem, "R", cast.ada)
    with pytest.raises(BadInput, match="why not"):
        perform(lambda uow: moves.reject(uow, move_id=move, actor_id=cast.fin, decision=" "))
    perform(lambda uow: moves.reject(uow, move_id=move, actor_id=cast.fin, decision="No reason") and None)

    end()

    assert state(move)[0] == "rejected"
    assert propose(eve, cast.cem, "R", cast.ada) != move


def test_whoever_keeps_the_company_does_not_move_themselves(people):
    cast, eve, _ = people

    def lend(uow):
        from portal.models import AccountUser

        consultant = uow.session.get_one(Consultant, eve)
        return uow.session.scalars(
            select(AccountUser.id).where(AccountUser.person_id == consultant.person_id)
        ).one()

    with pytest.raises(DomainError, match="own place"):
        propose(eve, cast.cem, "R", perform(lend))
