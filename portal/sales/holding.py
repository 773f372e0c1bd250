"""The rows of held sales: at most one for a milestone of a contract, while something stands against it."""

from __future__ import annotations

from sqlalchemy import select

from portal.kernel.facts import SaleHeld, SaleReleased
from portal.kernel.ids import new_id
from portal.models import Contract, HeldSale
from portal.sales.gates import Asked, Reason
from portal.sales.worth import Worth
from portal.store import UnitOfWork

HELD, RELEASED, REFUSED, GONE = "held", "released", "refused", "gone"
CAME = "What was missing came."


def held_of(uow: UnitOfWork, contract: Contract) -> dict[str, HeldSale]:
    """By milestone, what was ever held of a contract, fresh."""
    mine = select(HeldSale).where(HeldSale.contract_id == contract.id).order_by(HeldSale.id)
    rows = uow.session.scalars(mine.execution_options(populate_existing=True)).unique()
    return {row.milestone: row for row in rows}


def hold(
    uow: UnitOfWork, known: HeldSale | None, asked: Asked, *, value: Worth, reasons: list[Reason]
) -> HeldSale:
    """Keep so much of a milestone back for these reasons; what is held already is held for them now."""
    held = known or HeldSale(
        public_id=new_id(), contract_id=asked.contract.id, milestone=asked.milestone, state=GONE
    )
    is_news = held.state != HELD
    if is_news:
        held.state, held.held_at = HELD, uow.clock()
        held.settled_at = held.settled_by = held.settled_note = None
    held.consultant_id = asked.contract.customer.consultant_id
    held.volume, held.revenue_cents, held.reasons = value.volume, value.revenue, reasons
    held.occurred_at = asked.reached_at
    uow.session.add(held)
    uow.session.flush()
    if is_news:
        uow.publish(SaleHeld(held_sale_id=held.id))
    return held


def close(uow: UnitOfWork, held: HeldSale, *, state: str) -> None:
    """End what is held by itself: everything came that was missing, or there is nothing to sell any more."""
    held.state, held.settled_at = state, uow.clock()
    held.settled_note = CAME if state == RELEASED else None
    if state == RELEASED:
        uow.publish(SaleReleased(held_sale_id=held.id))
    uow.session.flush()
