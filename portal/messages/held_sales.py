"""Mails about sales that a rule keeps back: that one is held and why, and how it ended."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import select

from portal.messages.service import queue_message
from portal.models import Consultant, HeldSale, Message
from portal.store import UnitOfWork


def say_sale_held(uow: UnitOfWork, *, held_sale_id: int) -> None:
    """Tell a consultant what keeps their sale from earning; nothing where it is settled already."""
    held = uow.session.get_one(HeldSale, held_sale_id)
    if held.state == "held":
        _say(uow, held, deed="held", reasons=held.reasons)


def say_sale_settled(uow: UnitOfWork, *, held_sale_id: int) -> None:
    """Tell how a held sale ended, to those who were told that it was held."""
    held = uow.session.get_one(HeldSale, held_sale_id)
    told = select(Message.id).where(Message.key == _key(held, "held"))
    if uow.session.scalar(told) is not None:
        _say(uow, held, deed=held.state, note=held.settled_note or "", by_hand=held.settled_by is not None)


def _say(uow: UnitOfWork, held: HeldSale, *, deed: str, **more: object) -> None:
    service = held.contract.service
    queue_message(
        uow,
        key=_key(held, deed),
        template=f"sale_{deed}",
        person_id=uow.session.get_one(Consultant, held.consultant_id).person_id,
        params={
            "service": service.name,
            "vendor": service.vendor.name,
            "contract": held.contract.ref,
            "milestone": held.milestone,
            "volume": held.volume,
            **more,
        },
    )


def _key(held: HeldSale, deed: str) -> str:
    """What counted and is held once more is told once more."""
    return f"sale-{deed}:{held.id}:{held.held_at.astimezone(UTC).isoformat()}"
