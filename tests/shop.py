"""A vendor with one service, and sales made of it by hand: volume and revenue as the test wants them."""

from __future__ import annotations

from datetime import date
from itertools import count

from sqlalchemy import select

from portal.kernel.facts import SaleRecorded, SaleReversed
from portal.kernel.ids import new_id
from portal.models import Contract, Customer, Cycle, Sale, Service, TermsVersion, Vendor
from portal.store import UnitOfWork

_numbers = count(1)


def open_shop(uow: UnitOfWork, *, cooling_off_days: int = 3) -> Service:
    """The one vendor of a test and its service, made when first asked for."""
    known = uow.session.scalar(select(Service).where(Service.code == "solar"))
    if known is not None:
        return known
    vendor = Vendor(public_id=new_id(), name="SunPath", core=True, created_at=uow.clock())
    uow.session.add(vendor)
    uow.session.flush()
    service = Service(vendor_id=vendor.id, code="solar", name="Solar roof", unit="kW", icon="sun")
    uow.session.add(service)
    uow.session.flush()
    uow.session.add(
        TermsVersion(
            service_id=service.id,
            valid_from=date(2020, 1, 1),
            volume_flat=0,
            volume_per_unit=100_00,
            revenue_flat_cents=0,
            revenue_per_unit_cents=300_00,
            milestones={"activated": 10_000},
            cooling_off_days=cooling_off_days,
            created_at=uow.clock(),
        )
    )
    uow.session.flush()
    return service


def add_sale(
    uow: UnitOfWork,
    seller: int,
    volume: int,
    *,
    revenue: int = 0,
    signed_on: date | None = None,
    terms_id: int | None = None,
) -> int:
    """A sale in the open cycle by these terms, else the shop's: hundredths of volume, cents; its id."""
    service = open_shop(uow)
    number = next(_numbers)
    shop = select(TermsVersion).where(TermsVersion.service_id == service.id)
    terms = uow.session.get_one(TermsVersion, terms_id) if terms_id else uow.session.scalars(shop).one()
    customer = Customer(
        public_id=new_id(),
        vendor_id=service.vendor_id,
        ref=f"customer-{number}",
        consultant_id=seller,
        registered_at=uow.clock(),
    )
    uow.session.add(customer)
    uow.session.flush()
    contract = Contract(
        vendor_id=service.vendor_id,
        ref=f"contract-{number}",
        customer_id=customer.id,
        service_id=terms.service_id,
        terms_version_id=terms.id,
        size_thousandths=8_000,
        state="active",
        signed_on=signed_on or uow.clock().date(),
        activated_at=uow.clock(),
    )
    uow.session.add(contract)
    uow.session.flush()
    return _record(uow, seller, contract.id, volume=volume, revenue=revenue, reverses=None)


def reverse_sale(
    uow: UnitOfWork, sale_id: int, *, volume: int | None = None, revenue: int | None = None
) -> int:
    """Take a sale back, whole unless parts are given; the id of the reversal."""
    sale = uow.session.get_one(Sale, sale_id)
    return _record(
        uow,
        sale.consultant_id,
        sale.contract_id,
        volume=-sale.volume if volume is None else -volume,
        revenue=-sale.revenue_cents if revenue is None else -revenue,
        reverses=sale_id,
    )


def _record(
    uow: UnitOfWork, seller: int, contract_id: int, *, volume: int, revenue: int, reverses: int | None
) -> int:
    cycle = uow.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
    of = uow.session.get_one(Sale, reverses) if reverses else uow.session.get_one(Contract, contract_id)
    sale = Sale(
        public_id=new_id(),
        cycle_id=cycle,
        consultant_id=seller,
        contract_id=contract_id,
        terms_version_id=of.terms_version_id,
        milestone="activated",
        volume=volume,
        revenue_cents=revenue,
        occurred_at=uow.clock(),
        recorded_at=uow.clock(),
        reverses_id=reverses,
        cause=f"test-{next(_numbers)}",
    )
    uow.session.add(sale)
    uow.session.flush()
    uow.publish(SaleRecorded(sale.id) if reverses is None else SaleReversed(sale.id))
    return sale.id
