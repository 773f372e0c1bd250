"""What came of an event and what stands against a sale, in words."""

from __future__ import annotations

from collections.abc import Sequence

from portal.kernel.money import format_money, format_volume
from portal.models import HeldSale, Sale
from portal.sales.gates import Reason
from portal.sales.history import month_of
from portal.sales.settling import Settled

MOST_CHARACTERS = 300
FIELDS = {
    "customer.name": "the customer's name",
    "customer.email": "the customer's e-mail address",
    "customer.phone": "the customer's phone number",
    "customer.address": "the customer's address",
    "customer.state": "the state it was sold in",
    "customer.age": "the customer's age",
    "contract.size": "the size",
    "contract.signed_on": "the day of signing",
}


def outcome(settled: Settled) -> str:
    """What one event did to the books, for its vendor: at most 300 characters."""
    said = [f"{_deed(sale)} {_amounts(sale)}" for sale in settled.written]
    said += [f"held: {_amounts(held)}; {reasons_words(held.reasons)}" for held in settled.held]
    if not said:
        cancelled = settled.history.state == "cancelled"
        said = ["noted; the contract is cancelled" if cancelled else "noted; nothing to pay by it"]
    text = ". ".join(said)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def reasons_words(reasons: Sequence[Reason]) -> str:
    """All reasons in one line."""
    return ", ".join(reason_words(reason) for reason in reasons)


def reason_words(reason: Reason) -> str:
    """One reason, in words that say what would settle it."""
    says = {"licence": _licence, "pack": _pack, "state": _state, "own_use": _own_use}
    code = str(reason["code"])
    if code in says:
        return says[code](reason)
    field = str(reason.get("field", ""))
    return f"{FIELDS.get(field, field)} is missing"


def milestone_words(milestone: str) -> str:
    """A milestone as people read it: `activated`, `renewed for 2026-11`."""
    month = month_of(milestone)
    return f"renewed for {month}" if month else milestone


def _deed(sale: Sale) -> str:
    return "sold:" if sale.reverses_id is None else "taken back:"


def _amounts(row: Sale | HeldSale) -> str:
    volume, cents = abs(row.volume), abs(row.revenue_cents)
    return f"{milestone_words(row.milestone)}, {format_volume(volume)} volume, {format_money(cents)}"


def _licence(reason: Reason) -> str:
    return f"licence {reason['kind']} for {reason['region']} missing on {reason['day']}"


def _pack(reason: Reason) -> str:
    if reason.get("vendors"):
        return f"the pack {reason['pack']} sells the core vendors only"
    allowed = reason.get("allowed")
    packs = ", ".join(map(str, allowed)) if isinstance(allowed, list) else ""
    return f"the pack {reason['pack']} may not sell this; it takes {packs}"


def _state(reason: Reason) -> str:
    return f"not sold in {reason['state']}"


def _own_use(reason: Reason) -> str:
    used, limit = int(str(reason["used"])), int(str(reason["limit"]))
    return (
        f"own use in {reason['month']} beyond {format_volume(limit)} volume"
        f" ({format_volume(used)} used before)"
    )
