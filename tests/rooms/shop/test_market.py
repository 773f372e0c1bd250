"""The marketplace says what the engine will pay, to whom it may be sold, and by which link."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from portal.commissions import gathering
from portal.commissions.samples import Sample, paid
from portal.engine import Plan, calculate
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.ids import new_id
from portal.members.packs import ensure_defaults
from portal.models import Consultant, Cycle, Licence, Pack, Service, Vendor
from portal.store import perform
from portal.vendors.service import Offer, Terms, add_service, add_terms, add_vendor, withdraw_service
from tests.commissions.shared_sales import sell
from tests.html import Visitor
from tests.people import PASSWORD, PLAN

CHARGING = Terms(
    date(2026, 1, 1),
    volume_flat=20_00,
    revenue_flat_cents=100_00,
    kind="recurring",
    residual_volume_flat=5_00,
    residual_revenue_flat_cents=19_90,
    shares={"vendor": 6000, "company": 2700, "consultant": 1000, "upline": [300]},
    cooling_off_days=3,
)
ROOF = Terms(
    date(2026, 1, 1),
    volume_flat=100_00,
    volume_per_unit=10_00,
    revenue_flat_cents=200_00,
    revenue_per_unit_cents=50_00,
    milestones={"installed": 6000, "activated": 4000},
)


def offered(uow, name, terms, *, core=True):
    vendor = uow.session.scalar(select(Vendor).where(Vendor.name == name))
    vendor = vendor or add_vendor(uow, name=name, core=core, actor_id=None)
    code = f"{name.lower()}-{len(vendor.services)}"
    service = add_service(uow, vendor_id=vendor.id, offer=Offer(code, f"{name} one", "kW"), actor_id=None)
    version = add_terms(uow, service_id=service.id, terms=terms, actor_id=None)
    uow.session.expire(vendor)
    return vendor.public_id, service.id, version.id


@pytest.fixture
def phone(app, cast):
    with app.app_context():
        perform(ensure_defaults)

    def sign_in(name):
        visitor = Visitor(app)
        visitor.sign_in(f"{name}@example.com", PASSWORD)
        return visitor

    return sign_in


def test_a_size_gives_volume_and_pay_at_each_milestone(phone, do):
    vendor, *_ = do(offered, "Sunny", ROOF)
    ana = phone("ana")

    ana.visit("/market")
    assert "For 8 kW: 180 volume $30.00 projected, to you you may sell it" in ana.words
    assert 'value="8"' in ana.visit(f"/market/{vendor}").text
    ana.visit(f"/market/{vendor}?sunny-0-size=10")

    # 10 kW: 200 volume and $700.00; 60% and 40% of it; 5% to the seller, 4% of the volume to the sponsor.
    assert "When it is installed 120 $21.00 $4.80" in ana.words
    assert "When it is activated 80 $14.00 $3.20" in ana.words
    assert "your pay plan" in ana.words
    assert "before ranks and caps" in ana.words


def test_terms_that_share_revenue_pay_by_themselves(phone, do):
    vendor, *_ = do(offered, "Volta", CHARGING)
    ana = phone("ana")

    ana.visit(f"/market/{vendor}")

    assert "When it is activated 20 $10.00 $3.80" in ana.words
    assert ", then $1.99 a month, projected $10.00 projected, to you" in (ana.visit("/market") and ana.words)
    ana.visit(f"/market/{vendor}")
    assert "this service's own terms since Jan 1, 2026" in ana.words


def test_a_month_that_is_renewed_pays_its_residual(phone, do):
    vendor, *_ = do(offered, "Volta", CHARGING)
    ana = phone("ana")

    ana.visit(f"/market/{vendor}")

    # 10% and 3% of $19.90, and 4% of 5 volume.
    assert "Each month that is renewed 5 $1.99 $0.80" in ana.words


def test_the_page_says_what_the_engine_then_pays(app, phone, do, cast):
    """The same sale made in earnest, of whatever size: what Ben gets for it, and Ana who sponsors him."""
    _, service_id, terms_id = do(offered, "Volta", replace(CHARGING, revenue_flat_cents=333_33))
    do(sell, cast.ben, (service_id, terms_id), revenue=333_33, volume=20_00)
    vendor = phone("ben")
    with app.app_context():
        gathered = gathering.gather(db.session(), db.session.scalars(select(Cycle)).one())
        public_id = db.session.scalars(select(Vendor.public_id).where(Vendor.name == "Volta")).one()
    kinds = calculate(gathered.inputs).totals.by_kind

    vendor.visit(f"/market/{public_id}")

    assert kinds == {"retail": 33_33, "direct": 80, "revenue_share": 10_00}
    assert "When it is activated 20 $33.33 $10.80" in vendor.words


@pytest.mark.parametrize("size", ["0", "-1", "many", "1e9", "999999999999"])
def test_a_size_that_cannot_be_is_said_at_its_field(phone, do, size):
    vendor, *_ = do(offered, "Sunny", replace(ROOF, revenue_per_unit_cents=10**9))
    ana = phone("ana")

    answer = ana.visit(f"/market/{vendor}?sunny-0-size={size}")

    assert answer.status_code == 422
    assert "field__error" in answer.text
    assert "When it is installed 108" in ana.words, "the example stays"


def test_who_may_not_sell_reads_why(app, phone, do, cast):
    do(offered, "Sunny", replace(ROOF, packs=["smart"]))
    do(offered, "Outside", ROOF, core=False)
    ana = phone("ana")

    ana.visit("/market")
    assert "not on your plan" in ana.words and "you may sell it" in ana.words
    do(lambda uow: uow.session.execute(update(Pack).values(features={"vendors": "core"})) and None)
    ana.visit("/market")
    assert "you may sell it" not in ana.words


def test_a_licence_is_asked_for_where_it_is_missing(phone, do, cast):
    terms = replace(ROOF, licence_kind="solar", licence_states=["CA", "TX"])
    vendor, *_ = do(offered, "Sunny", terms)
    ana, today = phone("ana"), utc_now().date()

    def license(uow, region, **more):
        dates = {"valid_from": today, "expires_on": today + timedelta(days=9), "state": "verified", **more}
        kept = {"consultant_id": cast.ana, "kind": "solar", "region": region, "number": "1", **dates}
        uow.session.add(Licence(public_id=new_id(), submitted_at=uow.clock(), **kept))

    do(license, "CA")
    do(license, "TX", state="submitted")
    ana.visit(f"/market/{vendor}")

    assert "A licence is missing in TX" in ana.words
    do(license, "TX")
    ana.visit(f"/market/{vendor}")
    assert "You may sell this" in ana.words


def test_the_link_is_ones_own_and_leads_to_the_sign_up_page(app, phone, do, cast):
    vendor, *_ = do(offered, "Sunny", ROOF)
    ana = phone("ana")
    with app.app_context():
        code = db.session.get_one(Consultant, cast.ana).code

    page = ana.visit(f"/market/{vendor}").text

    assert f"/v/{vendor}/sunny-0?c={code}" in page
    assert Visitor(app).visit(f"/v/{vendor}/sunny-0?c={code}").status_code == 200


def test_what_is_withdrawn_leaves_the_marketplace(app, phone, do, cast):
    vendor, service_id, _ = do(offered, "Sunny", ROOF)
    ana = phone("ana")
    do(lambda uow: withdraw_service(uow, service_id=service_id, withdrawn=True, actor_id=None))

    assert "Nothing is in the catalogue yet" in (ana.visit("/market") and ana.words)
    assert ana.visit(f"/market/{vendor}").status_code == 404
    with app.app_context():
        assert db.session.get_one(Service, service_id).withdrawn_at is not None


def test_without_an_open_cycle_nothing_is_reckoned(phone, do):
    do(offered, "Sunny", ROOF)
    ana = phone("ana")
    do(lambda uow: uow.session.execute(update(Cycle).values(state="ended")) and None)

    ana.visit("/market")

    assert "No cycle is open" in ana.words


def test_a_sample_is_paid_whatever_activity_the_plan_asks_for():
    plan = Plan.parse({**PLAN, "activity": {"personal_volume": "5000.00", "window_cycles": 1}})

    found = paid(plan, [Sample("a", 10_00, 20_00, None)], pack="plus")["a"]

    assert (found.own, found.sponsored) == (1_00, 40)
