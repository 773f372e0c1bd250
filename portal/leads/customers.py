"""Reads about a consultant's own customers: their contracts, what came of them, what is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.models import Contract, Customer, HeldSale, Lead, Person, Sale
from portal.store import people

PAGE: Final = 25


@dataclass(frozen=True)
class Own:
    """A contract, the volume (hundredths) it brought its consultant, and what is held of it."""

    contract: Contract
    volume: int
    held: Sequence[HeldSale]


@dataclass(frozen=True)
class CustomerLine:
    """A customer with their contracts; `stopped` are the channels on which nobody may contact them."""

    customer: Customer
    contracts: Sequence[Own]
    lead: str
    stopped: frozenset[str]


def own_customers(
    session: Session, consultant_id: int, *, asked: str = "", before: int | None = None
) -> list[CustomerLine]:
    """A page of a consultant's customers, newest first, with one more than fits where there are more."""
    statement = select(Customer).where(Customer.consultant_id == consultant_id)
    if asked.strip():
        called = func.lower(Person.name).contains(asked.strip().lower(), autoescape=True)
        statement = statement.join(Person, Person.id == Customer.person_id).where(called)
    if before is not None:
        statement = statement.where(Customer.id < before)
    found = session.scalars(statement.order_by(Customer.id.desc()).limit(PAGE + 1)).unique().all()
    contracts = _contracts(session, consultant_id, [customer.id for customer in found])
    leads = _leads(session, consultant_id, [customer.id for customer in found])
    stops = people.stopped(session, [customer.person for customer in found if customer.person])
    return [
        CustomerLine(
            customer,
            contracts.get(customer.id, ()),
            leads.get(customer.id, ""),
            stops.get(customer.person_id or 0, frozenset()),
        )
        for customer in found
    ]


def totals(session: Session, consultant_id: int) -> dict[str, int]:
    """How many customers a consultant has, how many of them somebody else vouched for, and what is held."""
    mine = Customer.consultant_id == consultant_id
    counted = select(func.count(Customer.id), func.count(Customer.verified_at)).where(mine)
    number, verified = session.execute(counted).one()
    held = select(func.count(HeldSale.id)).where(
        HeldSale.consultant_id == consultant_id, HeldSale.state == "held"
    )
    return {"customers": number, "verified": verified, "held": session.scalar(held) or 0}


def _contracts(session: Session, consultant_id: int, customers: Sequence[int]) -> dict[int, list[Own]]:
    wanted = select(Contract).where(Contract.customer_id.in_(customers)).order_by(Contract.id)
    found = session.scalars(wanted).unique().all()
    ids = [contract.id for contract in found]
    sold: Any = select(Sale.contract_id, func.sum(Sale.volume)).where(
        Sale.contract_id.in_(ids), Sale.consultant_id == consultant_id
    )
    volumes = {row[0]: int(row[1]) for row in session.execute(sold.group_by(Sale.contract_id))}
    held: dict[int, list[HeldSale]] = {}
    waiting = select(HeldSale).where(HeldSale.contract_id.in_(ids), HeldSale.state == "held")
    for sale in session.scalars(waiting.order_by(HeldSale.id)).unique():
        held.setdefault(sale.contract_id, []).append(sale)
    of_customer: dict[int, list[Own]] = {}
    for contract in found:
        own = Own(contract, volumes.get(contract.id, 0), held.get(contract.id, ()))
        of_customer.setdefault(contract.customer_id, []).append(own)
    return of_customer


def _leads(session: Session, consultant_id: int, customers: Sequence[int]) -> dict[int, str]:
    mine = (Lead.consultant_id == consultant_id, Lead.customer_id.in_(customers))
    rows = session.execute(select(Lead.customer_id, Lead.public_id).where(*mine).order_by(Lead.id))
    return {customer_id: public_id for customer_id, public_id in rows if customer_id is not None}
