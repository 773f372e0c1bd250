"""The retail meter: its parts add up to the sales of the cycle, to what was paid, and over both legs."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from portal import live
from portal.commissions import cycles
from portal.compliance import own_use, retail
from portal.compliance.retail import Pay, Split
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, Conflict
from portal.models import CommissionLine, Contract, Customer, Cycle, Run, Sale
from portal.store import perform
from tests.commissions.closes import end
from tests.html import Visitor
from tests.people import PASSWORD, add_consultant
from tests.shop import add_sale, reverse_sale


def sell(uow, seller, volume, kind, *, by="vendor"):
    """A sale to a customer of a kind: `verified`, `own` or `unverified`; own ones may be vouched for too."""
    sale_id = add_sale(uow, seller, volume, revenue=volume)
    customer = uow.session.scalars(
        select(Customer)
        .join(Contract, Contract.customer_id == Customer.id)
        .join(Sale, Sale.contract_id == Contract.id)
        .where(Sale.id == sale_id)
    ).unique().one()  # fmt: skip
    customer.own_use = kind == "own"
    vouched = (None, None) if kind == "unverified" else (uow.clock(), by)
    customer.verified_at, customer.verified_by = vouched
    return sale_id


@pytest.fixture
def read(app):
    def run(work):
        with app.app_context():
            try:
                return work(db.session())
            finally:
                db.session.rollback()

    return run


@pytest.fixture
def market(cast, do):
    """Known sales of Ana, Ben and Cem; volumes in hundredths."""

    def write(uow):
        sell(uow, cast.ana, 10_00, "own")
        sell(uow, cast.ben, 100_00, "verified")
        sell(uow, cast.ben, 20_00, "unverified")
        sell(uow, cast.cem, 50_00, "verified", by="order")
        reverse_sale(uow, sell(uow, cast.cem, 7_00, "own"))
        return cast

    return do(write)


def test_the_parts_are_told_apart_for_company_consultant_and_legs(market, read):
    (company,) = read(lambda session: retail.by_cycle(session, most=5))
    assert company.split == Split(150_00, 10_00, 20_00)
    assert company.split.share == 1666
    (ben,) = read(lambda session: retail.by_cycle(session, most=5, consultant_id=market.ben))
    assert ben.split == Split(100_00, 0, 20_00)
    legs = read(lambda session: retail.by_leg(session, market.cycle, live.team(market.ana)))
    assert legs == {"L": Split(100_00, 0, 20_00), "R": Split(50_00, 0, 0)}
    empty = read(lambda session: retail.by_leg(session, market.cycle, live.team(market.ben)))
    assert empty == {"L": Split(), "R": Split()}


def test_who_vouched_is_told_of_verified_customers_alone(app, market, read):
    assert read(lambda session: retail.vouchers(session, market.cycle)) == {"vendor": 100_00, "order": 50_00}
    fin = Visitor(app)
    fin.sign_in("fin@example.com", PASSWORD)
    fin.visit("/admin/retail")
    assert "An order that was paid in our shop 50 volume" in fin.words


class Grown:
    """Twelve people placed at random and 120 sales; `walked` sums up by a walk up from every sale."""

    def __init__(self, cast, chance):
        self.chance, self.people = chance, [cast.ana, cast.ben, cast.cem, cast.dia]
        self.above = {cast.ben: (cast.ana, "L"), cast.cem: (cast.ana, "R")}
        self.walked = defaultdict(Counter)

    def write(self, uow):
        free = [(person, leg) for person in self.people[1:] for leg in "LR"]
        for number in range(12):
            parent, leg = free.pop(self.chance.randrange(len(free)))
            self.people.append(add_consultant(uow, f"P{number}", sponsor=parent, under=(parent, leg)))
            self.above[self.people[-1]] = (parent, leg)
            free += [(self.people[-1], leg) for leg in "LR"]
        for _ in range(120):
            kind, seller = (
                self.chance.choice(["verified", "own", "unverified"]),
                self.chance.choice(self.people),
            )
            volume = self.chance.randint(1, 900_00)
            sale = sell(uow, seller, volume, kind)
            if self.chance.random() < 0.3:
                reverse_sale(uow, sale)
            else:
                self.walk(seller, kind, volume)

    def walk(self, seller, kind, volume):
        self.walked[seller, ""][kind] += volume
        while seller in self.above:
            seller, leg = self.above[seller]
            self.walked[seller, leg][kind] += volume


@pytest.mark.parametrize("small", [0, 1_000])
def test_whatever_is_sold_the_parts_add_up_to_the_sales_of_the_cycle(cast, do, read, monkeypatch, small):
    """Own, left and right are what a walk up from every sale finds; those of all trees are the company's."""
    monkeypatch.setattr(retail, "SMALL_TEAM", small)
    grown = Grown(cast, random.Random(small))
    do(grown.write)
    sold = read(lambda s: s.scalar(select(func.sum(Sale.volume)).where(Sale.cycle_id == cast.cycle)))
    (company,) = read(lambda session: retail.by_cycle(session, most=5))
    assert company.split.total == sold
    listed = read(lambda session: retail.most_own_use(session, cast.cycle, most=None))
    assert added(row.split for row in listed) == company.split
    roots = Counter()
    for person in grown.people:
        (own,) = read(lambda s, who=person: retail.by_cycle(s, most=5, consultant_id=who))
        legs = read(lambda s, who=person: retail.by_leg(s, cast.cycle, live.team(who)))
        parts = {"": own.split, **legs}
        for leg, split in parts.items():
            assert split == Split(**grown.walked[person, leg]), (person, leg)
        if person not in grown.above:
            roots.update(vars(added(parts.values())))
    assert Split(**roots) == company.split


def added(splits):
    """Their sum."""
    rows = [(split.verified, split.own, split.unverified) for split in splits]
    return Split(*map(sum, zip(*rows, strict=True)))


def test_what_was_paid_is_told_apart_and_adds_up_to_the_run(app, market, read):
    with app.app_context():
        end(market)
        perform(lambda uow: cycles.preview(uow, cycle_id=market.cycle).id)
    company, opened = read(lambda session: retail.by_cycle(session, most=5))
    unpaid = read(
        lambda session: retail.pay_of(session, session.get_one(Cycle, market.cycle + 1), opened.split)
    )
    pay = read(lambda session: retail.pay_of(session, session.get_one(Cycle, market.cycle), company.split))
    paid = read(lambda s: s.scalar(select(func.sum(CommissionLine.amount_cents))))
    totals = read(lambda s: s.scalars(select(Run.totals)).one())

    assert pay.total == paid == totals["paid_cents"] and company.split.total == totals["volume"]
    assert min(pay.traced.verified, pay.traced.own, pay.traced.unverified, pay.legs) > 0
    assert pay.volume_share == 150_00 * 10_000 // 180_00
    assert pay.from_customers == pay.traced.verified + pay.legs * pay.volume_share // 10_000
    assert unpaid is None


def test_shares_stay_between_nothing_and_all_whatever_refunds_do():
    assert Split(-5, 3, 0).share == 0
    assert Split(-5, 10, 0).share == 10_000
    assert Split(0, 0, 0).share == 0
    assert Pay(1, Split(-10, 0, 0), -99, 5_000).legs_from_customers == -49


def test_pages_show_the_same_numbers_and_warn_above_the_limit(app, market, do, read):
    ada, ana = Visitor(app), Visitor(app)
    ada.sign_in("ada@example.com", PASSWORD)
    ana.sign_in("ana@example.com", PASSWORD)
    ada.visit("/admin/retail")
    assert "16.66%" in ada.words and "looks like pay for joining" not in ada.words
    do(lambda uow: sell(uow, market.dia, 90_00, "unverified"))
    ada.visit("/admin/retail")
    assert "44.44%" in ada.words and "looks like pay for joining" in ada.words
    ana.visit("/customers/retail")
    assert "100% of your volume" in ana.words

    rows = list(csv.reader(io.StringIO(ada.client.get("/admin/retail.csv").text)))
    assert rows[1][1:] == ["150.00", "10.00", "110.00", "270.00", "0.4444"]
    name = read(lambda s: s.scalars(select(Cycle.name)).one())
    people = list(csv.reader(io.StringIO(ada.client.get(f"/admin/retail/{name}.csv").text)))
    assert [row[1] for row in people[1:]] == ["Dia", "Ben", "Ana", "Cem"]
    assert ada.client.get("/admin/retail/2020-W01.csv").status_code == 404
    assert ana.client.get("/admin/retail").status_code == 403


def limits(read):
    return read(lambda session: [(one.valid_from, one.monthly_volume) for one in own_use.rules(session)])


def test_own_use_is_limited_by_date_and_never_in_the_past(app, cast, do, read):
    today = utc_now().date()
    named = {"actor_id": cast.ada}
    with pytest.raises(BadInput):
        do(own_use.set_rule, valid_from=today - timedelta(days=1), monthly_volume=1, **named)
    do(lambda uow: own_use.set_rule(uow, valid_from=today, monthly_volume=150_00, **named) and None)
    with pytest.raises(Conflict):
        do(own_use.set_rule, valid_from=today, monthly_volume=1, **named)
    soon = today + timedelta(days=10)
    for volume in (90_00, 80_00):
        do(lambda uow, v=volume: own_use.set_rule(uow, valid_from=soon, monthly_volume=v, **named) and None)

    assert limits(read) == [(soon, 80_00), (today, 150_00)]
    assert read(lambda s: own_use.rule_on(s, soon).monthly_volume) == 80_00
    assert read(lambda s: own_use.rule_on(s, date(2020, 1, 1))) is None
    ids = read(lambda session: {rule.valid_from: rule.id for rule in own_use.rules(session)})
    with pytest.raises(Conflict):
        do(own_use.take_back, rule_id=ids[today], **named)
    do(own_use.take_back, rule_id=ids[soon], **named)
    assert limits(read) == [(today, 150_00)]


def test_the_limit_is_set_on_the_page(app, cast, read):
    ada = Visitor(app)
    ada.sign_in("ada@example.com", PASSWORD)
    ada.visit("/admin/retail")
    later = (utc_now().date() + timedelta(days=3)).isoformat()
    wrong = ada.submit("/admin/retail/own-use", {"monthly_volume": "many", "valid_from": later})
    assert wrong.status_code == 422
    done = ada.submit("/admin/retail/own-use", {"monthly_volume": "150.50", "valid_from": later})
    assert done.status_code == 303
    assert [volume for _day, volume in limits(read)] == [150_50]
    ada.visit("/admin/retail")
    rule = read(lambda session: own_use.rules(session)[0].id)
    assert ada.submit(f"/admin/retail/own-use/{rule}/take-back").status_code == 303
    assert limits(read) == []
