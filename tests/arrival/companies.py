"""A company with a past, computed here; and the same company as the files that another system would give."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from portal.commissions import cycles
from portal.commissions.closing import CLOSE_STEPS
from portal.commissions.plans.versions import add_plan
from portal.commissions.weeks import week_of
from portal.extensions import db
from portal.kernel.clock import fixed, utc_now
from portal.members.packs import ensure_defaults
from portal.models import (
    Account,
    Carry,
    CommissionLine,
    Consultant,
    Cycle,
    PaidRank,
    Person,
    Placement,
    Release,
    Run,
    Sale,
)
from portal.payouts import releases
from portal.store import perform
from tests.conftest import Database
from tests.people import add_consultant, add_user
from tests.shop import add_sale, reverse_sale

ZONE = ZoneInfo("America/Denver")
WEEKS = 3
PLAN = {
    "name": "Moved",
    "currency": "USD",
    "cycle": "weekly",
    "point_value": "1.00",
    "activity": {"personal_volume": "100.00", "window_cycles": 3},
    "retail": {"rate": {"pack": "0.05", "plus": "0.05", "smart": "0.05"}},
    "direct": {"rate": {"pack": "0.04", "plus": "0.04", "smart": "0.04"}},
    "binary": {
        "mode": "percent",
        "rate": {"pack": "0.10", "plus": "0.10"},
        "qualify": {"active": True, "each_leg": 1},
        "cap": {"money": {"pack": "60.00", "plus": "400.00"}},
        "over_cap": "keep",
        "carry_cycles": 2,
        "debt": "clawback",
    },
    "matching": {"rates": ["0.25", "0.10"], "depth": {"pack": 1, "plus": 2}, "compress": True},
    "ranks": [{"name": "first", "requires": {"weak_leg_volume": "50.00"}, "matching_depth": 2}],
}


# Only one pack has a cap, so that some reach one and others are paid for all they match.
CAPPED = PLAN | {"binary": PLAN["binary"] | {"cap": {"money": {"plus": "400.00"}}}}


@dataclass(frozen=True)
class Sold:
    """A sale of a week: whose (by place in the network), volume, revenue; taken back in part, or not."""

    seller: int
    volume: int
    revenue: int
    taken_back: int


def draw_week(rng, people):
    """Forty sales; every fifth is taken back in part in the same week."""
    return [
        Sold(rng.randrange(people), rng.randrange(20_00, 400_00), rng.randrange(90_000), 5_00 * (at % 5 == 0))
        for at in range(40)
    ]


def found_company(people=40, seed=7, plan=PLAN):
    """Two admins, a network of `people` in which who sponsors and who stands above differ, a first week."""
    rng, start = Random(seed), week_of(utc_now(), ZONE).starts_at - timedelta(days=7 * WEEKS)
    founded = start - timedelta(days=30)

    def write(uow):
        ensure_defaults(uow)
        staff = [add_user(uow, name, role="admin").id for name in ("Ada", "Abe")]
        free, ids = [], []
        for at in range(people):
            spot = free.pop(rng.randrange(min(len(free), 4))) if ids else None
            sponsor = None if spot is None else spot[0] if rng.randrange(10) < 6 else rng.choice(ids)
            pack = "plus" if at < 5 else rng.choice(("plus", "pack", "smart"))
            ids.append(add_consultant(uow, f"P{at}", sponsor=sponsor, under=spot, pack=pack))
            free += [(ids[-1], leg) for leg in "LR"]
        add_plan(uow, plan, valid_from=founded)
        cycles.open_first_cycle(uow, at=start, zone=ZONE)
        return staff, ids

    return perform(write, clock=fixed(founded))


def sell(week, sellers):
    """A week's sales in the cycle that is open now."""
    start = db.session.scalar(select(Cycle.starts_at).where(Cycle.state == "open"))

    def write(uow):
        for sold in week:
            sale = add_sale(uow, sellers[sold.seller], sold.volume, revenue=sold.revenue)
            if sold.taken_back:
                reverse_sale(uow, sale, volume=sold.taken_back, revenue=0)

    perform(write, clock=fixed(start + timedelta(days=2)))


def close_week(staff):
    """End the open cycle, preview, approve by two, close; its id."""
    cycle = db.session.scalars(select(Cycle).where(Cycle.state == "open")).one()
    cycle_id, at = cycle.id, fixed(cycle.until)
    perform(partial(cycles.end_if_due, zone=ZONE, early=True), clock=at)
    run_id = perform(lambda uow: cycles.preview(uow, cycle_id=cycle_id).id, clock=at)
    for actor_id in staff:
        perform(partial(cycles.approve, cycle_id=cycle_id, run_id=run_id, actor_id=actor_id), clock=at)
    for step in CLOSE_STEPS:
        perform(partial(step, cycle_id=cycle_id, zone=ZONE), clock=at)
    db.session.rollback()
    return cycle_id


def release(at):
    today = at.astimezone(ZONE).date()
    while perform(partial(releases.release_due, today=today), clock=fixed(at)):
        pass


def found_in(cycle_id):
    """What a closed cycle found, by code: its hash, lines, carry and ranks. Ids differ between databases."""
    run_id = db.session.get_one(Cycle, cycle_id).close_run_id
    output_hash = db.session.get_one(Run, run_id).output_hash
    columns = [CommissionLine.kind, CommissionLine.amount_cents, CommissionLine.base, CommissionLine.level]
    lines = _by_code(CommissionLine, *columns, run_id=run_id)
    names = [attribute for attribute in dict(Carry.__mapper__.column_attrs) if not attribute.endswith("_id")]
    carry = _by_code(Carry, *(getattr(Carry, name) for name in names), run_id=run_id)
    ranks = _by_code(PaidRank, PaidRank.code, run_id=run_id)
    return {"hash": output_hash, "lines": lines, "carry": carry, "ranks": ranks}


def _by_code(model, *columns, run_id):
    rows = (
        select(Consultant.code, *columns)
        .join(model, model.consultant_id == Consultant.id)
        .where(model.run_id == run_id)
    )
    return sorted(tuple(row) for row in db.session.execute(rows))


def export(folder):
    """The company that the database holds as the files of an import."""
    folder.mkdir()
    codes = dict(db.session.execute(select(Consultant.id, Consultant.code)).all())
    closed = db.session.scalars(
        select(Cycle).where(Cycle.closed_at.is_not(None)).order_by(Cycle.starts_at)
    ).all()
    names = {cycle.id: cycle.name for cycle in closed}
    runs = {cycle.close_run_id: cycle.name for cycle in closed}
    (folder / "plan.json").write_text(json.dumps(closed[-1].plan_version.document))
    write(folder, "consultants", "code name email country pack status sponsor joined_at", _people(codes))
    write(folder, "placements", "code parent leg since", _places(codes))
    days = [(cycle.name, cycle.starts_at.isoformat(), cycle.until.isoformat()) for cycle in closed]
    write(folder, "cycles", "name start until", days)
    lines = db.session.scalars(select(CommissionLine).where(CommissionLine.run_id.in_(runs)))
    rows = [
        (runs[line.run_id], codes[line.consultant_id], line.kind, text(line.amount_cents), text(line.base))
        for line in lines
    ]
    write(folder, "lines", "cycle code kind amount base", rows)
    volumes = select(Sale.cycle_id, Sale.consultant_id, func.sum(Sale.volume)).where(Sale.cycle_id.in_(names))
    sums = db.session.execute(volumes.group_by(Sale.cycle_id, Sale.consultant_id))
    write(
        folder, "volumes", "cycle code volume", [(names[c], codes[who], text(int(v))) for c, who, v in sums]
    )
    heads = "code left right matched_to_date paid_to_date inactive_cycles rank"
    write(folder, "carry", heads, _carry(codes, closed[-1].close_run_id))
    write(folder, "balances", "code kind amount due_on", _balances(codes))


def write(folder, name, heads, rows):
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heads.split(), *rows])


def text(hundredths):
    return f"{'-' * (hundredths < 0)}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def _people(codes):
    rows = db.session.execute(select(Consultant, Person).join(Person).order_by(Consultant.id))
    for one, person in rows:
        sponsor = codes.get(one.sponsor_id, "")
        about = (person.name, person.email, person.country, one.pack, one.status, sponsor)
        yield one.code, *about, one.joined_at.isoformat()


def _places(codes):
    for place in db.session.scalars(select(Placement).where(Placement.valid_until.is_(None))):
        yield (
            codes[place.consultant_id],
            codes.get(place.parent_id, ""),
            place.leg or "",
            place.valid_from.isoformat(),
        )


def _carry(codes, run_id):
    ranks = dict(
        db.session.execute(
            select(PaidRank.consultant_id, PaidRank.code).where(PaidRank.run_id == run_id)
        ).all()
    )
    for one in db.session.scalars(select(Carry).where(Carry.run_id == run_id)):
        numbers = (one.left, one.right, one.matched_to_date, one.paid_to_date_cents)
        code = codes[one.consultant_id]
        yield code, *map(text, numbers), one.inactive_cycles, ranks.get(one.consultant_id, "")


def _balances(codes):
    owned = select(Account.owner_id, Account.purpose, Account.balance).where(
        Account.owner_type == "consultant", Account.balance > 0
    )
    for owner, purpose, balance in db.session.execute(owned):
        if purpose != "pending":
            yield codes[owner], {"receivable": "debt"}.get(purpose, purpose), text(balance), ""
    held = select(
        Release.consultant_id, Release.due_on, func.sum(Release.amount_cents - Release.clawed_cents)
    ).where(Release.released_at.is_(None))
    for owner, due_on, cents in db.session.execute(held.group_by(Release.consultant_id, Release.due_on)):
        if cents > 0:
            yield codes[owner], "pending", text(int(cents)), due_on


def preview_a_week():
    """A week with 180 sales, in which every ninth person sold nothing; the id of its cycle."""
    rng = Random(5)
    _, people = found_company(people=90, plan=CAPPED)
    drawn = [sold for _ in range(5) for sold in draw_week(rng, len(people))]
    sell([sold for sold in drawn if sold.seller % 9], people)
    cycle_id = db.session.scalars(select(Cycle.id)).one()
    perform(partial(cycles.end_if_due, zone=ZONE, early=True))
    perform(lambda uow: cycles.preview(uow, cycle_id=cycle_id).id)
    return cycle_id


def on_sqlite(file):
    return Database("sqlite", f"sqlite:///{file}", f"sqlite:///{file}")


def ours_in(cycle_id):
    """What the preview of a cycle pays by (code, kind)."""
    run_id = db.session.get_one(Cycle, cycle_id).preview_run_id
    sums = (
        select(Consultant.code, CommissionLine.kind, func.sum(CommissionLine.amount_cents))
        .join(Consultant, Consultant.id == CommissionLine.consultant_id)
        .where(CommissionLine.run_id == run_id)
        .group_by(Consultant.code, CommissionLine.kind)
    )
    return {(code, kind): int(cents) for code, kind, cents in db.session.execute(sums)}


def old_lines(lines, heads="Member ID,Bonus,Amount USD,Note"):
    """Lines by (code, kind) as another system would write them."""
    rows = [f"{code},{kind},{text(cents)},x" for (code, kind), cents in lines.items()]
    return "\n".join([heads, *rows]).encode()
