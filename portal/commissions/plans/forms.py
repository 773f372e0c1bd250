"""A plan document as a form and back: every value by the name of its field, as somebody types it.

Names are paths: `binary.cap.money#0.value` is the first row of a table, `ranks#1.requires.leg_rank` a field
of the second rank. A part, a table or a list that is there has its own name with `ON`, so that an empty one
is told from none. What is typed is never thrown away: a text that is no number goes into the document as it
stands, and the engine says what is wrong with it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from portal.commissions.plans.fields import PARTS
from portal.commissions.plans.shape import CELLS, MODES, TABLES, Field, Part

ON: Final = "on"
NOTHING: Final = object()
NEEDED: Final = ("requires",)
_COUNT: Final = re.compile(r"-?[0-9]{1,19}")

Typed = dict[str, str]


def typed_from(document: Mapping[str, Any]) -> Typed:
    """What a form of this document holds."""
    typed: Typed = {}
    for part in PARTS:
        value = document.get(part.key) if part.key else document
        if part.key and part.key in document:
            typed[part.key] = ON
        if part.rows == "list" and isinstance(value, list):
            for at, item in enumerate(value):
                _show(typed, item, part, f"{part.key}#{at}.")
        elif part.rows == "names" and isinstance(value, dict):
            for at, (name, item) in enumerate(value.items()):
                typed[f"{part.key}#{at}.key"] = name
                _show(typed, item, part, f"{part.key}#{at}.")
        elif not part.rows:
            _show(typed, value, part, f"{part.key}." if part.key else "")
    return typed


def document_from(typed: Mapping[str, str], base: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The document that a form makes of its base, and what cannot be written into one, by field name.

    What the form does not know stays as it is in the base; so does the order of everything.
    """
    reading = _Reading(typed)
    document = copy.deepcopy(dict(base))
    for part in PARTS:
        if part.rows:
            reading.rows(document, part)
        elif part.key:
            reading.part(document, part)
        else:
            reading.fields(document, part.fields, "")
    return document, reading.problems


def row_count(typed: Mapping[str, str], name: str) -> int:
    """How many rows a list or a table has in the form."""
    start, numbers = f"{name}#", [-1]
    for key in typed:
        if key.startswith(start):
            digits = re.match(r"[0-9]{1,4}", key[len(start) :])
            numbers.append(int(digits[0]) if digits else -1)
    return max(numbers) + 1


def shown(value: object) -> str:
    """A value as it stands in a field."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int) else json.dumps(value)


def _show(typed: Typed, holder: object, part: Part, prefix: str) -> None:
    if not isinstance(holder, dict):
        return
    for field in part.fields:
        sub, _, leaf = field.path.rpartition(".")
        within = holder.get(sub, {}) if sub else holder
        if sub and sub in holder:
            typed[prefix + sub] = ON
        if isinstance(within, dict) and leaf in within:
            _show_value(typed, field, prefix + field.path, within[leaf])


def _show_value(typed: Typed, field: Field, name: str, value: object) -> None:
    if field.kind in TABLES and isinstance(value, dict):
        typed[name] = ON
        for at, (key, cell) in enumerate(value.items()):
            typed[f"{name}#{at}.key"], typed[f"{name}#{at}.value"] = key, shown(cell)
    elif field.kind == "rates" and isinstance(value, list):
        typed[name] = ON
        typed.update({f"{name}#{at}": shown(rate) for at, rate in enumerate(value)})
    elif field.kind == "tiers" and isinstance(value, list):
        typed[name] = ON
        for at, tier in enumerate(value):
            pair = [shown(one) for one in tier] if isinstance(tier, list) else [shown(tier)]
            typed[f"{name}#{at}.volume"], typed[f"{name}#{at}.pay"] = (*pair, "", "")[:2]
    else:
        typed[name] = shown(value)


class _Reading:
    """Reads a form into a document; `problems` are what a document could not hold."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self.typed = typed
        self.problems: dict[str, str] = {}

    def part(self, document: dict[str, Any], part: Part) -> None:
        """A single part; it goes when its mark was taken away, and comes when something was typed in it."""
        old = document.get(part.key, NOTHING)
        if old is not NOTHING and not isinstance(old, dict):
            return
        marked = self.typed.get(part.key) == ON
        if not marked and part.optional and (old is not NOTHING or not self._anything(part.key)):
            document.pop(part.key, None)
            return
        holder = old if isinstance(old, dict) else {}
        self.fields(holder, part.fields, f"{part.key}.")
        document[part.key] = holder

    def rows(self, document: dict[str, Any], part: Part) -> None:
        """Ranks and services."""
        old = document.get(part.key, NOTHING)
        if old is not NOTHING and not isinstance(old, list if part.rows == "list" else dict):
            return
        items = self._list(old, part) if part.rows == "list" else self._named(old, part)
        if items or (self.typed.get(part.key) == ON and old in (NOTHING, [], {})):
            document[part.key] = items
        else:
            document.pop(part.key, None)

    def _list(self, old: Any, part: Part) -> list[Any]:
        before = [] if old is NOTHING else old
        items = []
        for at in range(row_count(self.typed, part.key)):
            item = before[at] if at < len(before) else {}
            if isinstance(item, dict):
                self.fields(item, part.fields, f"{part.key}#{at}.")
            items.append(item)
        return items

    def _named(self, old: Any, part: Part) -> dict[str, Any]:
        before = [] if old is NOTHING else list(old.items())
        items: dict[str, Any] = {}
        for at in range(row_count(self.typed, part.key)):
            name, row = self._text(f"{part.key}#{at}.key"), f"{part.key}#{at}"
            was, item = before[at] if at < len(before) else ("", {})
            if isinstance(item, dict):
                self.fields(item, part.fields, f"{row}.")
            if not name and not was and not item:
                continue
            if not name and at < len(before) and was == "":
                items[was] = item
            elif self._is_free(name, items, f"{row}.key"):
                items[name] = item
        return items

    def fields(self, holder: dict[str, Any], fields: tuple[Field, ...], prefix: str) -> None:
        """All fields of one object, and the objects within it."""
        subs = {field.path.rpartition(".")[0] for field in fields} - {""}
        filled = {sub for sub in subs if holder.get(sub)}
        for field in fields:
            sub, _, leaf = field.path.rpartition(".")
            target = holder.setdefault(sub, {}) if sub else holder
            if not isinstance(target, dict):
                continue
            value = self._value(field, prefix + field.path, target.get(leaf, NOTHING))
            if value is NOTHING:
                target.pop(leaf, None)
            else:
                target[leaf] = value
        for sub in sorted(subs):
            marked = self.typed.get(prefix + sub) == ON and sub not in filled
            if holder[sub] == {} and sub not in NEEDED and not marked:
                holder.pop(sub)

    def _value(self, field: Field, name: str, old: Any) -> Any:
        if field.kind in TABLES:
            return self._kept(field, name, old, self._table(name, old, CELLS[field.kind]))
        if field.kind == "rates":
            return self._kept(field, name, old, self._rates(name, old))
        if field.kind == "tiers":
            return self._kept(field, name, old, self._tiers(name))
        return self._one(name, old, field.kind)

    def _kept(self, field: Field, name: str, old: Any, rows: Any) -> Any:
        """A table or list: an empty one only where it has to be there, or where it was there and empty."""
        if old is not NOTHING and type(old) is not type(rows):
            return self._one(name, old, "text")
        mode = self.typed.get(f"{name.removesuffix(field.path)}mode", "")
        needed = field.required and (mode in field.modes or mode not in MODES)
        stays = needed or (self.typed.get(name) == ON and old in (NOTHING, [], {}))
        return rows if rows or stays else NOTHING

    def _table(self, name: str, old: Any, kind: str) -> dict[str, Any]:
        cells: dict[str, Any] = {}
        before = old if isinstance(old, dict) else {}
        for at in range(row_count(self.typed, name)):
            key = self._text(f"{name}#{at}.key")
            cell = self._one(f"{name}#{at}.value", before.get(key, NOTHING), kind)
            if cell is not NOTHING and self._is_free(key, cells, f"{name}#{at}.key"):
                cells[key] = cell
        return cells

    def _rates(self, name: str, old: Any) -> list[Any]:
        before = old if isinstance(old, list) else []
        rates = []
        for at in range(row_count(self.typed, name)):
            rate = self._one(f"{name}#{at}", before[at] if at < len(before) else NOTHING, "rate")
            rates.append("" if rate is NOTHING else rate)
        return rates

    def _tiers(self, name: str) -> list[Any]:
        rows = range(row_count(self.typed, name))
        return [[self._text(f"{name}#{at}.volume"), self._text(f"{name}#{at}.pay")] for at in rows]

    def _one(self, name: str, old: Any, kind: str) -> Any:
        if old is not NOTHING and name in self.typed and shown(old) == self.typed[name]:
            return old
        text = self._text(name)
        if not text:
            return NOTHING
        if kind == "count" and _COUNT.fullmatch(text):
            return int(text)
        return {"yes": True, "no": False}.get(text, text) if kind == "flag" else text

    def _is_free(self, key: str, taken: Mapping[str, Any], name: str) -> bool:
        if key and key not in taken:
            return True
        self.problems[name] = "There is another row of this name." if key else "Please give this row a name."
        return False

    def _anything(self, key: str) -> bool:
        inside = (f"{key}.", f"{key}#")
        typed = (
            text for name, text in self.typed.items() if name.startswith(inside) and not name.endswith(".key")
        )
        return any(text and text != ON for text in typed)

    def _text(self, name: str) -> str:
        return self.typed.get(name, "").strip()
