"""A result as a JSON document: sorted, with decimal strings and names; whole, or as text piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from portal.engine.arithmetic import Ints
from portal.engine.cycle import Members, Result, Totals
from portal.engine.events import EVENT_KINDS, KINDS, MATCHING
from portal.engine.lines import Lines

_AT_ONCE: Final = 20_000
_KIND_ORDER: Final = np.argsort(np.argsort(np.array(KINDS)))


@dataclass(frozen=True)
class Names:
    """What the members and the cycle's events are called, by their index."""

    members: Sequence[str]
    events: Sequence[str]


def write(result: Result, names: Names) -> dict[str, Any]:
    """The result as a document that can be compared with others as equal JSON."""
    return {
        "lines": list(_lines(result.lines, in_order(result.lines, names), names)),
        "members": dict(_members(result, names, slice(0, len(names.members)))),
        "totals": _totals(result.totals),
    }


def text(result: Result, names: Names) -> Iterator[str]:
    """The same document as text, as `comp run` prints it, some rows at a time."""
    lines, order = result.lines, in_order(result.lines, names)
    some = (list(_lines(lines, order[start : start + _AT_ONCE], names)) for start in _steps(len(order)))
    yield "{\n"
    yield from listed("lines", some)
    members = (
        dict(_members(result, names, slice(start, start + _AT_ONCE))) for start in _steps(len(names.members))
    )
    yield from listed("members", members, braces="{}")
    yield _inside({"totals": _totals(result.totals)}) + "\n}"


def listed(name: str, parts: Iterable[Any], *, braces: str = "[]") -> Iterator[str]:
    """One list or object of a document as text, put together from parts; a comma follows it.

    A part holds rows: objects with the same fields in the same order, of which some may be objects of values.
    """
    opened = False
    for part in parts:
        yield (",\n" if opened else f' "{name}": {braces[0]}\n') + _rows(part)
        opened = True
    yield f"\n {braces[1]},\n" if opened else f' "{name}": {braces},\n'


def text_of(hundredths: int) -> str:
    """Hundredths as a decimal string: `12.34`."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02d}"


def in_order(lines: Lines, names: Names) -> Ints:
    """The places of all lines by member, kind, source (as strings) and level."""
    members, events = ranked(names.members), ranked(names.events)
    source = np.zeros(len(lines), np.int64)
    of_event, of_member = np.isin(lines.kind, EVENT_KINDS), lines.kind == MATCHING
    source[of_event] = events[lines.source[of_event]]
    source[of_member] = members[lines.source[of_member]]
    keys = (lines.base, lines.amount, lines.level, source, _KIND_ORDER[lines.kind], members[lines.member])
    return np.lexsort(keys).astype(np.int64)


def ranked(names: Sequence[str]) -> Ints:
    """The place of each name among all in alphabetical order."""
    rank = np.empty(len(names), np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return rank


def _steps(count: int) -> range:
    return range(0, count, _AT_ONCE)


def _inside(part: dict[str, Any]) -> str:
    """A part of a document without the braces around it."""
    return json.dumps(part, indent=1)[2:-2]


def _rows(part: Any) -> str:
    """What `json.dumps` gives for rows with an indent, which it works out in Python, a tenth as fast."""
    if isinstance(part, dict):
        template = f"  %s: {_template(next(iter(part.values())))[2:]}"
        values = [value for name, row in part.items() for value in (name, *_values(row))]
    else:
        template = _template(part[0])
        values = [value for row in part for value in _values(row)]
    # A line end stands in no encoded value.
    encoded = json.dumps(values, separators=("\n", ":"))[1:-1].split("\n")
    return ",\n".join([template] * len(part)) % tuple(encoded)


def _values(row: dict[str, Any]) -> list[Any]:
    """The values of a row in their order, those of its objects too."""
    values: list[Any] = []
    for value in row.values():
        if isinstance(value, dict):
            values += value.values()
        else:
            values.append(value)
    return values


def _template(row: dict[str, Any]) -> str:
    """A row as text with `%s` for every value."""
    empty = {name: dict.fromkeys(value, 0) if isinstance(value, dict) else 0 for name, value in row.items()}
    text = json.dumps([[empty]], indent=1).removeprefix("[\n [\n").removesuffix("\n ]\n]")
    return text.replace("%", "%%").replace(": 0", ": %s")


def _lines(lines: Lines, order: Ints, names: Names) -> Iterator[dict[str, Any]]:
    rows = zip(*[column[order].tolist() for column in lines.columns()], strict=True)
    for member, kind, amount, base, source, level in rows:
        yield {
            "member": names.members[member],
            "kind": KINDS[kind],
            "amount": text_of(amount),
            "base": text_of(base),
            "source": _source(kind, source, names),
            "level": level,
        }


def _source(kind: int, source: int, names: Names) -> str:
    if kind in EVENT_KINDS:
        return names.events[source]
    return names.members[source] if kind == MATCHING else ""


def _members(result: Result, names: Names, some: slice) -> Iterator[tuple[str, dict[str, Any]]]:
    members, plan = result.members, result.inputs.plan
    ranks = [*(rank.name for rank in plan.ranks), None]
    amounts = {
        name: [text_of(value) for value in getattr(members, name)[some].tolist()] for name in Members.AMOUNTS
    }
    for row, name in enumerate(names.members[some]):
        at = some.start + row
        yield (
            name,
            {
                "pv": amounts["pv"][row],
                "active": bool(members.active[at]),
                "rank": ranks[members.rank[at]],
                "new_left": amounts["new_left"][row],
                "new_right": amounts["new_right"][row],
                "qualified": bool(members.qualified[at]),
                "binary_earned": amounts["binary_earned"][row],
                "binary_paid": amounts["binary_paid"][row],
                "carry": _legs(amounts, "carry", row),
                "taken": _legs(amounts, "taken", row),
                "expired": _legs(amounts, "expired", row),
                "restored": amounts["restored"][row],
                "matched_to_date": amounts["matched_to_date"][row],
                "paid_to_date": amounts["paid_to_date"][row],
                "inactive_cycles": int(members.inactive_cycles[at]),
                "total": amounts["total"][row],
            },
        )


def _legs(amounts: dict[str, list[str]], name: str, row: int) -> dict[str, str]:
    return {"left": amounts[f"{name}_left"][row], "right": amounts[f"{name}_right"][row]}


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "volume": text_of(totals.volume),
        "paid": text_of(totals.paid),
        "by_kind": {kind: text_of(amount) for kind, amount in totals.by_kind.items()},
        "payout_scale": None if totals.payout_scale is None else list(totals.payout_scale),
    }
