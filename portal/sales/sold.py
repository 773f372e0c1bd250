"""What of a contract counts as sold: sales, what was taken back of them, and the share that stays paid."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

from portal.kernel.facts import SaleRecorded, SaleReversed
from portal.kernel.ids import new_id
from portal.kernel.money import Cents, Volume, round_half_away
from portal.models import Contract, Cycle, Order, Sale
from portal.payments.orders import Kept, kept_of
from portal.sales.refusals import NotYetKnown
from portal.sales.worth import Worth
from portal.store import UnitOfWork
from portal.store.locks import share_cycle_gate


def new_sale(uow: UnitOfWork, contract: Contract, value: Worth) -> Sale:
    """A sale in the cycle that is open at this moment; the gate keeps that cycle from ending meanwhile.

    Raises `NotYetKnown` where no cycle is open.
    """
    share_cycle_gate(uow)
    cycle = uow.session.scalars(select(Cycle).where(Cycle.state == "open")).unique().one_or_none()
    if cycle is None:
        raise NotYetKnown("No cycle is open.")
    return Sale(
        public_id=new_id(),
        cycle_id=cycle.id,
        consultant_id=contract.customer.consultant_id,
        contract_id=contract.id,
        volume=value.volume,
        revenue_cents=value.revenue,
        recorded_at=uow.clock(),
    )


def sales_of(uow: UnitOfWork, contract: Contract) -> list[Sale]:
    """All sales of a contract that are no reversals, oldest first."""
    mine = select(Sale).where(Sale.contract_id == contract.id, Sale.reverses_id.is_(None))
    return list(uow.session.scalars(mine.order_by(Sale.id)).unique())


def left_of(uow: UnitOfWork, sale: Sale) -> Worth:
    """What was not taken back of a sale yet."""
    taken = select(func.coalesce(func.sum(Sale.volume), 0), func.coalesce(func.sum(Sale.revenue_cents), 0))
    volume, revenue = uow.session.execute(taken.where(Sale.reverses_id == sale.id)).one()
    return Worth(Volume(sale.volume + int(volume)), Cents(sale.revenue_cents + int(revenue)))


def take_back(uow: UnitOfWork, contract: Contract, sale: Sale, *, value: Worth, cause: str) -> Sale | None:
    """Reverse a part or all of a sale in the cycle that is open now; None where it is worth nothing."""
    if not value.volume and not value.revenue:
        return None
    reversal = new_sale(uow, contract, Worth(Volume(-value.volume), Cents(-value.revenue)))
    reversal.milestone, reversal.reverses_id = sale.milestone, sale.id
    reversal.occurred_at = contract.cancelled_at or uow.clock()
    reversal.cause = cause
    reversal.consultant_id = sale.consultant_id
    uow.session.add(reversal)
    uow.session.flush()
    uow.publish(SaleReversed(sale_id=reversal.id), key=f"sale-{reversal.id}-reversed")
    return reversal


def keep_paid_share(uow: UnitOfWork, contract: Contract) -> None:
    """Let a contract that was paid here count for the share of its price that did not go back.

    The contract is locked by the caller. Each milestone ends at that share of what was first sold, whatever
    went back and came again before: too much is taken back, what is missing is sold again, both in the cycle
    that is open now. What is cancelled or was not paid here stays as it is. Raises `NotYetKnown`.
    """
    order = uow.session.scalar(select(Order).where(Order.contract_id == contract.id))
    if order is None or contract.state == "cancelled":
        return
    kept = kept_of(uow, order)
    by_milestone: dict[str, list[Sale]] = {}
    for sale in sales_of(uow, contract):
        by_milestone.setdefault(sale.milestone, []).append(sale)
    for sales in by_milestone.values():
        _settle(uow, contract, sales, kept)


def _settle(uow: UnitOfWork, contract: Contract, sales: list[Sale], kept: Kept) -> None:
    """The first sale of a milestone is its whole worth; later ones brought back what had been taken."""
    first, newest = sales[0], sales[-1]
    left = [left_of(uow, sale) for sale in sales]
    volume = _share(first.volume, kept) - sum(each.volume for each in left)
    revenue = _share(first.revenue_cents, kept) - sum(each.revenue for each in left)
    if volume > 0 or revenue > 0:
        _sell_again(uow, contract, newest, Worth(Volume(max(volume, 0)), Cents(max(revenue, 0))))
    elif volume or revenue:
        newest_first = zip(reversed(sales), reversed(left), strict=True)
        _take_some(uow, contract, newest_first, Worth(Volume(-volume), Cents(-revenue)))


def _share(amount: int, kept: Kept) -> int:
    return round_half_away(amount * kept.cents, kept.of) if kept.of else amount


def _take_some(
    uow: UnitOfWork, contract: Contract, sales: Iterable[tuple[Sale, Worth]], wanted: Worth
) -> None:
    volume, revenue = wanted.volume, wanted.revenue
    for sale, left in sales:
        part = Worth(Volume(min(volume, left.volume)), Cents(min(revenue, left.revenue)))
        so_far = select(func.count()).where(Sale.reverses_id == sale.id)
        cause = f"sale-{sale.id}-back-{int(uow.session.scalar(so_far) or 0) + 1}"
        take_back(uow, contract, sale, value=part, cause=cause)
        volume, revenue = Volume(volume - part.volume), Cents(revenue - part.revenue)


def _sell_again(uow: UnitOfWork, contract: Contract, sale: Sale, value: Worth) -> None:
    again = new_sale(uow, contract, value)
    again.milestone, again.occurred_at = sale.milestone, uow.clock()
    again.consultant_id, again.cause = sale.consultant_id, f"sale-{sale.id}-again"
    uow.session.add(again)
    uow.session.flush()
    uow.publish(SaleRecorded(sale_id=again.id), key=f"sale-{again.id}-recorded")
