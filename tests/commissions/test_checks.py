"""Checks of a run: red ones stop an approval and a close, amber ones ask for a reason of their figure."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from jobs import commissions as jobs
from portal.commissions import approving, checks, cycles
from portal.commissions.approving import Answer
from portal.commissions.beside import beside
from portal.commissions.checks import Limits
from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.ids import new_id
from portal.models import (
    Audit,
    CheckReason,
    CommissionLine,
    Contract,
    ContractFact,
    Customer,
    Cycle,
    Inbox,
    Run,
    Sale,
    StatementDifference,
    TaxForm,
    Vendor,
)
from portal.statements.service import receive_statement
from tests.shop import add_sale, reverse_sale

WORDS = "The vendor told us on the phone that nothing happened."


@pytest.fixture
def sold(app, cast, do):
    """Ben and Cem sold in the open cycle; Ana stands above them."""
    do(add_sale, cast.ben, 400_00, revenue=3_000_00)
    do(add_sale, cast.cem, 300_00, revenue=3_000_00)
    return cast


@pytest.fixture
def preview(app, do):
    """Ends the open cycle, or previews the ended one again; its id."""

    def run(cycle_id):
        with app.app_context():
            zone = jobs.company_zone()
            state = db.session.get_one(Cycle, cycle_id).state
        if state == "open":
            do(cycles.end_if_due, zone=zone, early=True)
        do(lambda uow: cycles.preview(uow, cycle_id=cycle_id).id)
        return cycle_id

    return run


@pytest.fixture
def look(app):
    """What each check finds: (passed, number), by code."""

    def read(cycle_id, **limits):
        with app.app_context():
            cycle = db.session.get_one(Cycle, cycle_id)
            found = checks.findings(db.session(), beside(db.session(), cycle), Limits(**limits))
            return {one.check.code: (one.passed, one.seen.number) for one in found}

    return read


@pytest.fixture
def yes(app, do):
    def approve(cycle_id, actor_id, limits=None):
        with app.app_context():
            run_id = db.session.get_one(Cycle, cycle_id).preview_run_id
        ids = {"cycle_id": cycle_id, "run_id": run_id, "actor_id": actor_id}
        return do(approving.approve, limits=limits or Limits(), **ids)

    return approve


@pytest.fixture
def say(app, do):
    def write(cycle_id, code, figure, actor_id, text=WORDS):
        with app.app_context():
            run_id = db.session.get_one(Cycle, cycle_id).preview_run_id
        answer = Answer(run_id, code, figure, text)
        do(
            lambda uow: (
                approving.write_reason(
                    uow, cycle_id=cycle_id, answer=answer, actor_id=actor_id, limits=Limits()
                ).id
            )
        )

    return write


def test_a_sound_run_passes_every_check(sold, preview, look):
    found = look(preview(sold.cycle), ratio_cap=600)

    assert set(found) == set(checks.CHECKS) - {"rise"}
    assert all(passed for passed, _number in found.values())
    assert (found["ties"], found["sum"], found["cap"]) == ((True, 2), (True, 358_00), (True, 596))


def spoil_a_line(session, cast):
    line = session.scalars(select(CommissionLine).limit(1)).one()
    line.amount_cents += 1


def lose_a_sale(session, cast):
    line = session.scalars(select(CommissionLine).where(CommissionLine.kind == "retail").limit(1)).one()
    line.sale_id = None


def forge_the_result(session, cast):
    run = session.scalars(select(Run)).one()
    run.output_hash, run.totals = "f" * 64, dict(run.totals)


def open_an_older_cycle(session, cast):
    cycle = session.get_one(Cycle, cast.cycle)
    starts = cycle.starts_at - timedelta(days=7)
    session.add(
        Cycle(
            name="2001-W01",
            starts_at=starts,
            until=cycle.starts_at,
            state="ended",
            plan_version_id=cycle.plan_version_id,
        )
    )


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (spoil_a_line, "sum"),
        (lose_a_sale, "ties"),
        (forge_the_result, "twice"),
        (open_an_older_cycle, "earlier"),
    ],
)
def test_a_red_check_that_fails_stops_approval_and_close(app, sold, preview, look, yes, do, spoil, code):
    preview(sold.cycle)
    do(lambda uow: spoil(uow.session, sold))

    assert look(sold.cycle)[code][0] is False
    with pytest.raises(Conflict, match=rf"cannot be approved. Not so: .*\({code}\)"):
        yes(sold.cycle, sold.ada)
    do(lambda uow: setattr(uow.session.get_one(Cycle, sold.cycle), "state", "approved"))
    with pytest.raises(Conflict, match=rf"cannot be closed. Not so: .*\({code}\)"):
        do(approving.request_close, cycle_id=sold.cycle, actor_id=sold.ada, limits=Limits())
    with app.app_context():
        assert db.session.get_one(Cycle, sold.cycle).close_requested_at is None


def test_a_payout_ratio_over_the_cap_stops_the_approval(sold, preview, look, yes):
    preview(sold.cycle)

    assert look(sold.cycle, ratio_cap=595)["cap"] == (False, 596)
    assert "cap" not in look(sold.cycle)
    with pytest.raises(Conflict, match="within the cap"):
        yes(sold.cycle, sold.ada, Limits(ratio_cap=595))
    assert yes(sold.cycle, sold.ada, Limits(ratio_cap=596)) == 1


def silent_vendor(uow, cast):
    uow.session.add(Vendor(public_id=new_id(), name="Quiet Cam", core=False, created_at=uow.clock()))


def waiting_event(uow, cast):
    now = uow.clock()
    uow.session.add(
        Inbox(
            source="vendor",
            event_id="7",
            kind="service.activated",
            body=b"",
            body_sha256="0" * 64,
            received_at=now,
            deliveries=1,
            state="dead",
            attempts=8,
            next_at=now,
            last_error="No such contract.",
        )
    )


def no_tax_form(uow, cast):
    uow.session.execute(update(TaxForm).where(TaxForm.consultant_id == cast.ben).values(state="replaced"))


def own_use(uow, cast):
    sale = uow.session.scalars(select(Sale).where(Sale.consultant_id == cast.ben)).one()
    uow.session.get_one(Customer, sale.contract.customer_id).own_use = True


def statement(uow, *, days_ago):
    """A statement of the vendor that sold something, with nothing in it."""
    vendor_id = uow.session.scalars(select(Contract.vendor_id)).first()
    day = uow.clock().date() - timedelta(days=days_ago)
    sent = {"source": "csv", "content": str(day).encode()}
    return receive_statement(uow, vendor_id=vendor_id, day=day, lines=[], **sent)


def open_difference(uow, cast):
    about = {"kind": "missing", "contract_ref": "K9", "type": "service.activated", "fields": {}}
    today = statement(uow, days_ago=0)
    uow.session.add(StatementDifference(public_id=new_id(), statement_id=today.id, **about))


def day_without_statement(uow, cast):
    statement(uow, days_ago=60)
    contract_id = uow.session.scalars(select(Contract.id)).first()
    about = {"type": "service.activated", "milestone": "activated", "recorded_at": uow.clock()}
    uow.session.add(ContractFact(contract_id=contract_id, key="f", occurred_at=uow.clock(), **about))


@pytest.mark.parametrize(
    ("happen", "code", "number"),
    [
        (silent_vendor, "vendors", 1),
        (open_difference, "statements", 1),
        (day_without_statement, "statement-days", 1),
        (waiting_event, "events", 1),
        (no_tax_form, "tax-forms", 1),
        (own_use, "own-use", 5_714),
    ],
)
def test_an_amber_check_asks_for_a_reason_and_takes_one(
    app, sold, preview, look, yes, say, do, happen, code, number
):
    do(happen, sold)
    preview(sold.cycle)

    assert look(sold.cycle)[code] == (False, number)
    with app.app_context():
        cycle = db.session.get_one(Cycle, sold.cycle)
        view = checks.look_of(db.session(), beside(db.session(), cycle), Limits())
        assert len(checks.CHECKS[code].behind(view)) == 1
    with pytest.raises(Conflict, match=rf"needs a written reason first for: .*\({code}\)"):
        yes(sold.cycle, sold.ada)
    say(sold.cycle, code, str(number), sold.fin)
    assert yes(sold.cycle, sold.ada) == 1
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Audit.action == "cycle.reason")) == 1


def test_refunds_and_a_leap_of_pay_and_ratio_are_named(app, sold, preview, look, yes, do, say):
    """The second week: Ben's sale is taken back, Cem sells a hundred times as much for little revenue."""
    preview(sold.cycle)
    for actor in (sold.ada, sold.fin):
        yes(sold.cycle, actor)
    do(cycles.request_close, cycle_id=sold.cycle, actor_id=sold.ada)
    with app.app_context():
        jobs.do_requested()
        assert db.session.get_one(Cycle, sold.cycle).state == "closed"
        second = db.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
        of_ben = db.session.scalars(select(Sale.id).where(Sale.consultant_id == sold.ben)).one()
    do(reverse_sale, of_ben)
    do(add_sale, sold.cem, 30_000_00, revenue=20_000_00)
    preview(second)

    found = look(second)
    assert found["refunds"] == (False, 1)
    assert found["unusual"] == (False, 2)
    assert found["rise"][0] is False and found["rise"][1] > 500
    assert look(second, times_usual=100, ratio_rise=9_000)["unusual"] == (True, 0)
    assert look(second, times_usual=100, ratio_rise=9_000)["rise"][0] is True


def test_a_reason_holds_for_the_next_preview_only_while_the_figure_is_the_same(sold, preview, yes, say, do):
    do(silent_vendor, sold)
    preview(sold.cycle)
    say(sold.cycle, "vendors", "1", sold.ada)
    preview(sold.cycle)
    assert yes(sold.cycle, sold.ada) == 1

    do(
        lambda uow: uow.session.add(
            Vendor(public_id=new_id(), name="Quiet Too", core=False, created_at=uow.clock())
        )
    )
    with pytest.raises(Conflict, match="vendors"):
        yes(sold.cycle, sold.fin)


def test_a_reason_is_refused_when_it_says_nothing_or_answers_what_nobody_asked(app, sold, preview, say, do):
    do(silent_vendor, sold)
    preview(sold.cycle)

    with pytest.raises(BadInput, match="10 to 500"):
        say(sold.cycle, "vendors", "1", sold.ada, text=" ok ")
    with pytest.raises(BadInput, match="asks for no reason"):
        say(sold.cycle, "sum", "35800", sold.ada)
    with pytest.raises(Conflict, match="changed meanwhile"):
        say(sold.cycle, "vendors", "2", sold.ada)
    with pytest.raises(Conflict, match="changed meanwhile"):
        say(sold.cycle, "events", "0", sold.ada)
    say(sold.cycle, "vendors", "1", sold.ada)
    with pytest.raises(Conflict, match="somebody gave a reason"):
        say(sold.cycle, "vendors", "1", sold.fin)
    with app.app_context():
        assert db.session.scalars(select(CheckReason.reason)).all() == [WORDS]
