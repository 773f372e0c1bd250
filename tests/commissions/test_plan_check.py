"""The plan check: what cannot go live, what wants a reason, and that no fee ever becomes a sale."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.commissions.plans.check import Company, company, findings
from portal.commissions.plans.versions import SHIPPED
from portal.engine import Plan
from portal.extensions import db
from portal.models import Contract, Customer, Sale
from portal.store import perform
from tests.shop import add_sale

FEES = {"smart": 0, "pack": 4_900, "plus": 14_900 + 12 * 1_900}
HERE = Company(FEES, frozenset({"solar"}))


def codes(here=HERE, **parts):
    document = {name: part for name, part in (SHIPPED | parts).items() if part is not None}
    return {finding.code: finding.refused for finding in findings(Plan.parse(document), here)}


def test_the_shipped_plan_pays_no_higher_rate_for_a_fee_and_is_capped():
    assert codes() == {"no-limit": False}
    assert codes(payout_limit="0.45") == {}


def test_rates_for_a_service_that_is_a_registration_are_refused():
    assert codes(services={"plus": {"retail": {"pack": "0.05"}}})["registration"]
    assert codes(Company(FEES, frozenset({"pack"})))["registration"]


def test_a_pool_for_heads_without_any_volume_is_refused():
    rank = {"name": "recruiter", "requires": {"sponsored_active": 5}, "pool_shares": 1}
    free = {"personal_volume": "0.00", "window_cycles": 1}
    more = {"pool": {"rate": "0.01"}, "ranks": [rank]}

    assert codes(activity=free, **more)["head-count"]
    assert "head-count" not in codes(**more)
    below = {"name": "seller", "requires": {"weak_leg_volume": "100.00"}}
    assert "head-count" not in codes(activity=free, pool=more["pool"], ranks=[below, rank])


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("rising-rates", {"retail": {"rate": {"pack": "0.05", "plus": "0.06"}}}),
        ("rising-rates", {"services": {"solar": {"retail": {"smart": "0.01", "pack": "0.02"}}}}),
        ("no-cap", {"binary": {"mode": "percent", "rate": {"pack": "0.08"}}}),
        ("ratio-on-revenue", {"revenue_share": {"rates": ["0.5", "0.5"]}}),
        ("ratio-on-volume", {"unilevel": {"rates": ["0.5", "0.5"]}}),
        ("ratio-over-limit", {"payout_limit": "0.05"}),
        ("empty-generations", {"matching": {"rates": ["0.1"], "depth": {"plus": 2}}}),
        ("many-generations", {"matching": {"rates": ["0.1"] * 4, "depth": {"plus": 2}}}),
        ("unknown-packs", {"direct": {"rate": {"gold": "0.01"}}}),
        ("unknown-services", {"services": {"wind": {}}}),
    ],
)
def test_each_warning_is_given_where_it_belongs(code, parts):
    assert codes(**parts)[code] is False
    assert code not in codes(payout_limit="0.45")


def test_volume_that_consultants_sell_to_themselves_is_warned_of_above_thirty_percent(app, cast):
    with app.app_context():
        perform(lambda uow: add_sale(uow, cast.ben, 690_00))
        own = perform(lambda uow: add_sale(uow, cast.cem, 310_00))
        assert company(db.session()).own_use == 0
        customer = db.session.scalars(
            select(Customer).join(Contract).join(Sale, Sale.contract_id == Contract.id).where(Sale.id == own)
        ).one()
        customer.own_use = True
        db.session.commit()

        here = company(db.session())
        assert here.own_use == 3_100
        assert "own-use" in codes(here)
        assert "own-use" not in codes(Company(here.fees, here.services, 3_000))


def test_a_sale_is_always_a_milestone_of_a_vendors_contract():
    """What makes a fee unpayable: a sale without a customer's contract cannot be written at all."""
    assert not Sale.__table__.c.contract_id.nullable
    assert not Contract.__table__.c.customer_id.nullable and not Contract.__table__.c.vendor_id.nullable
