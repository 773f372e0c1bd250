"""A result as a JSON document: sorted, with decimal strings and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.engine.cycle import Members, Result, Totals
from portal.engine.events import EVENT_KINDS, KINDS, MATCHING
from portal.engine.lines import Lines
from portal.engine.plan import Plan

_LINE_ORDER = ("member", "kind", "source", "level")


@dataclass(frozen=True)
class Names:
    """What the members and the cycle's events are called, by their index."""

    members: Sequence[str]
    events: Sequence[str]


def write(result: Result, names: Names) -> dict[str, Any]:
    """The result as a document that can be compared with others as equal JSON."""
    return {
        "lines": _lines(result.lines, names),
        "members": _members(result.members, names, result.inputs.plan),
        "totals": _totals(result.totals),
    }


def text_of(hundredths: int) -> str:
    """Hundredths as a decimal string: `12.34`."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02d}"


def _lines(lines: Lines, names: Names) -> list[dict[str, Any]]:
    columns = (lines.member, lines.kind, lines.amount, lines.base, lines.source, lines.level)
    rows = sorted(zip(*[column.tolist() for column in columns], strict=True))
    printed = [
        {
            "member": names.members[member],
            "kind": KINDS[kind],
            "amount": text_of(amount),
            "base": text_of(base),
            "source": _source(kind, source, names),
            "level": level,
        }
        for member, kind, amount, base, source, level in rows
    ]
    return sorted(printed, key=lambda line: [line[name] for name in _LINE_ORDER])


def _source(kind: int, source: int, names: Names) -> str:
    if kind in EVENT_KINDS:
        return names.events[source]
    return names.members[source] if kind == MATCHING else ""


def _members(members: Members, names: Names, plan: Plan) -> dict[str, Any]:
    ranks = [*(rank.name for rank in plan.ranks), None]
    amounts = {
        name: [text_of(value) for value in getattr(members, name).tolist()] for name in Members.AMOUNTS
    }
    return {
        name: {
            "pv": amounts["pv"][row],
            "active": bool(members.active[row]),
            "rank": ranks[members.rank[row]],
            "new_left": amounts["new_left"][row],
            "new_right": amounts["new_right"][row],
            "qualified": bool(members.qualified[row]),
            "binary_earned": amounts["binary_earned"][row],
            "binary_paid": amounts["binary_paid"][row],
            "carry": _legs(amounts, "carry", row),
            "taken": _legs(amounts, "taken", row),
            "expired": _legs(amounts, "expired", row),
            "restored": amounts["restored"][row],
            "matched_to_date": amounts["matched_to_date"][row],
            "paid_to_date": amounts["paid_to_date"][row],
            "inactive_cycles": int(members.inactive_cycles[row]),
            "total": amounts["total"][row],
        }
        for row, name in enumerate(names.members)
    }


def _legs(amounts: dict[str, list[str]], name: str, row: int) -> dict[str, str]:
    return {"left": amounts[f"{name}_left"][row], "right": amounts[f"{name}_right"][row]}


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "volume": text_of(totals.volume),
        "paid": text_of(totals.paid),
        "by_kind": {kind: text_of(amount) for kind, amount in totals.by_kind.items()},
        "payout_scale": None if totals.payout_scale is None else list(totals.payout_scale),
    }
