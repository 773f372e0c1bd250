"""Terms that share a service's revenue are paid to the cent, frozen with the run, and touch nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from portal.commissions import gathering
from portal.commissions.plans.trying import try_cycle
from portal.commissions.replay import replay
from portal.commissions.service_terms import entries_of
from portal.engine import Plan, calculate, snapshot
from portal.extensions import db
from portal.models import CommissionLine, Cycle, PlanVersion, Release, Run, Sale, TermsVersion
from portal.store import perform
from tests.commissions.closed import ZONE, closed, previewed, run_of
from tests.commissions.shared_sales import SHARES, change, offer, put_under, sell
from tests.people import PLAN, add_consultant
from tests.shop import add_sale, reverse_sale

REVENUE_KINDS = ("retail", "revenue_share")


def computed(app):
    """What the open cycle pays on revenue: (consultant, kind, level, cents) of each line, sorted."""
    with app.app_context():
        cycle = db.session.scalars(select(Cycle).where(Cycle.state == "open")).one()
        gathered = gathering.gather(db.session(), cycle)
        db.session.rollback()
    result = calculate(gathered.inputs)
    kinds = ("retail", "direct", "unilevel", "revenue_share")
    rows = zip(*(column.tolist() for column in result.lines.columns()), strict=True)
    found = [
        (int(gathered.consultants[member]), kinds[kind], level, amount)
        for member, kind, amount, _base, _source, level in rows
        if kind < len(kinds) and kinds[kind] in REVENUE_KINDS
    ]
    return sorted(found), gathered


def set_plan(document):
    """Let the open cycle follow another plan."""

    def write(uow):
        values = {"document": document, "sha256": Plan.parse(document).version}
        uow.session.execute(update(PlanVersion).values(**values))

    perform(write)


def set_shares(terms_id, shares):
    """What no page of the portal does: change terms that a contract has."""
    changed = update(TermsVersion).where(TermsVersion.id == terms_id).values(shares=shares)
    perform(lambda uow: uow.session.execute(changed) and None)


def stored(run_id):
    """The lines of a run that are paid on revenue."""
    line = CommissionLine
    columns = (line.consultant_id, line.kind, line.level, line.amount_cents)
    chosen = select(*columns).where(line.run_id == run_id, line.kind.in_(REVENUE_KINDS))
    return sorted(tuple(row) for row in db.session.execute(chosen))


@pytest.fixture
def upline(do, cast):
    """Ana over Ben over Eve over Flo."""
    eve = do(add_consultant, "Eve", sponsor=cast.ben)
    return eve, do(add_consultant, "Flo", sponsor=eve)


def test_seller_and_upline_get_their_shares_to_the_cent(app, do, cast, upline):
    eve, flo = upline
    do(sell, flo, do(offer, "Volta", "charger", SHARES), revenue=200_01)

    found, _ = computed(app)

    # 5% of 200.01 is 10.0005; 3%, 2% and 1% are 6.0003, 4.0002 and 2.0001.
    assert found == sorted(
        [
            (flo, "retail", 0, 10_00),
            (eve, "revenue_share", 1, 6_00),
            (cast.ben, "revenue_share", 2, 4_00),
            (cast.ana, "revenue_share", 3, 2_00),
        ]
    )


def test_an_upline_shorter_than_the_levels_leaves_the_rest_to_the_company(app, do, cast):
    do(sell, cast.ben, do(offer, "Volta", "charger", SHARES), revenue=333_33)

    found, _ = computed(app)

    # 5% of 333.33 is 16.6665, 3% is 9.9999.
    assert found == [(cast.ana, "revenue_share", 1, 10_00), (cast.ben, "retail", 0, 16_67)]


def test_each_contract_keeps_the_terms_it_was_signed_under(app, do, cast):
    first = do(offer, "Volta", "charger", SHARES)
    later = {"vendor": 5000, "company": 4000, "consultant": 1000, "upline": []}
    second = (first[0], do(change, first[0], date(2026, 12, 1), later))
    do(sell, cast.ben, first, revenue=100_00)
    do(sell, cast.ben, second, revenue=100_00)

    found, gathered = computed(app)

    assert found == sorted(
        [
            (cast.ben, "retail", 0, 5_00),
            (cast.ana, "revenue_share", 1, 3_00),
            (cast.ben, "retail", 0, 10_00),
        ]
    )
    days = sorted(name.partition("@")[2] for name in entries_of(gathered.inputs.plan))
    assert days == ["2026-11-01", "2026-12-01"]


def test_vendors_with_the_same_code_do_not_mix_and_the_plans_code_stays_theirs(app, do, cast):
    """By code 7% to the seller; Volta shares, Amper leaves it to the plan, Nemo is not named at all."""
    table = {"pack": "0.07", "plus": "0.07", "smart": "0.07"}
    with app.app_context():
        set_plan({**PLAN, "services": {"charger": {"retail": table}}})
    volta, other = do(offer, "Volta", "charger", SHARES), {**SHARES, "consultant": 0, "company": 3400}
    third = do(offer, "Third", "charger", other)
    amper, nemo = do(offer, "Amper", "charger", None), do(offer, "Nemo", "fan", None)
    for terms in (volta, amper, nemo, third):
        do(sell, cast.dia, terms, revenue=100_00)

    found, _ = computed(app)

    assert found == [
        (cast.dia, "retail", 0, 5_00),
        (cast.dia, "retail", 0, 5_00),
        (cast.dia, "retail", 0, 7_00),
    ]


def test_without_shares_nothing_is_added(app, do, cast):
    do(offer, "Volta", "charger", SHARES)
    do(sell, cast.ben, do(offer, "Amper", "charger", None), revenue=100_00)

    _, gathered = computed(app)

    assert gathered.inputs.plan.document == PLAN
    assert (gathered.inputs.events.service == -1).all()


def test_services_in_any_order_are_frozen_as_they_are(app, do, cast):
    """A frozen document keeps its names sorted; the places of services must not move with that."""
    rates = [{"pack": rate, "plus": rate, "smart": rate} for rate in ("0.01", "0.09")]
    with app.app_context():
        set_plan({**PLAN, "services": {"zebra": {"retail": rates[0]}, "ant": {"retail": rates[1]}}})
    do(sell, cast.dia, do(offer, "Volta", "zebra", None), revenue=100_00)

    found, gathered = computed(app)
    thawed = calculate(snapshot.thaw(snapshot.freeze(gathered.inputs)))

    assert found == [(cast.dia, "retail", 0, 1_00)]
    assert thawed.totals.by_kind["retail"] == 1_00


def test_a_closed_run_with_shares_is_replayed_byte_for_byte_whatever_changes(app, do, cast, upline):
    _, flo = upline
    terms = do(offer, "Volta", "charger", SHARES)
    do(sell, flo, terms, revenue=200_01, volume=50_00)
    do(add_sale, cast.cem, 80_00, revenue=10_00)
    with app.app_context():
        run_id = closed(cast.cycle, cast.ada, cast.fin)
        paid = stored(run_id)
        set_shares(terms[1], None)
        compared = replay(db.session(), run_of(run_id))
        plan_sha256 = run_of(run_id).plan_sha256
        of_the_version = db.session.scalar(select(PlanVersion.sha256))

    assert (flo, "retail", 0, 10_00) in paid
    assert len(paid) == 5
    assert compared.is_same, compared.differences
    assert compared.plan_hash == plan_sha256 != of_the_version


def test_a_close_notices_when_shares_change_after_the_preview(app, do, cast):
    terms = do(offer, "Volta", "charger", SHARES)
    do(sell, cast.ben, terms, revenue=200_00)
    with app.app_context():
        before = previewed(cast.cycle)
        other = {**SHARES, "consultant": 400, "company": 3000}
        set_shares(terms[1], other)
        cycle = db.session.get_one(Cycle, cast.cycle)
        fresh = snapshot.digest(gathering.gather(db.session(), cycle).inputs)

        assert fresh != db.session.get_one(Run, before).input_hash


def test_what_was_shared_is_taken_back_from_those_who_got_it(app, do, cast):
    sale = do(sell, cast.ben, do(offer, "Volta", "charger", SHARES), revenue=200_01)
    with app.app_context():
        closed(cast.cycle, cast.ada, cast.fin)
    do(reverse_sale, sale, revenue=100_00)

    found, _ = computed(app)

    # 10.00 and 6.00 were paid on 200.01; 100.00 of it goes back, toward zero.
    assert found == [(cast.ana, "revenue_share", 1, -2_99), (cast.ben, "retail", 0, -4_99)]


def test_what_was_sold_keeps_its_terms_whatever_its_contract_comes_under(app, do, cast):
    terms = do(offer, "Volta", "charger", SHARES)
    sale = do(sell, cast.ben, terms, revenue=100_00)
    later = {"vendor": 5000, "company": 4000, "consultant": 1000, "upline": []}
    do(put_under, sale, do(change, terms[0], date(2026, 12, 1), later))

    found, _ = computed(app)
    with app.app_context():
        closed(cast.cycle, cast.ada, cast.fin)
    do(reverse_sale, sale)
    back, _ = computed(app)

    assert found == [(cast.ana, "revenue_share", 1, 3_00), (cast.ben, "retail", 0, 5_00)]
    assert back == [(who, kind, level, -cents) for who, kind, level, cents in found]


def test_a_trial_of_another_plan_leaves_the_terms_as_they_were_closed(app, do, cast):
    table = {"pack": "0.20", "plus": "0.20", "smart": "0.20"}
    do(sell, cast.ben, do(offer, "Volta", "charger", SHARES), revenue=100_00)
    do(sell, cast.ben, do(offer, "Amper", "charger", None), revenue=100_00)
    with app.app_context():
        run = run_of(closed(cast.cycle, cast.ada, cast.fin))
        same = try_cycle(db.session(), run, Plan.parse(PLAN), handed_on=None, later=[])
        plan = Plan.parse({**PLAN, "services": {"charger": {"retail": table}}})
        other = try_cycle(db.session(), run, plan, handed_on=None, later=[])

    assert same.after.totals.by_kind == same.before.totals.by_kind == {"retail": 10_00, "revenue_share": 3_00}
    assert other.after.totals.by_kind == {"retail": 25_00, "revenue_share": 3_00}


def test_an_upline_that_shares_is_held_as_long_as_the_customer_may_step_back(app, do, cast):
    """Eve stands in nobody's leg: who earns on her sale is known by the sponsors alone."""
    eve = do(add_consultant, "Eve", sponsor=cast.ben)
    sale = do(sell, eve, do(offer, "Volta", "charger", SHARES), revenue=100_00)
    with app.app_context():
        until = db.session.get_one(Cycle, cast.cycle).until.astimezone(ZONE).date()

        def step_back_late(uow):
            uow.session.get_one(Sale, sale).contract.cooling_off_until = until + timedelta(days=30)

        perform(step_back_late)
        closed(cast.cycle, cast.ada, cast.fin)
        due = dict(db.session.execute(select(Release.consultant_id, Release.due_on)).all())

    late = until + timedelta(days=31)
    assert due == {eve: late, cast.ben: late, cast.ana: late}
