"""What becomes known late belongs to the cycle that is open then, whatever date it carries."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.commissions.gathering import gather
from portal.commissions.kept import kept
from portal.engine import snapshot
from portal.extensions import db
from portal.models import Cycle, Run, Sale
from portal.sales.sold import Till
from tests.commissions.late_company import DENVER, KINDS, NAMES, Company, edges
from tests.ledger.sizes import SEED

SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
RHYTHMS = ("day", "week", "month")
LENGTHS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
STEPS = 26
WHERE = [("sqlite", rhythm) for rhythm in RHYTHMS]
WHERE.append(pytest.param(("postgresql", "week"), marks=pytest.mark.postgres))


@pytest.fixture(params=[SPRING, AUTUMN], ids=["spring", "autumn"])
def change(request):
    """A day on which the company's clocks change."""
    return request.param


def begun(app, change, rhythm):
    """At half past midnight of the day of the change, with a few sales behind it."""
    start = datetime.combine(change, datetime.min.time(), DENVER).astimezone(UTC)
    made = Company(app, rhythm, start + timedelta(minutes=30))
    chance = random.Random(1)
    for hour in range(4):
        made.now = start + timedelta(hours=hour, minutes=31)
        made.learn("sale", made.now - timedelta(hours=1), chance)
    return made


@pytest.fixture(params=WHERE, ids="-".join)
def company(request, make_app, change):
    engine, rhythm = request.param
    app = make_app(request.getfixturevalue(f"{engine}_database"))
    with app.app_context():
        yield begun(app, change, rhythm)


@pytest.fixture(params=RHYTHMS)
def small_company(request, sqlite_app, change):
    with sqlite_app.app_context():
        yield begun(sqlite_app, change, request.param)


def facts(company, chance, *, of, change):
    """One fact of each kind becomes known now, dated into the cycle `of` or to its edges."""
    for kind in KINDS:
        company.learn(kind, chance.choice([*edges(of.until, change), of.starts_at]), chance)


def test_every_late_fact_lands_in_the_open_cycle_and_no_closed_book_moves(company, change):
    chance = random.Random(2)
    [first] = company.in_order("open")
    until = company.cycle(first).until
    assert company.cycle(first).name == change.strftime(NAMES[company.rhythm])
    company.now = until + timedelta(minutes=2)
    facts(company, chance, of=company.cycle(first), change=change)
    company.end_what_is_due()
    [second] = company.in_order("open")
    about_first = inputs(company, first)

    def later(moment):
        company.now += timedelta(minutes=1)
        facts(company, chance, of=company.cycle(first), change=change)
        assert company.problems() == [], moment
        assert inputs(company, first) == about_first, moment

    later("after the end")
    company.preview(first)
    later("after the preview")
    company.approve(first, company.staff[0])
    later("after the first yes")
    company.approve(first, company.staff[1])
    later("after the second yes")
    company.step(0, first)
    later("between freeze and post")
    company.step(1, first)
    later("after the close")
    company.undo(first)
    later("after the undo")
    company.close(first)
    later("after the second close")

    company.now = company.cycle(second).until
    company.end_what_is_due()
    company.close(second)
    assert company.problems() == []
    for cycle_id in (first, second):
        run = db.session.get_one(Run, company.cycle(cycle_id).close_run_id)
        assert set(kept(run).sales.tolist()) == sales_expected_in(company, cycle_id)
    joined = kept_people(company, first)
    assert joined.isdisjoint(who for who, name in company.joined.items() if name != name_of(company, first))
    assert kept_people(company, second) >= set(company.joined)


def test_a_move_agreed_on_late_leaves_the_tree_of_the_cycle_that_is_over(small_company):
    company = small_company
    chance = random.Random(3)
    [first] = company.in_order("open")
    company.now = company.cycle(first).until + timedelta(seconds=1)
    company.end_what_is_due()
    before = parents(company, first)

    for _ in range(3):
        company.learn("move", company.cycle(first).starts_at, chance)
    company.close(first)
    assert parents(company, first) == before
    [second] = company.in_order("open")
    company.now = company.cycle(second).until + timedelta(hours=5)
    company.end_what_is_due()
    company.close(second)

    assert company.moved and company.problems() == []
    assert parents(company, first) == before == parents(company, second), "both cycles had the old tree"
    [third] = company.in_order("open")
    now = parents(company, third)
    assert {who for who in before if now[who] != before[who]} <= set(company.moved)
    assert now != before


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_whatever_comes_in_whatever_order_with_whatever_date(sqlite_app, change, rhythm):
    with sqlite_app.app_context():
        company = lived(sqlite_app, change, rhythm, random.Random(f"{change} {rhythm} {SEED}"))
        assert company.problems() == []
        assert len(company.expected) > 5


def test_by_its_own_date_a_late_fact_would_be_found_out(sqlite_app, monkeypatch):
    """The control: sales that go to the cycle of their date are seen at once."""

    def by_date(till, sale):
        dated = select(Cycle.id).where(Cycle.starts_at <= sale.occurred_at).order_by(Cycle.starts_at.desc())
        till._cycle_id = db.session.scalars(dated).first() or till._cycle_id
        honest(till, sale)

    honest = Till._write
    monkeypatch.setattr(Till, "_write", by_date)
    with sqlite_app.app_context():
        company = Company(sqlite_app, "day", datetime(2026, 3, 8, 20, tzinfo=UTC))
        chance = random.Random(4)
        company.learn("sale", company.now, chance)
        [first] = company.in_order("open")
        company.now = company.cycle(first).until
        company.end_what_is_due()
        company.close(first)
        company.learn("sale", company.cycle(first).starts_at, chance)

        found = company.problems()
        assert any("not in 2026-03-09" in each for each in found), found
        assert any("closed books of 2026-03-08 changed" in each for each in found), found


def lived(app, change, rhythm, chance):
    """A company in which things happen at random for a few cycles around a change of clocks."""
    start = datetime.combine(change, datetime.min.time(), DENVER).astimezone(UTC)
    company = Company(app, rhythm, start - chance.random() * LENGTHS[rhythm])
    company.learn("sale", company.now, chance)
    for _ in range(STEPS):
        company.now += chance.choice([timedelta(minutes=7), chance.random() * LENGTHS[rhythm] * 1.2])
        if chance.random() < 0.6:
            company.end_what_is_due()
        happens(company, chance)
    return company


def happens(company, chance):
    """A fact with any date, or a step of an admin with the earliest cycle that is over."""
    if chance.random() < 0.65:
        off = timedelta(seconds=chance.randint(-60 * 86_400, 5 * 86_400))
        company.learn(chance.choice(KINDS), company.now + off, chance)
        return
    waiting = company.in_order("ended", "previewed")
    if waiting:
        company.close(waiting[0])
        if chance.random() < 0.4:
            company.undo(waiting[0])


def inputs(company, cycle_id):
    return snapshot.digest(gather(db.session(), company.cycle(cycle_id)).inputs)


def parents(company, cycle_id):
    """Who stands under whom in a cycle, by id."""
    found = gather(db.session(), company.cycle(cycle_id))
    ids, above = found.consultants.tolist(), found.inputs.network.parent.tolist()
    legs = found.inputs.network.leg.tolist()
    return {
        who: (ids[top] if top >= 0 else None, leg) for who, top, leg in zip(ids, above, legs, strict=True)
    }


def name_of(company, cycle_id):
    return company.cycle(cycle_id).name


def kept_people(company, cycle_id):
    run = db.session.get_one(Run, company.cycle(cycle_id).close_run_id)
    return set(kept(run).consultants.tolist())


def sales_expected_in(company, cycle_id):
    name = name_of(company, cycle_id)
    assert set(db.session.scalars(select(Sale.id))) == set(company.expected)
    return {sale for sale, cycle in company.expected.items() if cycle == name}
