"""Balances that come along, and the entries that open them here."""

from __future__ import annotations

from portal.arrival.faults import Faults
from portal.arrival.people import find
from portal.arrival.tables import Table


def check_balances(balances: Table, places: dict[str, int], *, has_past: bool, faults: Faults) -> None:
    """Check who is owed what, and when; rows find out where their consultant stands."""
    balances.columns["who"] = find(balances, "code", places, faults)
    kinds: dict[str, set[str]] = {}
    seen: dict[tuple[object, ...], int] = {}
    for at, line in enumerate(balances.lines):
        code, kind, due_on = (balances[name][at] for name in ("code", "kind", "due_on"))
        if None in (code, kind, due_on):
            continue
        if seen.setdefault((code, kind, due_on), line) != line:
            faults.add(balances.name, line, "code", f"this is on line {seen[code, kind, due_on]} already")
        kinds.setdefault(code, set()).add(kind)
        if {"available", "debt"} <= kinds[code]:
            faults.add(balances.name, line, "kind", f"{code} cannot have money free and owe at the same time")
        _check_due(balances, at, has_past=has_past, faults=faults)


def _check_due(balances: Table, at: int, *, has_past: bool, faults: Faults) -> None:
    is_pending, due_on = balances["kind"][at] == "pending", balances["due_on"][at]
    line = balances.lines[at]
    if is_pending and not due_on:
        faults.add(balances.name, line, "due_on", "pending money needs the day on which it becomes available")
    if due_on and not is_pending:
        faults.add(balances.name, line, "due_on", "only pending money has such a day")
    if is_pending and not has_past:
        faults.add(balances.name, line, "kind", "pending money needs the cycle it comes from in cycles.csv")
