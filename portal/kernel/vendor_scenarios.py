"""Made-up lives of contracts, as the events a vendor would send of them: for trying out, and for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

Document = dict[str, Any]

SCENARIOS: Final = {
    "sale": "A customer signs, the service is installed and runs.",
    "cancel": "A sale that the customer calls off again.",
    "late": "The same events as a sale, the last one first.",
    "duplicate": "A sale of which every event is sent twice.",
    "change": "The system grows between signing and installation.",
    "renewals": "A contract that goes on for three months.",
    "refund": "A quarter of the price goes back, then all of it.",
}
MOST: Final = 200
_NAMES: Final = ("Rosa Diaz", "Omar Haddad", "June Park", "Ivan Petrov", "Ada Osei", "Liam Walsh", "Mei Chen")
_ADDRESS: Final = "1 Elm St, Provo"
_LONGEST: Final = timedelta(days=100)


@dataclass(frozen=True)
class Offered:
    """Who sells what: the consultant's code, the service's code, and the state it is sold in."""

    consultant_code: str
    service: str
    state: str = "CA"


@dataclass(frozen=True)
class Sent:
    """An event of a scenario and the id it is sent under."""

    id: str
    event: Document


def events_of(name: str, offered: Offered, *, count: int, seed: int, now: datetime) -> list[Sent]:
    """The events of `count` contracts in the order they are sent; the same for the same seed and day.

    `now` is aware; everything happens in the hundred days before its midnight. Raises `LookupError` for a
    scenario that does not exist, `ValueError` for a count that is not 1 to 200.
    """
    if name not in SCENARIOS:
        raise LookupError(f"There is no scenario {name}; there are {', '.join(SCENARIOS)}.")
    if not 1 <= count <= MOST:
        raise ValueError(f"The count must be 1 to {MOST}.")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    lives = [_Life(offered, name, seed, number, midnight) for number in range(count)]
    return [sent for life in lives for sent in _ORDERS.get(name, list)(life.events(_STEPS[name]))]


class _Life:
    """One contract: its names, its size, and the day it began."""

    def __init__(self, offered: Offered, name: str, seed: int, number: int, midnight: datetime) -> None:
        chance = Random(f"{seed}:{name}:{number}")
        self._offered = offered
        self._tag = f"{name}-{midnight:%m%d}-{seed}-{number}"
        self._person = chance.choice(_NAMES)
        self._size = chance.randint(40, 120)
        self._began = midnight - _LONGEST + timedelta(minutes=chance.randint(0, 1_000))
        self._phone = f"+1303555{chance.randint(0, 9_999):04}"

    def events(self, steps: Iterable[tuple[str, Document]]) -> list[Sent]:
        return [self._event(step, kind, more) for step, (kind, more) in enumerate(steps)]

    def _event(self, step: int, kind: str, more: Document) -> Sent:
        moment = self._began + timedelta(days=more.get("day", 7 * step))
        customer: Document = {"ref": f"C-{self._tag}"}
        event: Document = {
            "type": kind,
            "occurred_at": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "consultant_code": self._offered.consultant_code,
            "customer": customer,
        }
        if kind == "customer.registered":
            email = f"{self._tag}@example.com"
            customer |= {"name": self._person, "email": email, "phone": self._phone, "address": _ADDRESS}
        else:
            customer["state"] = self._offered.state
            event["contract"] = self._contract(kind, moment, bool(more.get("grown")))
        if "share" in more:
            event["refund"] = {"share": more["share"]}
        return Sent(f"{kind.partition('.')[2]}-{step}-{self._tag}", event)

    def _contract(self, kind: str, moment: datetime, grown: bool) -> Document:
        tenths = self._size + 15 * grown
        contract: Document = {"ref": f"K-{self._tag}", "service": self._offered.service}
        if kind in _SIZED:
            contract["size"] = f"{tenths // 10}.{tenths % 10}"
            contract["signed_on"] = (self._began + timedelta(days=7)).date().isoformat()
        if kind == "service.renewed":
            contract["period"] = f"{moment:%Y-%m}"
        return contract


def _each_twice(events: list[Sent]) -> list[Sent]:
    return [event for event in events for _ in range(2)]


def _backwards(events: list[Sent]) -> list[Sent]:
    return events[::-1]


_SIZED: Final = ("service.signed", "service.changed", "service.installed", "service.activated")
_ORDERS: Final[dict[str, Callable[[list[Sent]], list[Sent]]]] = {"duplicate": _each_twice, "late": _backwards}
_SIGNED: Final[tuple[tuple[str, Document], ...]] = (("customer.registered", {}), ("service.signed", {}))
_SALE: Final = (*_SIGNED, ("service.installed", {}), ("service.activated", {}))
# More than any month has days: each in a month of its own.
_RENEWED_ON: Final = (36, 67, 98)
_GROWN: Final[Document] = {"grown": True}
_STEPS: Final[dict[str, tuple[tuple[str, Document], ...]]] = {
    "sale": _SALE,
    "late": _SALE,
    "duplicate": _SALE,
    "cancel": (*_SALE, ("service.cancelled", {})),
    "change": (
        *_SIGNED,
        ("service.changed", _GROWN),
        ("service.installed", _GROWN),
        ("service.activated", _GROWN),
    ),
    "renewals": (*_SALE, *(("service.renewed", {"day": day}) for day in _RENEWED_ON)),
    "refund": (*_SALE, ("service.refunded", {"share": "0.25"}), ("service.refunded", {"share": "1"})),
}
