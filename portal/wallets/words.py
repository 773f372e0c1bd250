"""What movements, kinds and states are called; each with the icon that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l


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
    "paid": (_l("Paid"), "ok"),
    "rejected": (_l("Not approved"), "bad"),
    "cancelled": (_l("Called off"), ""),
    "returned": (_l("Returned"), "bad"),
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
