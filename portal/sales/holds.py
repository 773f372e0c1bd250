"""Held sales are settled here: by a person with a reason, or by themselves when what was missing came."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.facts import SaleRefused, SaleReleased
from portal.models import Contract, Customer, HeldSale
from portal.sales.contracts import lock_contract
from portal.sales.gates import hold_own_use
from portal.sales.holding import HELD, REFUSED, RELEASED
from portal.sales.settling import settle
from portal.store import UnitOfWork
from portal.store.locks import lock_all, lock_row, lock_where

LONGEST_NOTE = 500


def release(uow: UnitOfWork, *, public_id: str, actor_id: int, note: str) -> HeldSale:
    """Sell what is held after all, in the cycle that is open now; the reason is kept.

    Raises `NotYours`, `BadInput` without a reason, `Conflict` where it is settled, `NotYetKnown` where no
    cycle is open.
    """
    held, contract = _decide(uow, public_id=public_id, actor_id=actor_id, note=note, state=RELEASED)
    settle(uow, contract, at=uow.clock())
    return held


def refuse(uow: UnitOfWork, *, public_id: str, actor_id: int, note: str) -> HeldSale:
    """Never sell what is held; the reason is kept. Raises `NotYours`, `BadInput`, `Conflict`."""
    held, _ = _decide(uow, public_id=public_id, actor_id=actor_id, note=note, state=REFUSED)
    uow.session.flush()
    return held


def release_covered(uow: UnitOfWork, *, consultant_id: int) -> int:
    """Sell what a consultant's new licence covers; how many sales are not held any more.

    Each held sale is held against every rule again: it stays while another one speaks against it.
    """
    return _settle_again(uow, HeldSale.consultant_id == consultant_id)


def settle_held_of(uow: UnitOfWork, customer: Customer, *, but: Contract | None = None) -> int:
    """Hold a customer's held sales against the rules again, since more is known of them; how many ended."""
    theirs = select(Contract.id).where(Contract.customer_id == customer.id)
    conditions: list[ColumnElement[bool]] = [HeldSale.contract_id.in_(theirs)]
    if but is not None:
        conditions.append(HeldSale.contract_id != but.id)
    return _settle_again(uow, *conditions)


def mark_own_use(uow: UnitOfWork, *, customer_id: int, own_use: bool, actor_id: int) -> None:
    """Say that a customer is the consultant's own household, or is not. Raises `NotYours`.

    What was sold before stays; what is held is held against the rules again.
    """
    customer = lock_row(uow, Customer, customer_id)
    if customer.own_use == own_use:
        return
    customer.own_use = own_use
    customer.verified_at, customer.verified_by = (None, None) if own_use else (uow.clock(), "admin")
    uow.session.flush()
    uow.note("own use marked", thing="customer", thing_id=customer.id, actor_id=actor_id, own_use=own_use)
    settle_held_of(uow, customer)


def _settle_again(uow: UnitOfWork, *conditions: ColumnElement[bool]) -> int:
    waiting = select(HeldSale.contract_id, HeldSale.id, Contract.customer_id).join(
        Contract, Contract.id == HeldSale.contract_id
    )
    waiting = waiting.where(HeldSale.state == HELD, *conditions).order_by(HeldSale.contract_id)
    rows = uow.session.execute(waiting).all()
    if not rows:
        return 0
    customers = lock_all(uow, Customer, Customer.id.in_({row.customer_id for row in rows}))
    hold_own_use(uow, customers)
    for contract_id in dict.fromkeys(row.contract_id for row in rows):
        settle(uow, lock_row(uow, Contract, contract_id), at=uow.clock())
    ids = [row.id for row in rows]
    still = select(HeldSale.id).where(HeldSale.id.in_(ids), HeldSale.state == HELD)
    return len(ids) - len(uow.session.scalars(still).all())


def _decide(
    uow: UnitOfWork, *, public_id: str, actor_id: int, note: str, state: str
) -> tuple[HeldSale, Contract]:
    said = " ".join(note.split())
    if not said or len(said) > LONGEST_NOTE:
        raise BadInput(f"Please write why, in at most {LONGEST_NOTE} characters.", field="note")
    contract_id = uow.session.scalar(select(HeldSale.contract_id).where(HeldSale.public_id == public_id))
    if contract_id is None:
        raise NotYours("There is no such held sale.")
    contract = lock_contract(uow, contract_id)
    held = lock_where(uow, HeldSale, HeldSale.public_id == public_id)
    assert held is not None, "a held sale is never deleted"
    if held.state != HELD:
        raise Conflict("This sale is settled already.")
    held.state, held.settled_at, held.settled_by, held.settled_note = state, uow.clock(), actor_id, said
    uow.session.flush()
    uow.publish(
        SaleReleased(held_sale_id=held.id) if state == RELEASED else SaleRefused(held_sale_id=held.id)
    )
    uow.note(f"held sale {state}", thing="held_sale", thing_id=held.id, actor_id=actor_id)
    return held, contract
