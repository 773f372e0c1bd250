"""What movements, kinds and states are called; each with the icon that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.models import Destination, Withdrawal
from portal.payouts.payees.methods import AUTOMATIC_KINDS


@dataclass(frozen=True)
class Words:
    """A title, and the picture and colour beside it."""

    title: LazyString
    picture: str
    kind: str = ""


KINDS: dict[str, LazyString] = {
    "retail": _l("Your own sales"),
    "direct": _l("Sales of people you sponsor"),
    "binary": _l("Weaker-leg match"),
}

STATES: dict[str, tuple[LazyString, str]] = {
    "requested": (_l("Asked for"), "sun"),
    "approved": (_l("Approved"), "ok"),
    "exported": (_l("At the bank"), "ok"),
    "queued": (_l("Approved"), "ok"),
    "sending": (_l("On its way"), "ok"),
    "resolving": (_l("On its way"), "sun"),
    "review": (_l("Being checked"), "sun"),
    "sent": (_l("On its way"), "ok"),
    "paid": (_l("Paid"), "ok"),
    "rejected": (_l("Not approved"), "bad"),
    "cancelled": (_l("Called off"), ""),
    "failed": (_l("Not paid"), "bad"),
    "returned": (_l("Returned"), "bad"),
}

# What is done in a state of the way, of: approved, sent out, paid.
_DONE = {
    "requested": 0,
    "approved": 1,
    "queued": 1,
    "sending": 1,
    "resolving": 1,
    "review": 1,
    "exported": 2,
    "sent": 2,
    "paid": 3,
}
_ENDED = {
    "rejected": _l("Not approved; the money is back in your wallet"),
    "cancelled": _l("Called off; the money is back in your wallet"),
    "failed": _l("It could not be paid; the money is back in your wallet"),
    "returned": _l("Returned by the bank; the money is back in your wallet"),
}

_MOVES: dict[tuple[str, str], Words] = {
    ("commission_expense", "pending"): Words(_l("Earned, on its way"), "sun", "sun"),
    ("commission_expense", "available"): Words(_l("Earned"), "sun", "sun"),
    ("pending", "available"): Words(_l("Now available"), "circle-check", "ok"),
    ("pending", "receivable"): Words(_l("Paid an open correction"), "history"),
    ("pending", "commission_expense"): Words(_l("Correction of what is on its way"), "history", "bad"),
    ("available", "commission_expense"): Words(_l("Correction"), "history", "bad"),
    ("receivable", "commission_expense"): Words(_l("Correction, open"), "history", "bad"),
    ("commission_expense", "receivable"): Words(_l("Correction taken back"), "history", "ok"),
    ("available", "reserved"): Words(_l("Withdrawal, set aside"), "banknote"),
    ("reserved", "available"): Words(_l("Withdrawal, back in your wallet"), "banknote", "ok"),
    ("reserved", "receivable"): Words(_l("Withdrawal, paid an open correction"), "history"),
    ("reserved", "bank"): Words(_l("Withdrawal paid"), "banknote", "ok"),
    ("reserved", "stripe_balance"): Words(_l("Withdrawal paid"), "banknote", "ok"),
    ("reserved", "payout_fees"): Words(_l("Fee of a withdrawal"), "receipt"),
    ("reserved", "tax_withheld"): Words(_l("Tax withheld from a withdrawal"), "receipt"),
    ("stripe_balance", "available"): Words(_l("Returned by the bank"), "banknote", "bad"),
    ("stripe_balance", "receivable"): Words(_l("Returned by the bank, paid an open correction"), "history"),
    ("payout_fees", "available"): Words(_l("Fee given back"), "receipt", "ok"),
    ("payout_fees", "receivable"): Words(_l("Fee given back, paid an open correction"), "history"),
    ("tax_withheld", "available"): Words(_l("Withheld tax given back"), "receipt", "ok"),
    ("tax_withheld", "receivable"): Words(_l("Withheld tax given back, paid an open correction"), "history"),
    ("adjustments", "available"): Words(_l("Correction by hand"), "history", "ok"),
    ("adjustments", "receivable"): Words(_l("Correction by hand, paid an open one"), "history", "ok"),
    ("pending", "adjustments"): Words(_l("Correction by hand of what is on its way"), "history", "bad"),
    ("available", "adjustments"): Words(_l("Correction by hand"), "history", "bad"),
    ("receivable", "adjustments"): Words(_l("Correction by hand, open"), "history", "bad"),
    ("write_off", "receivable"): Words(_l("Open correction written off"), "history", "ok"),
    ("opening_balance", "pending"): Words(_l("Brought along, on its way"), "history"),
    ("opening_balance", "available"): Words(_l("Brought along"), "history", "ok"),
    ("receivable", "opening_balance"): Words(_l("Brought along, open correction"), "history", "bad"),
    ("bank", "available"): Words(_l("Returned by the bank"), "banknote", "bad"),
    ("bank", "receivable"): Words(_l("Returned by the bank, paid an open correction"), "history"),
}
_OTHER = Words(_l("Other booking"), "receipt")


def words_for(taken_from: str, given_to: str) -> Words:
    """What a movement between two purposes is called."""
    return _MOVES.get((taken_from, given_to), _OTHER)


def kind_of_entry(kind: str) -> LazyString | str:
    """What a commission entry's kind is called; nothing for other entries."""
    return KINDS.get(kind.removeprefix("commission "), "") if kind.startswith("commission ") else ""


def came_back(found: Withdrawal) -> bool:
    """Whether its money is in the wallet again."""
    return found.state in _ENDED


def is_under_way(found: Withdrawal) -> bool:
    """Whether the money has neither arrived nor come back."""
    return not came_back(found) and found.state != "paid"


def steps_of(
    found: Withdrawal, place: Destination | None, *, now: datetime
) -> list[tuple[str, LazyString, datetime | None]]:
    """The way of a withdrawal to its place for its timeline: (state of the step, words, when)."""
    rows: list[tuple[str, LazyString, datetime | None]] = [("done", _l("Asked for"), found.requested_at)]
    approved = ("done", _l("Approved by finance"), found.decided_at)
    if came_back(found):
        rows += [approved] if found.state in ("failed", "returned") else []
        return [*rows, ("bad", _ENDED[found.state], found.settled_at)]
    done = _DONE[found.state]
    if place is not None and now < place.usable_at and is_under_way(found):
        rows.append(("todo", _l("Your new payment details rest until"), place.usable_at))
    steps = (approved, ("done", _sent(place), None), ("done", _l("Paid"), found.settled_at))
    for number, (_done, label, at) in enumerate(steps):
        rows.append(("done", label, at) if number < done else ("todo", label, None))
    return rows


def _sent(place: Destination | None) -> LazyString:
    """The step in which the money leaves, named after who carries it."""
    if place is not None and place.method.kind in AUTOMATIC_KINDS:
        return _l("Sent through %(method)s", method=place.method.name)
    return _l("Sent to the bank")
