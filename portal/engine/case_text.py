"""The inputs of a cycle as a case file, so that anybody can compute it with `comp run`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from portal.engine.events import KINDS, NONE, History
from portal.engine.inputs import Inputs
from portal.engine.network import STATUSES
from portal.engine.printed import Names, listed, text_of

_AT_ONCE: Final = 20_000
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00")
_SIDES: Final = ("L", "R", None)


def case_text(inputs: Inputs, names: Names) -> Iterator[str]:
    """A case file of the inputs, some rows at a time; `case.read` gives what computes the same.

    Events happen in the order of `at`, then `order`; the instants of the file stand for that order alone:
    the first event lies one millisecond after the start of 1970, and so on. Events of earlier cycles are
    called `earlier-1`, `earlier-2`, ….
    """
    head = json.dumps({"plan": inputs.plan.document}, indent=1)
    yield head[:-2] + ",\n"
    yield from listed(
        "members", (list(_members(inputs, names, some)) for some in _slices(len(names.members)))
    )
    instants = _instants(inputs)
    parts = (list(_events(inputs, names, some, instants=instants)) for some in _slices(len(inputs.events)))
    yield from listed("events", parts)
    history = json.dumps({"history": _history(inputs.history, names)}, indent=1)
    yield history[2:]


def _slices(count: int) -> Iterator[slice]:
    return (slice(start, start + _AT_ONCE) for start in range(0, count, _AT_ONCE))


def _members(inputs: Inputs, names: Names, some: slice) -> Iterator[dict[str, Any]]:
    network, state = inputs.network, inputs.state.some(some)
    places: list[Any] = [network.sponsor, network.parent, network.leg, network.matrix_parent]
    placed = zip(*[column[some].tolist() for column in places], strict=True)
    standing = zip(network.pack[some].tolist(), network.status[some].tolist(), strict=True)
    carried = zip(
        *[
            [text_of(value) for value in column.tolist()]
            for column in (
                state.pv_prior,
                state.carry_left,
                state.carry_right,
                state.matched_to_date,
                state.paid_to_date,
            )
        ],
        strict=True,
    )
    rows = zip(names.members[some], placed, standing, carried, state.inactive_cycles.tolist(), strict=True)
    for name, (sponsor, parent, leg, matrix_parent), (pack, status), sums, inactive in rows:
        yield {
            "id": name,
            "sponsor": _name(names.members, sponsor),
            "parent": _name(names.members, parent),
            "leg": _SIDES[leg],
            "matrix_parent": _name(names.members, matrix_parent),
            "pack": network.packs[pack],
            "status": STATUSES[status],
            "pv_prior": sums[0],
            "carry": {"left": sums[1], "right": sums[2]},
            "matched_to_date": sums[3],
            "paid_to_date": sums[4],
            "inactive_cycles": inactive,
        }


def _events(
    inputs: Inputs, names: Names, some: slice, *, instants: Sequence[int]
) -> Iterator[dict[str, Any]]:
    events, services = inputs.events, inputs.plan.services
    columns = (events.member, events.volume, events.revenue, events.service, events.reverses)
    rows = zip(*[column[some].tolist() for column in columns], strict=True)
    for at, (member, volume, revenue, service, reverses) in enumerate(rows, start=some.start):
        yield {
            "id": names.events[at],
            "member": names.members[member],
            "at": (_EPOCH + timedelta(milliseconds=instants[at])).isoformat(timespec="milliseconds") + "Z",
            "volume": text_of(volume),
            "revenue": text_of(revenue),
            "service": None if service == NONE else services[service],
            "reverses": _reversed(names, reverses),
        }


def _instants(inputs: Inputs) -> list[int]:
    """The place of each event in their order, from 1."""
    places = np.empty(len(inputs.events), np.int64)
    places[np.lexsort((inputs.events.order, inputs.events.at))] = np.arange(1, len(inputs.events) + 1)
    instants: list[int] = places.tolist()
    return instants


def _reversed(names: Names, reverses: int) -> str | None:
    if reverses < len(names.events):
        return _name(names.events, reverses)
    return _earlier(reverses - len(names.events))


def _history(history: History, names: Names) -> dict[str, list[dict[str, Any]]]:
    """What earlier cycles left behind that is reversed now: small beside the cycle itself."""
    worth = ("volume", "revenue", "reversed_volume", "reversed_revenue")
    events = [
        {"id": _earlier(at), "member": names.members[member]}
        | {name: text_of(int(getattr(history, name)[at])) for name in worth}
        for at, member in enumerate(history.member.tolist())
    ]
    columns = ("member", "kind", "amount", "source", "level")
    rows = zip(*[getattr(history, f"line_{name}").tolist() for name in columns], strict=True)
    lines = [
        {
            "member": names.members[member],
            "kind": KINDS[kind],
            "amount": text_of(amount),
            "source": "" if source == NONE else _earlier(source),
            "level": level,
        }
        for member, kind, amount, source, level in rows
    ]
    return {"events": events, "lines": lines}


def _earlier(at: int) -> str:
    return f"earlier-{at + 1}"


def _name(names: Sequence[str], at: int) -> str | None:
    return None if at == NONE else names[at]
