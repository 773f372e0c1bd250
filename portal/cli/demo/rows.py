"""Many rows at once: people, places, customers, contracts and sales, without an object for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, update

from portal.cli.demo.names import Invented
from portal.cli.demo.network import MAYA, Member
from portal.cli.demo.offers import Stored
from portal.cli.demo.sales import Bought, Buyer, WeekOfSales
from portal.kernel.ids import new_code
from portal.models import (
    AccountUser,
    Consultant,
    Contract,
    ContractFact,
    Customer,
    Outbox,
    Person,
    Placement,
    RoleGrant,
    Sale,
)
from portal.models.person import NO_PASSWORD
from portal.store import UnitOfWork


@dataclass(frozen=True)
class Known:
    """What is written already: consultant ids in the order of the members, and the vendors' offers."""

    sellers: Sequence[int]
    offers: Sequence[Stored]
    invented: Invented


def hush(uow: UnitOfWork) -> None:
    """Let nobody react to what was told in this unit of work: it happened long ago, as far as the demo goes.

    Without this, thousands of mails about invented credits would be written.
    """
    uow.session.flush()
    untold = update(Outbox).where(Outbox.relayed_at.is_(None)).values(relayed_at=uow.clock())
    uow.session.execute(untold.execution_options(synchronize_session=False))


def insert_rows(
    uow: UnitOfWork, model: type[Any], rows: Sequence[dict[str, Any]], *, by: str = "public_id"
) -> list[int]:
    """Insert rows; their ids in the order of `rows`, which are told apart by the column `by`."""
    if not rows:
        return []
    statement = insert(model).returning(getattr(model, by), model.id)
    ids = {row[0]: row[1] for row in uow.session.execute(statement, list(rows))}
    return [ids[row[by]] for row in rows]


def insert_people(
    uow: UnitOfWork, names: Sequence[tuple[str, str, datetime]], *, invented: Invented
) -> list[int]:
    """A person for each (name, e-mail, since)."""
    return insert_rows(
        uow,
        Person,
        [
            {"public_id": invented.public_id(), "name": name, "email": email, "created_at": since}
            for name, email, since in names
        ],
    )


def insert_network(uow: UnitOfWork, members: Sequence[Member], *, invented: Invented) -> list[int]:
    """People, sign-ins without a password, consultants and places; the ids of the consultants."""
    people = insert_people(uow, [(one.name, one.email, one.joined_at) for one in members], invented=invented)
    _insert_sign_ins(uow, members, people)
    ids = insert_rows(
        uow,
        Consultant,
        [
            _consultant_row(one, person_id, invented.public_id(), by_hand=at == MAYA)
            for at, (one, person_id) in enumerate(zip(members, people, strict=True))
        ],
    )
    _link_sponsors(uow, members, ids)
    uow.session.execute(
        insert(Placement),
        [
            {
                "consultant_id": ids[at],
                "parent_id": None if one.parent is None else ids[one.parent],
                "leg": one.leg,
                "valid_from": one.joined_at,
            }
            for at, one in enumerate(members)
            if one.parent is not None or one.sponsor is None
        ],
    )
    return ids


def insert_week(uow: UnitOfWork, week: WeekOfSales, *, cycle_id: int, known: Known) -> None:
    """Customers, contracts, sales and reversals of one week, in the cycle that is open in it."""
    _insert_customers(uow, week, known)
    contracts = [_contract_row(bought, known) for bought in week.sold]
    for bought, contract_id in zip(week.sold, insert_rows(uow, Contract, contracts, by="ref"), strict=True):
        bought.contract_id = contract_id
    facts = [_fact_row(bought, is_end) for bought in week.sold for is_end in (False, True)]
    if facts:
        uow.session.execute(insert(ContractFact), [fact for fact in facts if fact["occurred_at"]])
    for sold, cancelled in week.days():
        sales = [_sale_row(bought, cycle_id, known) for bought in sold]
        for bought, sale_id in zip(sold, insert_rows(uow, Sale, sales), strict=True):
            bought.sale_id = sale_id
        insert_rows(uow, Sale, [_reversal_row(bought, cycle_id, known) for bought in cancelled])


def _insert_sign_ins(uow: UnitOfWork, members: Sequence[Member], people: Sequence[int]) -> None:
    users = insert_rows(
        uow,
        AccountUser,
        [
            {
                "person_id": person_id,
                "email": one.email,
                "password_hash": NO_PASSWORD,
                "created_at": one.joined_at,
            }
            for one, person_id in zip(members, people, strict=True)
        ],
        by="email",
    )
    uow.session.execute(insert(RoleGrant), [{"user_id": user_id, "role": "consultant"} for user_id in users])


def _consultant_row(one: Member, person_id: int, public_id: str, *, by_hand: bool) -> dict[str, Any]:
    return {
        "public_id": public_id,
        "code": new_code(),
        "person_id": person_id,
        "pack": one.pack,
        "status": "active",
        "preference": "hand" if by_hand else "weaker",
        "joined_at": one.joined_at,
    }


def _link_sponsors(uow: UnitOfWork, members: Sequence[Member], ids: Sequence[int]) -> None:
    """Sponsors are known once everybody has an id."""
    by_id = update(Consultant).where(Consultant.id == bindparam("who")).values(sponsor_id=bindparam("by"))
    rows = [
        {"who": ids[at], "by": ids[one.sponsor]} for at, one in enumerate(members) if one.sponsor is not None
    ]
    uow.session.connection().execute(by_id, rows)


def _insert_customers(uow: UnitOfWork, week: WeekOfSales, known: Known) -> None:
    fresh = list({id(bought.buyer): bought.buyer for bought in week.sold if not bought.buyer.row_id}.values())
    invented = known.invented
    named = [(buyer.name, invented.email(buyer.name), buyer.registered_at) for buyer in fresh]
    people = insert_people(uow, named, invented=invented)
    rows = [_customer_row(buyer, person_id, known) for buyer, person_id in zip(fresh, people, strict=True)]
    for buyer, row_id in zip(fresh, insert_rows(uow, Customer, rows), strict=True):
        buyer.row_id = row_id


def _customer_row(buyer: Buyer, person_id: int, known: Known) -> dict[str, Any]:
    return {
        "public_id": known.invented.public_id(),
        "vendor_id": known.offers[buyer.offered].vendor_id,
        "ref": f"C-{person_id:06d}",
        "consultant_id": known.sellers[buyer.seller],
        "person_id": person_id,
        "registered_at": buyer.registered_at,
        **_vouched_for(buyer, person_id),
    }


def _vouched_for(buyer: Buyer, person_id: int) -> dict[str, Any]:
    """Of 40 customers 35 are known to the vendor by name, two are households of consultants."""
    own_use = person_id % 40 in (7, 23)
    verified = not own_use and person_id % 40 not in (2, 15, 31)
    return {
        "own_use": own_use,
        "verified_at": buyer.registered_at if verified else None,
        "verified_by": "vendor" if verified else None,
    }


def _contract_row(bought: Bought, known: Known) -> dict[str, Any]:
    offer = known.offers[bought.buyer.offered]
    return {
        "vendor_id": offer.vendor_id,
        "ref": f"K-{known.invented.public_id()[:8].upper()}",
        "customer_id": bought.buyer.row_id,
        "service_id": offer.service_id,
        "terms_version_id": offer.terms_id,
        "size_thousandths": bought.size,
        "state": "cancelled" if bought.cancelled_at else "active",
        "signed_on": bought.buyer.registered_at.date(),
        "activated_at": bought.at,
        "cancelled_at": bought.cancelled_at,
    }


def _fact_row(bought: Bought, is_end: bool) -> dict[str, Any]:
    """What the vendor said of a contract: that it is active, or at its end that it is cancelled."""
    at = bought.cancelled_at if is_end else bought.at
    milestone = "" if is_end else "activated"
    return {
        "contract_id": bought.contract_id,
        "key": f"demo-{bought.contract_id}-{milestone or 'cancelled'}",
        "type": "service.cancelled" if is_end else "service.activated",
        "milestone": milestone,
        "occurred_at": at,
        "size_thousandths": None if is_end else bought.size,
        "signed_on": None if is_end else bought.buyer.registered_at.date(),
        "recorded_at": at,
    }


def _sale_row(bought: Bought, cycle_id: int, known: Known) -> dict[str, Any]:
    return {
        "public_id": known.invented.public_id(),
        "cycle_id": cycle_id,
        "consultant_id": known.sellers[bought.buyer.seller],
        "contract_id": bought.contract_id,
        "terms_version_id": known.offers[bought.buyer.offered].terms_id,
        "milestone": "activated",
        "volume": int(bought.worth.volume),
        "revenue_cents": int(bought.worth.revenue),
        "occurred_at": bought.at,
        "recorded_at": bought.at,
        "reverses_id": None,
        "cause": f"contract-{bought.contract_id}-activated",
    }


def _reversal_row(bought: Bought, cycle_id: int, known: Known) -> dict[str, Any]:
    back = {
        "volume": -int(bought.worth.volume),
        "revenue_cents": -int(bought.worth.revenue),
        "occurred_at": bought.cancelled_at,
        "recorded_at": bought.cancelled_at,
        "reverses_id": bought.sale_id,
        "cause": f"sale-{bought.sale_id}-cancelled",
    }
    return _sale_row(bought, cycle_id, known) | back
