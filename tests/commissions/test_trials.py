"""A plan tried on past cycles: the live one changes nothing, a changed one gives what `comp run` says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from jobs import trials as job
from portal.cli.comp import comp
from portal.commissions.plans import trials as service
from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict
from portal.models import (
    CommissionLine,
    Consultant,
    Cycle,
    Entry,
    Placement,
    Run,
    Sale,
    Trial,
    TrialCycle,
    TrialPerson,
)
from portal.store import perform
from tests.commissions.five_weeks import RICH, WEEKS, close_five, drafted


@pytest.fixture
def closed(sqlite_app):
    cast = close_five(sqlite_app)
    with sqlite_app.app_context():
        yield cast


EVENT_KINDS = ("retail", "direct", "unilevel", "revenue_share", "matrix")


def asked(cast, draft, first=0, last=-1):
    names = list(
        db.session.scalars(select(Cycle.name).where(Cycle.state == "closed").order_by(Cycle.starts_at))
    )
    return perform(
        lambda uow: (
            service.request_trial(
                uow, draft_id=draft, first=names[first], last=names[last], actor_id=cast.ada
            ).id
        )
    )


def tried(cast, draft, **between):
    trial_id = asked(cast, draft, **between)
    job.drain()
    return db.session.get_one(Trial, trial_id)


def people_of(trial):
    rows = db.session.scalars(select(TrialPerson).where(TrialPerson.trial_id == trial.id))
    return {row.consultant_id: (row.before_cents, row.after_cents, row.change_cents) for row in rows}


def cycles_of(trial):
    chosen = select(TrialCycle).join(Cycle, Cycle.id == TrialCycle.cycle_id)
    return list(db.session.scalars(chosen.where(TrialCycle.trial_id == trial.id).order_by(Cycle.starts_at)))


def paid():
    """What the closes paid to everybody."""
    rows = db.session.execute(
        select(CommissionLine.consultant_id, func.sum(CommissionLine.amount_cents))
        .join(Cycle, Cycle.close_run_id == CommissionLine.run_id)
        .group_by(CommissionLine.consultant_id)
    )
    return {consultant: int(amount) for consultant, amount in rows}


@pytest.mark.parametrize("between", [{}, {"first": 1}, {"first": 1, "last": 3}])
def test_the_live_plan_changes_nothing_for_anybody(closed, between):
    before = db.session.scalar(select(func.count(Entry.id)))
    trial = tried(closed, drafted(closed), **between)

    assert trial.state == "done" and len(cycles_of(trial)) >= 3
    people = people_of(trial)
    assert people and {change for _, _, change in people.values()} == {0}
    assert all(row.before == row.after for row in cycles_of(trial))
    if not between:
        assert {who: was for who, (was, _, _) in people.items()} == {
            who: sum_ for who, sum_ in paid().items() if sum_
        }
    assert db.session.scalar(select(func.count(Entry.id))) == before
    assert db.session.scalar(select(func.count()).where(CommissionLine.amount_cents < 0)) > 0


def test_a_trial_is_the_same_on_both_engines(app):
    cast = close_five(app)
    with app.app_context():
        trial = tried(cast, drafted(cast, **CHANGED["rate"]))
        assert trial.state == "done"
        assert sum(change for _, _, change in people_of(trial).values()) == SAME_ON_BOTH
        assert {change for _, _, change in people_of(tried(cast, drafted(cast))).values()} == {0}


SAME_ON_BOTH = 238_13
CHANGED = {
    "rate": {
        "direct": {"rate": {"plus": "0.08"}},
        "unilevel": {"rates": ["0.01", "0.05"], "compress": False},
    },
    "binary": {"binary": RICH["binary"] | {"rate": {"plus": "0.15"}, "over_cap": "consume", "debt": "carry"}},
    "window": {"activity": {"personal_volume": "200.00", "window_cycles": 3}, "payout_limit": "0.90"},
    "service": {"services": {"solar": {"retail": {"plus": "0.20"}, "revenue_share": ["0.03", "0.01"]}}},
}


@pytest.mark.parametrize("changed", CHANGED)
def test_a_changed_plan_gives_what_comp_run_says_cycle_by_cycle(closed, changed):
    trial = tried(closed, drafted(closed, **CHANGED[changed]))
    plan = RICH | CHANGED[changed]

    sums, carried, lines = {}, {}, []
    for row in cycles_of(trial):
        found = CliRunner().invoke(
            comp, ["run", "-"], input=json.dumps(case_of(row.cycle_id, plan, carried, lines))
        )
        assert found.exit_code == 0, found.output
        result = json.loads(found.output)
        assert Decimal(result["totals"]["paid"]) * 100 == row.after["paid_cents"]
        lines += [line for line in result["lines"] if line["kind"] in EVENT_KINDS]
        carried = result["members"]
        for side in ("left", "right"):
            out = sum(Decimal(member["carry"][side]) for member in carried.values())
            assert row.after["breakage"]["legs"][side]["carried_out"] == out * 100
        for member, out in carried.items():
            sums[int(member)] = sums.get(int(member), 0) + int(Decimal(out["total"]) * 100)

    assert {who: after for who, (_, after, _) in people_of(trial).items() if after} == {
        who: amount for who, amount in sums.items() if amount
    }
    assert any(change for _, _, change in people_of(trial).values())


def case_of(cycle_id, plan, carried, lines):
    """A case file of one cycle, read from the tables by its own way."""
    cycle = db.session.get_one(Cycle, cycle_id)
    sales = list(db.session.scalars(select(Sale).where(Sale.cycle_id == cycle_id).order_by(Sale.id)))
    own = {sale.id for sale in sales}
    earlier = sorted({sale.reverses_id for sale in sales} - own - {None})
    return {
        "plan": plan,
        "members": [member_of(who, cycle, plan, carried) for who in db.session.scalars(select(Consultant))],
        "events": [
            {
                "id": str(sale.id),
                "member": str(sale.consultant_id),
                "at": (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=sale.id)).isoformat(),
                "volume": text(sale.volume),
                "revenue": text(sale.revenue_cents),
                "service": "solar" if "services" in plan else None,
                "reverses": str(sale.reverses_id) if sale.reverses_id else None,
            }
            for sale in sales
        ],
        "history": {
            "events": [past_of(db.session.get_one(Sale, sale), cycle) for sale in earlier],
            "lines": [
                {name: line[name] for name in ("member", "kind", "amount", "source", "level")}
                for line in lines
                if line["source"] in {str(sale) for sale in earlier}
            ],
        },
    }


def member_of(who, cycle, plan, carried):
    place = db.session.scalars(select(Placement).where(Placement.consultant_id == who.id)).one()
    window = select(Cycle.id).where(Cycle.starts_at < cycle.starts_at).order_by(Cycle.starts_at.desc())
    prior = db.session.scalar(
        select(func.sum(Sale.volume)).where(
            Sale.consultant_id == who.id,
            Sale.cycle_id.in_(window.limit(plan["activity"]["window_cycles"] - 1)),
        )
    )
    before = carried.get(str(who.id), {})
    state = ("carry", "matched_to_date", "paid_to_date", "inactive_cycles")
    return {
        "id": str(who.id),
        "sponsor": str(who.sponsor_id) if who.sponsor_id else None,
        "parent": str(place.parent_id) if place.parent_id else None,
        "leg": place.leg,
        "pack": who.pack,
        "pv_prior": text(int(prior or 0)),
    } | {name: before[name] for name in state if name in before}


def past_of(sale, cycle):
    taken = select(func.sum(Sale.volume), func.sum(Sale.revenue_cents)).join(Cycle, Cycle.id == Sale.cycle_id)
    volume, revenue = db.session.execute(
        taken.where(Sale.reverses_id == sale.id, Cycle.starts_at < cycle.starts_at)
    ).one()
    return {
        "id": str(sale.id),
        "member": str(sale.consultant_id),
        "volume": text(sale.volume),
        "revenue": text(sale.revenue_cents),
        "reversed_volume": text(-int(volume or 0)),
        "reversed_revenue": text(-int(revenue or 0)),
    }


def text(hundredths):
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def test_a_trial_that_was_killed_after_any_cycle_ends_alike(closed, monkeypatch):
    changed = CHANGED["binary"]
    whole = people_of(tried(closed, drafted(closed, **changed)))
    real = service.keep
    for survives in range(WEEKS):
        trial_id, kept = asked(closed, drafted(closed, **changed)), []

        def dying(uow, kept=kept, survives=survives, **about):
            if len(kept) == survives:
                raise SystemExit
            kept.append(about["cycle_id"])
            real(uow, **about)

        monkeypatch.setattr(service, "keep", dying)
        with pytest.raises(SystemExit):
            job.drain()
        monkeypatch.setattr(service, "keep", real)
        db.session.rollback()
        trial = db.session.get_one(Trial, trial_id)
        assert trial.state == "running"
        assert sum(row.done_at is not None for row in cycles_of(trial)) == survives
        job.drain()
        assert trial.state == "done" and people_of(trial) == whole
        assert all(row.handed_on is None for row in cycles_of(trial))


def test_a_cancelled_trial_stops_and_keeps_nobody(closed):
    trial_id = asked(closed, drafted(closed))
    perform(lambda uow: service.cancel(uow, trial_id=trial_id, actor_id=closed.ada))
    job.drain()

    trial = db.session.get_one(Trial, trial_id)
    assert trial.state == "cancelled" and people_of(trial) == {}
    with pytest.raises(Conflict):
        perform(lambda uow: service.cancel(uow, trial_id=trial_id, actor_id=closed.ada))


def test_what_cannot_be_tried_is_refused_or_fails_with_its_reason(closed):
    draft = drafted(closed)
    names = [name for _, name in service.cycles_to_try(db.session())]
    for first, last in ((names[0], names[-1]), ("nothing", names[0]), (names[-1], "2026-W99")):
        with pytest.raises(BadInput):
            perform(
                lambda uow, first=first, last=last: service.request_trial(
                    uow, draft_id=draft, first=first, last=last, actor_id=closed.ada
                )
            )
    with pytest.raises(BadInput):
        asked(closed, drafted(closed, pool={"rate": "2"}))

    cycle = db.session.scalars(select(Cycle).where(Cycle.state == "closed")).first()
    run = db.session.get_one(Run, cycle.close_run_id)
    run.totals = run.totals | {"paid_cents": 1}
    db.session.commit()
    trial = tried(closed, draft)
    assert trial.state == "failed" and "can no longer be computed as it was closed" in trial.problem
