"""Services whose terms share the revenue, and sales of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from portal.models import Sale
from portal.store import UnitOfWork
from portal.vendors.service import Offer, Terms, add_service, add_terms, add_vendor
from tests.shop import add_sale

FIRST_DAY = date(2026, 11, 1)
SHARES: dict[str, Any] = {"vendor": 6000, "company": 2900, "consultant": 500, "upline": [300, 200, 100]}


def offer(uow: UnitOfWork, vendor: str, code: str, shares: dict[str, Any] | None) -> tuple[int, int]:
    """A vendor with one service; the ids of the service and of its terms from the first of November on."""
    vendor_id = add_vendor(uow, name=vendor, core=True, actor_id=None).id
    service = add_service(uow, vendor_id=vendor_id, offer=Offer(code, code.title(), "kW"), actor_id=None)
    return service.id, change(uow, service.id, FIRST_DAY, shares)


def change(uow: UnitOfWork, service_id: int, day: date, shares: dict[str, Any] | None) -> int:
    """Further terms of a service from a day on; their id."""
    terms = replace(Terms(day), revenue_flat_cents=200_01, shares=shares)
    return add_terms(uow, service_id=service_id, terms=terms, actor_id=None).id


def sell(uow: UnitOfWork, seller: int, terms: tuple[int, int], *, revenue: int, volume: int = 0) -> int:
    """A sale in the open cycle of a service by its terms; its id."""
    return add_sale(uow, seller, volume, revenue=revenue, terms_id=terms[1])


def put_under(uow: UnitOfWork, sale_id: int, terms_id: int) -> None:
    """Let the contract of a sale come under other terms, and nothing be settled."""
    uow.session.get_one(Sale, sale_id).contract.terms_version_id = terms_id
    uow.session.flush()
