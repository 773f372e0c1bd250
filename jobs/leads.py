"""What follows from facts about leads, and what happens to them by the clock."""

from __future__ import annotations

from typing import Any

from portal.leads import linking, offers
from portal.store import UnitOfWork, perform

MOST_OFFERS = 1_000


def customer_registered(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A vendor registered a customer, or told how to reach one: perhaps somebody's lead."""
    linking.link_customer(uow, customer_id=body["customer_id"])


def lead_taken(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A lead came in: perhaps a vendor registered the customer before."""
    linking.link_lead(uow, lead_id=body["lead_id"])


def route(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A lead came in: it is offered to somebody where it has no consultant."""
    offers.route(uow, lead_id=body["lead_id"])


def hand_over() -> int:
    """Offers whose time is over go on to the next consultant; how many ended."""
    ended = 0
    while ended < MOST_OFFERS and perform(offers.expire_next):
        ended += 1
    return ended


def follow_contracts() -> int:
    """Leads stand where the contracts of their customers do; how many moved."""
    moved = 0
    while some := perform(linking.follow_contracts):
        moved += some
    return moved
