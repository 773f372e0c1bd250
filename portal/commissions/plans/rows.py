"""Rows of a plan that come and go: ranks, services, levels, generations and tiers."""

from __future__ import annotations

import copy
import re
from typing import Any, Final

VERBS: Final = ("add", "remove", "raise")
_STEP: Final = re.compile(r"([a-z_]+)(?:#([0-9]{1,4}))?")


def with_row(document: dict[str, Any], action: str) -> dict[str, Any]:
    """The document after `add unilevel.rates`, `remove ranks 2`, `raise ranks 2`; as it was for any other."""
    verb, _, rest = action.partition(" ")
    name, _, number = rest.partition(" ")
    changed = copy.deepcopy(document)
    if verb == "add":
        _add(changed, name)
    elif verb in VERBS and number.isdecimal():
        rows = _rows(changed, name)
        _remove(rows, int(number)) if verb == "remove" else _raise(rows, int(number))
    return changed


def _add(document: dict[str, Any], name: str) -> None:
    if name == "ranks":
        document.setdefault("ranks", [])
    elif _rows(document, name) is None:
        holder, _, leaf = name.rpartition(".")
        within = _rows(document, holder)
        if isinstance(within, dict) and leaf in ("rates", "revenue_share", "tiers"):
            within[leaf] = []
    rows = _rows(document, name)
    if isinstance(rows, list):
        empty = {"ranks": {"name": "", "requires": {}}, "binary.tiers": ["", ""]}
        rows.append(copy.deepcopy(empty.get(name, "")))


def _remove(rows: Any, at: int) -> None:
    if isinstance(rows, dict):
        rows.pop(next((key for place, key in enumerate(rows) if place == at), ""), None)
    elif isinstance(rows, list) and at < len(rows):
        del rows[at]


def _raise(rows: Any, at: int) -> None:
    if isinstance(rows, list) and 0 < at < len(rows):
        rows[at - 1], rows[at] = rows[at], rows[at - 1]


def _rows(document: Any, name: str) -> Any:
    """What stands at a path such as `services#1.revenue_share`; None where there is nothing."""
    for step in name.split("."):
        found = _STEP.fullmatch(step)
        document = document.get(found[1]) if found and isinstance(document, dict) else None
        if found and found[2] and isinstance(document, dict | list):
            values = list(document.values()) if isinstance(document, dict) else document
            document = values[int(found[2])] if int(found[2]) < len(values) else None
    return document
