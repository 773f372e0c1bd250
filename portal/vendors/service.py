"""Vendors, their services, terms and keys: written here, each change noted."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.ids import new_id, new_signing_secret
from portal.models import Contract, Inbox, Pack, Sale, Service, TermsVersion, Vendor, VendorKey
from portal.store import UnitOfWork
from portal.store.locks import lock_row, lock_where
from portal.vendors.term_rules import MOST_NUMBER, Terms, check_terms

MOST_LIVE_KEYS = 2
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class ShownKey:
    """A new key: the only moment its secret is seen."""

    public_id: str
    secret: str


@dataclass(frozen=True)
class Offer:
    """What is sold: its code in events, its name, the unit of its size (kW, device, …), a sentence on it."""

    code: str
    name: str
    unit: str
    summary: str = ""


def add_vendor(uow: UnitOfWork, *, name: str, core: bool, actor_id: int | None) -> Vendor:
    """A new vendor, without services and keys. Raises `Conflict` where the name is taken."""
    if not name.strip() or len(name) > 200:
        raise BadInput("A vendor needs a name of at most 200 characters.", field="name")
    if uow.session.scalar(select(Vendor.id).where(Vendor.name == name)) is not None:
        raise Conflict(f"There is a vendor called {name} already.", field="name")
    vendor = Vendor(public_id=new_id(), name=name, core=core, created_at=uow.clock())
    uow.session.add(vendor)
    uow.session.flush()
    uow.note("vendor added", thing="vendor", thing_id=vendor.id, actor_id=actor_id)
    return vendor


def add_service(uow: UnitOfWork, *, vendor_id: int, offer: Offer, actor_id: int | None) -> Service:
    """A new service of a vendor.

    Raises `BadInput` for a code that events could not carry and for that of a registration plan, on which
    nothing may be paid; `Conflict` where the code is taken.
    """
    if not _CODE.fullmatch(offer.code):
        raise BadInput("A code is letters, digits, dots, dashes and underscores.", field="code")
    if not offer.name.strip() or not offer.unit.strip():
        raise BadInput("A service needs a name and a unit.", field="name" if offer.unit.strip() else "unit")
    if uow.session.get(Pack, offer.code) is not None:
        raise BadInput("This is the code of a plan: nothing may be paid on a registration.", field="code")
    if lock_where(uow, Service, Service.vendor_id == vendor_id, Service.code == offer.code) is not None:
        raise Conflict(f"This vendor has a service {offer.code} already.", field="code")
    icon = "sun" if offer.unit.lower() in ("kw", "kwp") else "zap"
    service = Service(
        vendor_id=vendor_id, code=offer.code, name=offer.name.strip(), unit=offer.unit.strip(), icon=icon
    )
    service.summary = offer.summary.strip()[:500] or None
    uow.session.add(service)
    uow.session.flush()
    uow.note("service added", thing="service", thing_id=service.id, actor_id=actor_id)
    return service


def describe_service(
    uow: UnitOfWork, *, service_id: int, name: str, summary: str, actor_id: int | None
) -> None:
    """What a service is called from now on and the sentence below it; its code and its unit stay.

    Raises `BadInput` for a name that is none or too long.
    """
    name, summary = name.strip(), summary.strip()
    if not 0 < len(name) <= 200:
        raise BadInput("A service needs a name of at most 200 characters.", field="name")
    if len(summary) > 500:
        raise BadInput("Please use at most 500 characters.", field="summary")
    service = lock_row(uow, Service, service_id)
    was, service.name, service.summary = service.name, name, summary or None
    uow.session.flush()
    uow.note("service described", thing="service", thing_id=service_id, actor_id=actor_id, was=was, name=name)


def set_price(
    uow: UnitOfWork, *, service_id: int, price_cents: int, per_unit_cents: int, actor_id: int | None
) -> None:
    """What a service costs when it is ordered here, cents: a flat part and a part for each unit; 0 and 0 for
    not sold here.

    Orders that are open keep their sum. Raises `BadInput` for numbers out of bounds.
    """
    for name, cents in (("price_cents", price_cents), ("price_per_unit_cents", per_unit_cents)):
        if not 0 <= cents <= MOST_NUMBER:
            raise BadInput("This must be 0 or more, and not beyond ten million.", field=name)
    service = lock_row(uow, Service, service_id)
    service.price_cents, service.price_per_unit_cents = price_cents or None, per_unit_cents or None
    uow.session.flush()
    prices = {"price_cents": price_cents, "price_per_unit_cents": per_unit_cents}
    uow.note("price set", thing="service", thing_id=service_id, actor_id=actor_id, **prices)


def add_terms(uow: UnitOfWork, *, service_id: int, terms: Terms, actor_id: int | None) -> TermsVersion:
    """New terms for contracts signed from a day on; what was signed before keeps its own.

    Raises `BadInput` for numbers out of bounds, `Conflict` where terms begin on that day already.
    """
    check_terms(terms, packs=frozenset(uow.session.scalars(select(Pack.code))))
    lock_row(uow, Service, service_id)
    same_day = TermsVersion.service_id == service_id, TermsVersion.valid_from == terms.valid_from
    if lock_where(uow, TermsVersion, *same_day) is not None:
        raise Conflict("Terms that begin on this day are there already.", field="valid_from")
    version = TermsVersion(
        service_id=service_id, created_by=actor_id, created_at=uow.clock(), **asdict(terms)
    )
    uow.session.add(version)
    uow.session.flush()
    uow.note("terms added", thing="service", thing_id=service_id, actor_id=actor_id, terms_version=version.id)
    return version


def remove_terms(uow: UnitOfWork, *, service_id: int, terms_id: int, actor_id: int | None) -> None:
    """Take back terms that no contract has and nothing was sold by, so that they can be written anew.

    Raises `NotYours` for terms of another service, `Conflict` where something has them.
    """
    version = lock_where(
        uow, TermsVersion, TermsVersion.id == terms_id, TermsVersion.service_id == service_id
    )
    if version is None:
        raise NotYours("This service has no such terms.")
    if uow.session.scalar(select(Contract.id).where(Contract.terms_version_id == terms_id).limit(1)):
        raise Conflict("A contract has these terms: they stay as they are. Add new ones from a later day.")
    if uow.session.scalar(select(Sale.id).where(Sale.terms_version_id == terms_id).limit(1)):
        raise Conflict("Something was sold by these terms: they stay as they are.")
    day = version.valid_from.isoformat()
    uow.session.delete(version)
    try:
        uow.session.flush()
    except IntegrityError as refusal:
        raise Conflict("A contract has just come by these terms: they stay as they are.") from refusal
    uow.note("terms removed", thing="service", thing_id=service_id, actor_id=actor_id, valid_from=day)


def withdraw_service(uow: UnitOfWork, *, service_id: int, withdrawn: bool, actor_id: int | None) -> None:
    """Take no new contracts of a service from now on, or take them again; those there are live on."""
    service = lock_row(uow, Service, service_id)
    if (service.withdrawn_at is not None) == withdrawn:
        return
    service.withdrawn_at = uow.clock() if withdrawn else None
    uow.session.flush()
    action = "service withdrawn" if withdrawn else "service sold again"
    uow.note(action, thing="service", thing_id=service_id, actor_id=actor_id)


def add_key(uow: UnitOfWork, *, vendor_id: int, actor_id: int | None) -> ShownKey:
    """A new signing key; two may live at the same time. Raises `Conflict` where two do."""
    lock_row(uow, Vendor, vendor_id)
    live = select(func.count()).where(VendorKey.vendor_id == vendor_id, VendorKey.revoked_at.is_(None))
    if (uow.session.scalar(live) or 0) >= MOST_LIVE_KEYS:
        raise Conflict("Two keys are live. Revoke one of them first.")
    key = VendorKey(
        public_id=new_id(), vendor_id=vendor_id, secret=new_signing_secret(), created_at=uow.clock()
    )
    uow.session.add(key)
    uow.session.flush()
    uow.note("key added", thing="vendor", thing_id=vendor_id, actor_id=actor_id, key=key.public_id)
    return ShownKey(public_id=key.public_id, secret=key.secret)


def revoke_key(uow: UnitOfWork, *, vendor_id: int, key_public_id: str, actor_id: int | None) -> None:
    """End a key at once; a revoked one stays revoked. Raises `NotYours` for a key of somebody else."""
    belongs = VendorKey.vendor_id == vendor_id, VendorKey.public_id == key_public_id
    key = lock_where(uow, VendorKey, *belongs)
    if key is None:
        raise NotYours("This vendor has no such key.")
    if key.revoked_at is None:
        key.revoked_at = uow.clock()
        uow.note("key revoked", thing="vendor", thing_id=vendor_id, actor_id=actor_id, key=key_public_id)
        uow.session.flush()


def replay(uow: UnitOfWork, *, vendor_id: int, inbox_id: int, actor_id: int | None) -> None:
    """Try an event once more from the start, now; its effects are keyed, so that nothing happens twice.

    Raises `NotYours` for an event of somebody else, `Conflict` for one whose turn comes in a moment anyway.
    """
    row = lock_where(uow, Inbox, Inbox.id == inbox_id, Inbox.vendor_id == vendor_id)
    if row is None:
        raise NotYours("This vendor sent no such event.")
    if row.state in ("new", "retry") and row.next_at <= uow.clock():
        raise Conflict("This event waits for its turn; it comes in a moment.")
    before, row.state, row.attempts = row.state, "retry", 0
    row.next_at, row.done_at = uow.clock(), None
    uow.note("event replayed", thing="inbox", thing_id=row.id, actor_id=actor_id, was=before)
    uow.session.flush()
    uow.published = True
