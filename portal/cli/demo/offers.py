"""The four vendors of the demo, what they sell, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from portal.models import TermsVersion
from portal.sales.worth import Worth, worth
from portal.store import UnitOfWork
from portal.vendors.service import Offer, Terms, add_key, add_service, add_terms, add_vendor, set_price


@dataclass(frozen=True)
class Offered:
    """A vendor with its one service: sizes in thousandths from `smallest` to `largest` in whole `step`s."""

    vendor: str
    core: bool
    offer: Offer
    terms: Terms
    sizes: tuple[int, int, int]
    # Cents in the shop: a flat part and a part for each unit; 0 and 0 for what is not sold there.
    price: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Stored:
    """Where an offer is in the database, and the key its vendor signs with."""

    vendor_id: int
    service_id: int
    terms_id: int
    vendor_public_id: str
    key: str


LONG_AGO = date(2020, 1, 1)
OFFERS = (
    Offered(
        "SunPath",
        True,
        Offer("solar-roof", "Solar roof", "kW"),
        Terms(LONG_AGO, volume_per_unit=40_00, revenue_per_unit_cents=38_00, cooling_off_days=10),
        (4_000, 12_000, 400),
    ),
    Offered(
        "ComfortIQ",
        False,
        Offer("thermostat", "Smart thermostat", "device"),
        Terms(LONG_AGO, volume_per_unit=60_00, revenue_per_unit_cents=55_00, cooling_off_days=3),
        (1_000, 3_000, 1_000),
        price=(0, 249_00),
    ),
    Offered(
        "WattKeep",
        False,
        Offer("home-battery", "Home battery", "kWh"),
        Terms(LONG_AGO, volume_per_unit=12_00, revenue_per_unit_cents=11_00, cooling_off_days=10),
        (10_000, 27_000, 500),
    ),
    Offered(
        "SafeNest",
        False,
        Offer("cameras", "Cameras", "camera"),
        Terms(
            LONG_AGO,
            volume_flat=40_00,
            volume_per_unit=15_00,
            revenue_flat_cents=35_00,
            revenue_per_unit_cents=14_00,
            cooling_off_days=3,
        ),
        (2_000, 8_000, 1_000),
        price=(149_00, 89_00),
    ),
)


def store_offers(uow: UnitOfWork, *, actor_id: int) -> list[Stored]:
    """Write vendors, services, terms and one key each."""
    return [_store(uow, offered, actor_id) for offered in OFFERS]


def draw_size(rng: Random, offered: Offered) -> int:
    """A size that somebody might order, in thousandths."""
    smallest, largest, step = offered.sizes
    return rng.randrange(smallest, largest + 1, step)


def worth_of(offered: Offered, size_thousandths: int) -> Worth:
    """What an activation of this size is worth."""
    terms = TermsVersion(**vars(offered.terms))
    value = worth(terms, size_thousandths=size_thousandths, milestone="activated")
    assert value is not None, "the demo's terms pay at the activation"
    return value


def _store(uow: UnitOfWork, offered: Offered, actor_id: int) -> Stored:
    vendor = add_vendor(uow, name=offered.vendor, core=offered.core, actor_id=actor_id)
    service = add_service(uow, vendor_id=vendor.id, offer=offered.offer, actor_id=actor_id)
    terms = add_terms(uow, service_id=service.id, terms=offered.terms, actor_id=actor_id)
    flat, per_unit = offered.price
    if flat or per_unit:
        set_price(uow, service_id=service.id, price_cents=flat, per_unit_cents=per_unit, actor_id=actor_id)
    key = add_key(uow, vendor_id=vendor.id, actor_id=actor_id)
    return Stored(vendor.id, service.id, terms.id, vendor.public_id, f"{key.public_id}:{key.secret}")
