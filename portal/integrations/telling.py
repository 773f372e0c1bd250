"""Who is told of a fact: the company of everything, a consultant of what is their own; ids and amounts alone.

Written in the unit of work that reacts to the fact, once for an address and a fact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from portal.integrations import deliveries
from portal.integrations.documents import decimal, instant, sale_document
from portal.models import (
    AccountUser,
    CommissionLine,
    Consultant,
    Customer,
    Cycle,
    Lead,
    Sale,
    WebhookDelivery,
    WebhookEndpoint,
    Withdrawal,
)
from portal.store import UnitOfWork
from portal.store.locks import lock_row


def consultant_registered(uow: UnitOfWork, consultant_id: int) -> None:
    """Somebody joined: their sponsor's systems learn of it."""
    one = uow.session.get_one(Consultant, consultant_id)
    sponsor = uow.session.get(Consultant, one.sponsor_id) if one.sponsor_id else None
    data = {
        "consultant": one.public_id,
        "sponsor": sponsor.public_id if sponsor else None,
        "plan": one.pack,
        "joined_at": instant(one.joined_at),
    }
    _tell(uow, "consultant.registered", consultant_id, one.sponsor_id, data)


def customer_registered(uow: UnitOfWork, customer_id: int) -> None:
    """A vendor registered a customer of a consultant."""
    one = uow.session.get_one(Customer, customer_id)
    data = {
        "customer": one.public_id,
        "vendor": one.vendor.public_id,
        "consultant": _public_id(uow, one.consultant_id),
        "registered_at": instant(one.registered_at),
    }
    _tell(uow, "customer.registered", customer_id, one.consultant_id, data)


def lead_taken(uow: UnitOfWork, lead_id: int) -> None:
    """A lead came in; who it is stands behind the API, where rights are asked for again."""
    one = uow.session.get_one(Lead, lead_id)
    data = {
        "lead": one.public_id,
        "source": one.source,
        "service": one.service.code if one.service else None,
        "state": one.region,
        "consultant": _public_id(uow, one.consultant_id) if one.consultant_id else None,
        "created_at": instant(one.created_at),
    }
    _tell(uow, "lead.taken", lead_id, one.consultant_id, data)


def sale_written(uow: UnitOfWork, sale_id: int, *, kind: str) -> None:
    """A sale was recorded, or one was taken back."""
    earlier = aliased(Sale)
    written = (
        select(Sale, earlier.public_id)
        .outerjoin(earlier, earlier.id == Sale.reverses_id)
        .where(Sale.id == sale_id)
    )
    sale, reverses = uow.session.execute(written).unique().one()
    seller = _public_id(uow, sale.consultant_id)
    _tell(uow, kind, sale_id, sale.consultant_id, sale_document(sale, consultant=seller, reverses=reverses))


def withdrawal_paid(uow: UnitOfWork, withdrawal_id: int) -> None:
    """Money is on its way to somebody's bank."""
    one = uow.session.get_one(Withdrawal, withdrawal_id)
    data = {
        "withdrawal": one.public_id,
        "consultant": _public_id(uow, one.consultant_id),
        "amount": decimal(one.amount_cents),
        "currency": one.currency,
        "paid_at": instant(one.settled_at),
    }
    _tell(uow, "withdrawal.paid", withdrawal_id, one.consultant_id, data)


def commission_credited(uow: UnitOfWork, cycle_id: int) -> None:
    """A cycle was closed: each consultant's systems learn of their own sum, the company's of the whole.

    They are told once the close can no longer be undone.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.close_run_id is None or cycle.closed_at is None:
        return
    run_id, cycle_name = cycle.close_run_id, cycle.name
    currency = str(cycle.plan_version.document.get("currency", "USD"))

    def data_of(endpoint: WebhookEndpoint) -> dict[str, Any] | None:
        lines = select(func.count(), func.coalesce(func.sum(CommissionLine.amount_cents), 0))
        lines = lines.where(CommissionLine.run_id == run_id)
        if endpoint.consultant_id is not None:
            lines = lines.where(CommissionLine.consultant_id == endpoint.consultant_id)
        count, cents = uow.session.execute(lines).one()
        if count == 0:
            return None
        return {"cycle": cycle_name, "lines": count, "amount": decimal(int(cents)), "currency": currency}

    written = _write(uow, "commission.credited", _run_key(run_id), _all_endpoints(uow), data_of)
    for row in written:
        row.next_at = cycle.undo_until or uow.clock()


def commission_undone(uow: UnitOfWork, run_id: int) -> None:
    """A close was undone: what waits to tell of it is not sent."""
    deliveries.hold_back(uow, key_prefix=_run_key(run_id))


def _tell(uow: UnitOfWork, kind: str, thing_id: int, consultant_id: int | None, data: dict[str, Any]) -> None:
    mine = [each for each in _all_endpoints(uow) if each.consultant_id in (None, consultant_id)]
    _write(uow, kind, f"{kind}:{thing_id}", mine, lambda _endpoint: data)


def _all_endpoints(uow: UnitOfWork) -> list[WebhookEndpoint]:
    """Addresses that are told: switched on, and their owner can still sign in."""
    on = (
        select(WebhookEndpoint)
        .join(AccountUser, AccountUser.id == WebhookEndpoint.created_by)
        .where(WebhookEndpoint.disabled_at.is_(None), WebhookEndpoint.vendor_id.is_(None))
        .where(or_(WebhookEndpoint.consultant_id.is_(None), AccountUser.disabled_at.is_(None)))
    )
    return list(uow.session.scalars(on.order_by(WebhookEndpoint.id)))


def _write(
    uow: UnitOfWork,
    kind: str,
    key: str,
    endpoints: list[WebhookEndpoint],
    data_of: Callable[[WebhookEndpoint], dict[str, Any] | None],
) -> list[WebhookDelivery]:
    written = []
    for endpoint in endpoints:
        data = data_of(endpoint) if kind in endpoint.kinds else None
        if data is not None:
            public_id = deliveries.write(uow, endpoint, kind=kind, key=key, data=data)
            written.append(deliveries.delivery_of(uow.session, endpoint.id, public_id))
    return written


def _public_id(uow: UnitOfWork, consultant_id: int) -> str:
    return uow.session.get_one(Consultant, consultant_id).public_id


def _run_key(run_id: int) -> str:
    return f"commission.credited:{run_id}"
