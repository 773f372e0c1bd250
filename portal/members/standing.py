"""The pack somebody holds follows what they paid for it."""

from __future__ import annotations

from sqlalchemy import func, select

from portal.kernel.facts import PackChanged
from portal.models import Audit, Consultant, Pack, Registration
from portal.payments.packs import is_paid_for
from portal.store import UnitOfWork
from portal.store.locks import lock_row

CHANGED = "pack changed"


def settle_pack(uow: UnitOfWork, *, registration: Registration) -> bool:
    """Let a consultant fall back to the free pack where theirs is not paid for, and up again where it is.

    Whoever was moved to another pack otherwise stays there. Each change is noted and told; whether there was
    one.
    """
    if registration.consultant_id is None:
        return False
    consultant = lock_row(uow, Consultant, registration.consultant_id)
    free = _free_pack(uow)
    if registration.pack == free or consultant.pack not in (registration.pack, free):
        return False
    earlier = _changes(uow, consultant.id)
    stands = is_paid_for(uow.session, registration, now=uow.clock())
    wanted = registration.pack if stands else free
    if consultant.pack == wanted or (stands and not earlier):
        return False
    consultant.pack = wanted
    uow.note(
        CHANGED,
        thing="consultant",
        thing_id=consultant.id,
        actor_id=None,
        registration=registration.id,
        paid_for=stands,
    )
    uow.publish(PackChanged(consultant_id=consultant.id, number=earlier + 1))
    uow.session.flush()
    return True


def _changes(uow: UnitOfWork, consultant_id: int) -> int:
    """How often this was done to somebody."""
    done = (Audit.action == CHANGED, Audit.thing == "consultant", Audit.thing_id == consultant_id)
    return uow.session.scalar(select(func.count()).where(*done)) or 0


def _free_pack(uow: UnitOfWork) -> str:
    free = (Pack.price_cents == 0, Pack.monthly_cents == 0)
    return uow.session.scalars(select(Pack.code).where(*free).order_by(Pack.position).limit(1)).one()
