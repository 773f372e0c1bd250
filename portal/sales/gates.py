"""What stands against a sale: the rules of the contract's terms, and the limit of own use.

A rule that says no keeps the money back; it never loses the event. Reasons are codes with their numbers, so
that pages say them in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import exists, func, select

from portal.kernel.money import Cents, Volume
from portal.models import Consultant, Contract, Customer, Licence, OwnUseRule, Pack, Sale, TermsVersion
from portal.sales.history import History
from portal.sales.worth import NOTHING, Worth, part_of
from portal.store import UnitOfWork
from portal.store.locks import advisory

Reason: TypeAlias = dict[str, object]


@dataclass(frozen=True)
class Asked:
    """The sale that is asked for: a milestone of a contract, reached at a moment."""

    contract: Contract
    terms: TermsVersion
    history: History
    milestone: str
    reached_at: datetime


@dataclass(frozen=True)
class Verdict:
    """What may be sold now, and why the rest may not; without reasons all of it may."""

    free: Worth
    reasons: list[Reason]


Rules: TypeAlias = Callable[[UnitOfWork, Asked, Worth], Verdict]


def judge(uow: UnitOfWork, asked: Asked, value: Worth) -> Verdict:
    """Hold a sale against every rule."""
    reasons = [*_places(uow, asked), *_packs(uow, asked), *_fields(asked)]
    own_use = judge_own_use(uow, asked, value)
    return Verdict(NOTHING if reasons else own_use.free, _once([*reasons, *own_use.reasons]))


def hold_own_use(uow: UnitOfWork, customers: Iterable[Customer]) -> None:
    """Let nobody else count the own use of these customers' consultants until the commit."""
    for consultant_id in sorted({each.consultant_id for each in customers if each.own_use}):
        advisory(uow, f"own-use-{consultant_id}")


def _places(uow: UnitOfWork, asked: Asked) -> Iterator[Reason]:
    """Where it may be sold, and where a licence is needed for that on the day of signing."""
    terms, state = asked.terms, asked.contract.sold_in
    if (terms.states or terms.licence_kind) and not state:
        yield {"code": "required_field", "field": "customer.state"}
    elif terms.states and state not in terms.states:
        yield {"code": "state", "state": state, "allowed": terms.states}
    if terms.licence_kind and state in terms.licence_states and not _licensed(uow, asked):
        day = asked.history.signed_on.isoformat()
        yield {"code": "licence", "kind": terms.licence_kind, "region": state, "day": day}


def _licensed(uow: UnitOfWork, asked: Asked) -> bool:
    day = asked.history.signed_on
    fits = (
        Licence.consultant_id == asked.contract.customer.consultant_id,
        Licence.kind == asked.terms.licence_kind,
        Licence.region == asked.contract.sold_in,
        Licence.state == "verified",
        Licence.valid_from <= day,
        Licence.expires_on >= day,
    )
    return uow.session.scalar(select(exists().where(*fits))) is True


def _packs(uow: UnitOfWork, asked: Asked) -> Iterator[Reason]:
    customer = asked.contract.customer
    if not asked.terms.packs and customer.vendor.core:
        return
    row = uow.session.execute(
        select(Pack.code, Pack.features)
        .join(Consultant, Consultant.pack == Pack.code)
        .where(Consultant.id == customer.consultant_id)
    ).one()
    if asked.terms.packs and row.code not in asked.terms.packs:
        yield {"code": "pack", "pack": row.code, "allowed": asked.terms.packs}
    elif not customer.vendor.core and row.features.get("vendors") == "core":
        yield {"code": "pack", "pack": row.code, "vendors": "core"}


def _fields(asked: Asked) -> Iterator[Reason]:
    contract, person = asked.contract, asked.contract.customer.person
    known: dict[str, Any] = {
        "customer.state": contract.sold_in,
        "customer.age": contract.buyer_age is not None,
        "contract.size": asked.history.size_thousandths,
        "contract.signed_on": asked.history.signed_on_told,
    }
    for field in asked.terms.required_fields:
        name = field.removeprefix("customer.")
        there = known[field] if field in known else getattr(person, name, True) if person else False
        if not there:
            yield {"code": "required_field", "field": field}


def judge_own_use(uow: UnitOfWork, asked: Asked, value: Worth) -> Verdict:
    """How much of a consultant's own use still fits into the month in which it was reached."""
    customer = asked.contract.customer
    if not customer.own_use or not value.volume:
        return Verdict(value, [])
    begins, ends = _month(asked.reached_at)
    rule = select(OwnUseRule.monthly_volume).where(OwnUseRule.valid_from <= asked.reached_at.date())
    limit = uow.session.scalar(rule.order_by(OwnUseRule.valid_from.desc()).limit(1))
    if limit is None:
        return Verdict(value, [])
    used = _used(uow, customer.consultant_id, begins=begins, ends=ends)
    room = max(limit - used, 0)
    if value.volume <= room:
        return Verdict(value, [])
    reason: Reason = {"code": "own_use", "limit": limit, "used": used, "month": begins.strftime("%Y-%m")}
    free = part_of(value, (room, value.volume))
    return Verdict(Worth(Volume(room), Cents(min(free.revenue, value.revenue))), [reason])


def _used(uow: UnitOfWork, consultant_id: int, *, begins: datetime, ends: datetime) -> int:
    """The volume that a consultant's own household made in a month, less what was taken back of it."""
    sales = (
        select(Sale.id, Sale.volume)
        .join(Contract, Contract.id == Sale.contract_id)
        .join(Customer, Customer.id == Contract.customer_id)
        .where(
            Sale.consultant_id == consultant_id,
            Customer.own_use,
            Sale.occurred_at >= begins,
            Sale.occurred_at < ends,
            Sale.reverses_id.is_(None),
        )
        .subquery()
    )
    back = select(func.coalesce(func.sum(Sale.volume), 0)).where(Sale.reverses_id.in_(select(sales.c.id)))
    sold = uow.session.scalar(select(func.coalesce(func.sum(sales.c.volume), 0)))
    return int(sold or 0) + int(uow.session.scalar(back) or 0)


def _month(at: datetime) -> tuple[datetime, datetime]:
    begins = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = divmod(begins.month, 12)
    return begins, begins.replace(year=begins.year + year, month=month + 1)


def _once(reasons: list[Reason]) -> list[Reason]:
    return [reason for at, reason in enumerate(reasons) if reason not in reasons[:at]]
