"""What of a contract is sold: sales, less what was taken back of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from portal.kernel.facts import SaleRecorded, SaleReversed
from portal.kernel.ids import new_id
from portal.kernel.money import Cents, Volume
from portal.models import Contract, Cycle, Sale
from portal.sales.refusals import NotYetKnown
from portal.sales.worth import Worth
from portal.store import UnitOfWork
from portal.store.locks import share_cycle_gate


@dataclass
class Left:
    """What is left of one sale, by which terms it was sold, and how often something of it was taken back."""

    sale_id: int
    consultant_id: int
    terms_id: int
    volume: int
    revenue: int
    taken: int = 0

    def take(self, volume: int, revenue: int) -> None:
        """Note that so much of it was taken back."""
        self.volume, self.revenue, self.taken = self.volume - volume, self.revenue - revenue, self.taken + 1


@dataclass
class Sold:
    """The sales of one milestone, oldest first."""

    sales: list[Left] = field(default_factory=list)

    @property
    def net(self) -> Worth:
        """What counts now."""
        return Worth(
            Volume(sum(each.volume for each in self.sales)), Cents(sum(each.revenue for each in self.sales))
        )


def sold_of(uow: UnitOfWork, contract: Contract) -> dict[str, Sold]:
    """By milestone, what was sold of a contract and is left of it."""
    whose = Sale.id, Sale.consultant_id, Sale.terms_version_id
    columns = Sale.milestone, Sale.volume, Sale.revenue_cents, Sale.reverses_id
    mine = select(*whose, *columns).where(Sale.contract_id == contract.id)
    rows = uow.session.execute(mine.order_by(Sale.id))
    sold: dict[str, Sold] = {}
    by_id: dict[int, Left] = {}
    for row in rows:
        if row.reverses_id is None:
            by_id[row.id] = Left(
                row.id, row.consultant_id, row.terms_version_id, row.volume, row.revenue_cents
            )
            sold.setdefault(row.milestone, Sold()).sales.append(by_id[row.id])
        else:
            by_id[row.reverses_id].take(-row.volume, -row.revenue_cents)
    return sold


class Till:
    """Writes sales and reversals of one contract, which is locked, in the cycle that is open now.

    The gate keeps that cycle from ending meanwhile. `written` is what was written, in its order.
    """

    def __init__(self, uow: UnitOfWork, contract: Contract) -> None:
        self._uow = uow
        self._contract = contract
        self.written: list[Sale] = []
        self._cycle_id: int | None = None

    def _open_cycle(self) -> int:
        """The cycle, once its gate is held. A `cached_property` would let all threads wait for one at it."""
        if self._cycle_id is None:
            share_cycle_gate(self._uow)
            self._cycle_id = self._uow.session.scalar(select(Cycle.id).where(Cycle.state == "open"))
        if self._cycle_id is None:
            raise NotYetKnown("No cycle is open.")
        return self._cycle_id

    def sell(self, milestone: str, value: Worth, *, at: datetime, earlier: Sold) -> None:
        """One more sale of a milestone by the contract's terms. Raises `NotYetKnown` where no cycle is open.

        The customer's consultant gets the first; whoever has that gets all that follow.
        """
        number = len(earlier.sales)
        cause = f"contract-{self._contract.id}-{milestone}"
        self._write(
            Sale(
                consultant_id=earlier.sales[0].consultant_id
                if number
                else self._contract.customer.consultant_id,
                terms_version_id=self._contract.terms_version_id,
                milestone=milestone,
                volume=value.volume,
                revenue_cents=value.revenue,
                occurred_at=at,
                cause=f"{cause}-{number + 1}" if number else cause,
            )
        )

    def take_back(self, milestone: str, value: Worth, *, at: datetime, sales: Iterable[Left]) -> None:
        """Reverse so much of these sales by their own terms, newest first.

        Raises `NotYetKnown` where no cycle is open.
        """
        volume, revenue = int(value.volume), int(value.revenue)
        for sale in reversed(list(sales)):
            part = min(volume, sale.volume), min(revenue, sale.revenue)
            if part == (0, 0):
                continue
            volume, revenue = volume - part[0], revenue - part[1]
            sale.take(*part)
            self._write(
                Sale(
                    consultant_id=sale.consultant_id,
                    terms_version_id=sale.terms_id,
                    milestone=milestone,
                    volume=-part[0],
                    revenue_cents=-part[1],
                    occurred_at=at,
                    reverses_id=sale.sale_id,
                    cause=f"sale-{sale.sale_id}-back-{sale.taken}",
                )
            )

    def _write(self, sale: Sale) -> None:
        uow = self._uow
        sale.public_id, sale.recorded_at = new_id(), uow.clock()
        sale.cycle_id, sale.contract_id = self._open_cycle(), self._contract.id
        uow.session.add(sale)
        uow.session.flush()
        if sale.reverses_id is None:
            uow.publish(SaleRecorded(sale_id=sale.id), key=f"sale-{sale.id}-recorded")
        else:
            uow.publish(SaleReversed(sale_id=sale.id), key=f"sale-{sale.id}-reversed")
        self.written.append(sale)
