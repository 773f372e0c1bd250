"""What a contract is, from everything that was said of it. Pure: no database, no clock, no order of arrival.

Facts are read in the order in which they happened; at the same moment in the order of a contract's life, so
that the result never depends on when a fact came or how often.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from portal.kernel.vendor_events import WITHDRAWN, withdrawal_key

SIGNED, CHANGED, INSTALLED, ACTIVATED = (
    "service.signed",
    "service.changed",
    "service.installed",
    "service.activated",
)
RENEWED, SUSPENDED = "service.renewed", "service.suspended"
REFUNDED, CANCELLED = "service.refunded", "service.cancelled"
ORDER_SIGNED, ORDER_PAID = "order.signed", "order.paid"
LIFE = (
    ORDER_SIGNED,
    SIGNED,
    ORDER_PAID,
    INSTALLED,
    ACTIVATED,
    CHANGED,
    RENEWED,
    SUSPENDED,
    REFUNDED,
    CANCELLED,
)
TELL_SIZE = frozenset({ORDER_SIGNED, ORDER_PAID, SIGNED, CHANGED, INSTALLED, ACTIVATED})
STATE_OF_MILESTONE = {"signed": "signed", "paid": "signed", "installed": "installed", "activated": "active"}
STATES = ("registered", "signed", "installed", "active")
# How many months must be renewed before a suspended service is taken to live again.
SIGNS_OF_LIFE = 2


class Fact(Protocol):
    """What one fact says; the columns of `ContractFact`."""

    key: str
    type: str
    milestone: str
    occurred_at: datetime
    size_thousandths: int | None
    signed_on: date | None
    period: str | None
    share: int | None


@dataclass(frozen=True)
class Reached:
    """A milestone that counts: when it was reached first, and the size it is worth."""

    at: datetime
    size_thousandths: int


@dataclass(frozen=True)
class History:
    """All that follows from the facts.

    `reached` holds the milestones that are worth something, a renewed month as `renewed-2026-11`;
    `refunded_share` is of the price, `refunded_months` of single months, in ten-thousandths. `waiting` are
    the months that were renewed while it is suspended.
    """

    state: str
    signed_on: date
    signed_on_told: bool
    size_thousandths: int
    activated_at: datetime | None
    cancelled_at: datetime | None
    refunded_share: int
    refunded_months: dict[str, int] = field(default_factory=dict)
    reached: dict[str, Reached] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()

    def refunded(self, milestone: str) -> int:
        """The refunded part of what a milestone is worth, in ten-thousandths."""
        month = month_of(milestone)
        return self.refunded_months.get(month, 0) if month else self.refunded_share


def month_of(milestone: str) -> str:
    """The month of a renewal (`2026-11`); empty for every other milestone."""
    name, _, month = milestone.partition("-")
    return month if name == "renewed" else ""


def read(facts: Iterable[Fact]) -> History:
    """What a contract is by at least one fact.

    - What was withdrawn counts as never said, however often and whenever it is told in the same words. A
      contract of which nothing else was said is cancelled from its first moment on.
    - Signed on the earliest day that was named, else the day of the earliest fact.
    - As large as the latest fact of signing, change, installation or activation that gives a size says.
    - Cancelled at its earliest cancellation: no milestone counts any more. Renewed months stay, but for those
      renewed at or after it and those that begin after the month it happened in.
    - Refunded by the share that the latest refund gives, of the price or of the month that it names.
    """
    said = list(facts)
    ordered = sorted(_standing(said), key=_place)
    if not ordered:
        return _never(said)
    ends = min((fact.occurred_at for fact in ordered if fact.type == CANCELLED), default=None)
    standing = [fact for fact in ordered if ends is None or fact.occurred_at < ends]
    size = _size(ordered)
    milestones = _first(standing, size)
    months, waiting, suspended = _months(standing, ordered)
    activated = milestones.get("activated")
    if ends is not None:
        last = ends.strftime("%Y-%m")
        months = {name: month for name, month in months.items() if month_of(name) <= last}
    refunds = {
        fact.period or "": fact.share or 0
        for fact in sorted(ordered, key=lambda fact: (fact.occurred_at, fact.share or 0))
        if fact.type == REFUNDED
    }
    return History(
        state=_state(milestones, suspended=suspended, cancelled=ends is not None),
        signed_on=_signed_on(ordered),
        signed_on_told=any(fact.signed_on is not None for fact in ordered),
        size_thousandths=size,
        activated_at=activated.at if activated else None,
        cancelled_at=ends,
        refunded_share=refunds.pop("", 0),
        refunded_months=refunds,
        reached=months if ends is not None else milestones | months,
        waiting=() if ends is not None else tuple(name for name in waiting if name not in months),
    )


def _standing(said: Sequence[Fact]) -> Iterable[Fact]:
    withdrawn = {fact.key for fact in said if fact.type == WITHDRAWN}
    return (fact for fact in said if fact.type != WITHDRAWN and withdrawal_key(fact.key) not in withdrawn)


def _never(said: Iterable[Fact]) -> History:
    """A contract of which all was withdrawn."""
    first = min(fact.occurred_at for fact in said)
    return History(
        state="cancelled",
        signed_on=first.date(),
        signed_on_told=False,
        size_thousandths=0,
        activated_at=None,
        cancelled_at=first,
        refunded_share=0,
    )


def _place(fact: Fact) -> tuple[datetime, int, str]:
    life = LIFE.index(fact.type) if fact.type in LIFE else len(LIFE)
    return fact.occurred_at, life, fact.key


def _signed_on(ordered: Sequence[Fact]) -> date:
    named = [fact.signed_on for fact in ordered if fact.signed_on is not None]
    return min(named) if named else ordered[0].occurred_at.date()


def _size(ordered: Iterable[Fact]) -> int:
    told = [fact.size_thousandths for fact in ordered if fact.type in TELL_SIZE and fact.size_thousandths]
    return told[-1] if told else 0


def _first(standing: Iterable[Fact], size: int) -> dict[str, Reached]:
    """The milestones that were reached, each when it was reached first; they follow every change of size."""
    reached: dict[str, Reached] = {}
    for fact in standing:
        if fact.milestone and fact.type != RENEWED:
            reached.setdefault(fact.milestone, Reached(fact.occurred_at, size))
    return reached


def _months(
    standing: Sequence[Fact], ordered: Sequence[Fact]
) -> tuple[dict[str, Reached], dict[str, Reached], bool]:
    """The months that count, those that wait, and whether the contract is suspended at its end.

    A month keeps the size of its time, unless a renewal of it names another; the latest one to do so counts.
    What is renewed while a contract is suspended waits: an activation or a second month renewed shows that
    the service lives again, and then the waiting months count too.
    """
    sizes = {
        fact.milestone: fact.size_thousandths
        for fact in standing
        if fact.type == RENEWED and fact.size_thousandths
    }
    counted: dict[str, Reached] = {}
    waiting: dict[str, Reached] = {}
    signs: set[str] = set()
    suspended = False
    for fact in standing:
        if fact.type == SUSPENDED:
            suspended, signs = True, set()
        elif fact.type == RENEWED:
            size = sizes.get(fact.milestone) or _size_at(fact.occurred_at, ordered)
            waiting.setdefault(fact.milestone, Reached(fact.occurred_at, size))
            signs.add(fact.milestone)
        if fact.type == ACTIVATED or len(signs) >= SIGNS_OF_LIFE:
            suspended = False
        if not suspended:
            counted, waiting, signs = waiting | counted, {}, set()
    return counted, waiting, suspended


def _size_at(at: datetime, ordered: Sequence[Fact]) -> int:
    """The size that counted at a moment; before the first that was told, that one."""
    told = [fact for fact in ordered if fact.type in TELL_SIZE and fact.size_thousandths]
    until = [fact for fact in told if fact.occurred_at <= at]
    found = until[-1] if until else (told[0] if told else None)
    return (found.size_thousandths or 0) if found else 0


def _state(milestones: Iterable[str], *, suspended: bool, cancelled: bool) -> str:
    if cancelled:
        return "cancelled"
    states = [STATE_OF_MILESTONE.get(name, "registered") for name in milestones]
    furthest = max(states, key=STATES.index, default="registered")
    return "suspended" if suspended else furthest
