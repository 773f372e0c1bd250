"""The facts of a contract: written once as they were told, read back for the history."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, ContractFact, Sale
from portal.sales.history import CANCELLED, ORDER_PAID
from portal.store import UnitOfWork
from portal.store.insert import insert_missing, insert_new


def keep_fact(
    uow: UnitOfWork, contract: Contract, event: VendorEvent, *, inbox_id: int | None = None
) -> ContractFact | None:
    """Write down what an event said of a contract; None where the same was said before.

    Its key is made of what it says, so that the same told under another id is the same fact.
    """
    said = {
        "type": event.type,
        "milestone": event.milestone,
        "occurred_at": event.occurred_at,
        "size_thousandths": event.size_thousandths or None,
        "signed_on": event.signed_on,
        "period": event.period or None,
        "share": event.refund_share or None,
    }
    digest = hashlib.sha256(repr(list(said.values())).encode()).hexdigest()[:32]
    fact = ContractFact(
        contract_id=contract.id,
        key=f"contract-{contract.id}-{digest}",
        inbox_id=inbox_id,
        recorded_at=uow.clock(),
        **said,
    )
    return insert_new(uow.session, fact, unique=("key",))


def facts_of(uow: UnitOfWork, contract: Contract) -> Sequence[ContractFact]:
    """All that was said of a contract."""
    mine = select(ContractFact).where(ContractFact.contract_id == contract.id)
    return uow.session.scalars(mine.order_by(ContractFact.occurred_at, ContractFact.id)).all()


def keep_what_was_known(uow: UnitOfWork, contract: Contract, *, said: Sequence[ContractFact]) -> None:
    """Write the facts behind the sales of a contract that was filled in without them, as in bulk."""
    sold = select(Sale.milestone, Sale.occurred_at).where(
        Sale.contract_id == contract.id, Sale.reverses_id.is_(None)
    )
    told = {fact.milestone for fact in said}
    rows = [
        _known(uow, contract, _type_of(milestone), at, milestone=milestone)
        for milestone, at in uow.session.execute(sold.order_by(Sale.id))
        if milestone not in told
    ]
    if rows and contract.cancelled_at is not None:
        rows.append(_known(uow, contract, CANCELLED, contract.cancelled_at, milestone=""))
    if rows:
        insert_missing(uow.session, ContractFact, rows)


def _type_of(milestone: str) -> str:
    return ORDER_PAID if milestone == "paid" else f"service.{milestone.partition('-')[0]}"


def _known(
    uow: UnitOfWork, contract: Contract, kind: str, at: datetime, *, milestone: str
) -> dict[str, object]:
    return {
        "contract_id": contract.id,
        "key": f"before-{contract.id}-{milestone or 'cancelled'}",
        "type": kind,
        "milestone": milestone,
        "occurred_at": at,
        "size_thousandths": contract.size_thousandths or None,
        "signed_on": contract.signed_on,
        "recorded_at": uow.clock(),
    }
