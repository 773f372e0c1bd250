"""Selections: found by criteria, single people left out, made by one person and approved by another."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.kernel.clock import stamped, utc_now
from portal.kernel.errors import BadInput, Conflict, DomainError
from portal.models import Destination, PayoutMethod, PayoutSelectionLine, TaxForm, Withdrawal
from portal.payouts import batches, selections, service, stops
from portal.payouts.approval import approve_selection
from portal.payouts.candidates import Criteria
from tests.payouts.purses import fund


@pytest.fixture
def app(sqlite_app):
    return sqlite_app


@pytest.fixture
def rich(do, ben, cast):
    """Ben has $500.00, Cem $80.00, Dia $20.00, Ana $5.00."""
    for person, cents in ((cast.cem, 80_00), (cast.dia, 20_00), (cast.ana, 5_00)):
        do(fund, person, cents, cycle=cast.cycle)


@pytest.fixture
def find(do, cast, rich):
    return lambda actor=None, **criteria: do(
        lambda uow: selections.find(uow, Criteria(**criteria), actor_id=actor or cast.ada).id
    )


@pytest.fixture
def lines(app):
    """{consultant: (cents, reason)} of a selection."""

    def read(selection):
        with app.app_context():
            rows = db.session.scalars(
                select(PayoutSelectionLine).where(PayoutSelectionLine.selection_id == selection)
            )
            return {row.consultant_id: (row.amount_cents, row.excluded_reason or "") for row in rows}

    return read


@pytest.fixture
def change(do):
    return lambda model, *where, **values: do(
        lambda uow: uow.session.execute(update(model).where(*where).values(**values)) and None
    )


@pytest.fixture
def states(app):
    def look():
        with app.app_context():
            rows = db.session.execute(
                select(Withdrawal.consultant_id, Withdrawal.state, Withdrawal.amount_cents)
            )
            return {owner: (state, cents) for owner, state, cents in rows}

    return look


def test_everybody_from_the_minimum_on_is_found(find, lines, cast):
    assert lines(find(minimum=20_00)) == {
        cast.ben: (500_00, ""),
        cast.cem: (80_00, ""),
        cast.dia: (20_00, ""),
    }


def test_criteria_narrow_the_list(find, lines, cast, change, do):
    change(TaxForm, TaxForm.consultant_id == cast.cem, state="refused")
    ids = {"all": {cast.ben, cast.cem, cast.dia}, "ben and dia": {cast.ben, cast.dia}}

    assert set(lines(find(minimum=20_00, pack="plus"))) == ids["all"]
    assert set(lines(find(minimum=20_00, pack="smart"))) == set()
    assert set(lines(find(minimum=20_00, country="US"))) == ids["all"]
    assert set(lines(find(minimum=20_00, country="CA"))) == set()
    assert set(lines(find(minimum=20_00, method="bank"))) == ids["all"]
    assert set(lines(find(minimum=20_00, method="stripe"))) == set()
    assert set(lines(find(minimum=20_00, tax_form="valid"))) == ids["ben and dia"]
    assert set(lines(find(minimum=20_00, tax_form="missing"))) == {cast.cem}


def test_who_was_paid_lately_is_not_listed(find, lines, cast, do):
    row = do(
        lambda uow: (
            service.request_withdrawal(
                uow, consultant_id=cast.ben, amount=50_00, key="k", actor_id=cast.ada
            ).id
        )
    )
    do(service.approve, withdrawal_id=row, actor_id=cast.fin)
    batch = do(lambda uow: batches.export_batch(uow, withdrawal_ids=[row], actor_id=cast.ada).id)
    do(batches.confirm_batch, batch_id=batch, actor_id=cast.fin)
    today = utc_now().date()

    assert set(lines(find(minimum=20_00, paid_before=today))) == {cast.cem, cast.dia}
    assert cast.ben in lines(find(minimum=20_00, paid_before=today + timedelta(days=1)))


def test_who_cannot_be_paid_is_listed_with_the_reason(find, lines, cast, change, do):
    change(TaxForm, TaxForm.consultant_id == cast.ben, state="refused")
    change(Destination, Destination.consultant_id == cast.cem, replaced_at=utc_now())
    soon = utc_now() + timedelta(hours=2)
    change(Destination, Destination.consultant_id == cast.dia, usable_at=soon)

    found = lines(find())

    assert found[cast.ben] == (500_00, "No valid tax form is signed.")
    assert found[cast.cem] == (80_00, "No way to be paid is set up.")
    assert found[cast.dia][1].startswith("These payment details are new.")
    assert found[cast.ana][1].startswith("Less than $10.00 can be paid by Bank transfer")


def test_the_largest_amount_of_a_method_caps_what_is_paid(find, lines, cast, change):
    change(PayoutMethod, maximum_cents=200_00)

    assert lines(find(minimum=20_00))[cast.ben] == (200_00, "")


def test_a_person_is_left_out_with_a_reason_and_taken_in_again(find, lines, do, cast, states):
    selection = find(minimum=20_00)
    one = {"selection_id": selection, "consultant_id": cast.ben, "actor_id": cast.ada}
    with pytest.raises(BadInput):
        do(selections.leave_out, **one, reason="  ")
    do(selections.leave_out, **one, reason="A question is open.")
    assert lines(selection)[cast.ben] == (500_00, "A question is open.")
    do(selections.take_in, **one)
    assert lines(selection)[cast.ben] == (500_00, "")

    do(selections.leave_out, **one, reason="A question is open.")
    do(lambda uow: selections.make(uow, selection_id=selection, actor_id=cast.ada).id)
    assert set(states()) == {cast.cem, cast.dia}
    with pytest.raises(Conflict):
        do(selections.take_in, **one)


def test_making_sets_the_money_aside_and_two_people_are_needed(find, do, cast, states, purse):
    selection = find(minimum=20_00)
    do(lambda uow: selections.make(uow, selection_id=selection, actor_id=cast.ada).id)

    assert purse(cast.ben) == (0, 0, 500_00, 0)
    assert {state for state, _ in states().values()} == {"requested"}
    with pytest.raises(Conflict):
        do(lambda uow: selections.make(uow, selection_id=selection, actor_id=cast.ada).id)
    with pytest.raises(DomainError, match="Somebody else has to approve"):
        do(approve_selection, selection_id=selection, actor_id=cast.ada)
    assert do(approve_selection, selection_id=selection, actor_id=cast.fin) == []
    assert {state for state, _ in states().values()} == {"approved"}


def test_one_by_one_the_maker_cannot_approve_either(find, do, cast, app):
    selection = find(minimum=20_00)
    do(lambda uow: selections.make(uow, selection_id=selection, actor_id=cast.ada).id)
    with app.app_context():
        row = db.session.scalars(select(Withdrawal.id)).first()

    with pytest.raises(DomainError, match="You made this withdrawal"):
        do(service.approve, withdrawal_id=row, actor_id=cast.ada)


def test_what_changed_meanwhile_is_left_out_with_the_reason(find, do, cast, lines, states):
    selection = find(minimum=20_00)
    do(
        lambda uow: (
            service.request_withdrawal(
                uow, consultant_id=cast.ben, amount=1_00 * 50, key="k", actor_id=cast.fin
            ).id
        )
    )
    do(fund, cast.cem, 1_000_00, cycle=cast.cycle)

    do(lambda uow: selections.make(uow, selection_id=selection, actor_id=cast.ada).id)

    assert lines(selection)[cast.ben][1] == "Less can be paid now than was shown."
    assert states()[cast.cem] == ("requested", 80_00), "what was on the screen, and no more"


def test_own_wallets_are_left_out_and_not_approved(find, do, cast, user_of, lines, states):
    assert cast.ben not in lines(find(actor=user_of(cast.ben), minimum=20_00))

    selection = find(minimum=20_00)
    do(lambda uow: selections.make(uow, selection_id=selection, actor_id=cast.ada).id)
    (refused,) = do(approve_selection, selection_id=selection, actor_id=user_of(cast.ben))

    assert refused.reason == "Somebody else has to decide on your own withdrawal."
    assert {owner: state for owner, (state, _) in states().items()} == {
        cast.ben: "requested",
        cast.cem: "approved",
        cast.dia: "approved",
    }


def test_nothing_is_made_while_payouts_are_stopped_or_above_the_run_limit(find, do, cast, change, states):
    selection = find(minimum=20_00)
    change(PayoutMethod, run_limit_cents=599_99)
    with pytest.raises(BadInput, match="in one run at most"):
        do(lambda uow: selections.make(uow, selection_id=selection, actor_id=cast.ada).id)
    change(PayoutMethod, run_limit_cents=600_00)
    do(lambda uow: stops.stop(uow, cause="test", detail="Something is wrong.").id)
    with pytest.raises(Conflict, match="stopped"):
        do(lambda uow: selections.make(uow, selection_id=selection, actor_id=cast.ada).id)

    assert states() == {}


def test_a_dropped_selection_makes_nothing(find, do, cast):
    selection = find(minimum=20_00)
    do(selections.drop, selection_id=selection, actor_id=cast.ada)

    with pytest.raises(Conflict):
        do(lambda uow: selections.make(uow, selection_id=selection, actor_id=cast.ada).id)


def test_details_that_rest_are_a_reason_with_the_instant_they_rest_until(find, do, cast, lines):
    until = utc_now().replace(microsecond=0) + timedelta(hours=5)
    rests = update(Destination).where(Destination.consultant_id == cast.ben).values(usable_at=until)
    do(lambda uow: uow.session.execute(rests) and None)

    assert lines(find(minimum=20_00))[cast.ben][1].endswith(f"from {stamped(until)} on.")
