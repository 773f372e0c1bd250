"""A small sound case, to be spoilt in one place or another."""

import copy
import json

import pytest

from portal.engine import Refused, calculate, case

SOUND = {
    "plan": {
        "name": "small",
        "currency": "USD",
        "cycle": "weekly",
        "point_value": "1.00",
        "activity": {"personal_volume": "10.00", "window_cycles": 1},
        "services": {"solar": {"retail": {"plus": "0.01"}}},
        "retail": {"rate": {"plus": "0.05"}},
        "direct": {"rate": {"plus": "0.05"}},
        "binary": {"mode": "percent", "rate": {"plus": "0.1"}, "qualify": {}, "cap": {}},
    },
    "members": [
        {"id": "ana", "pack": "plus"},
        {"id": "ben", "pack": "plus", "sponsor": "ana", "parent": "ana", "leg": "L"},
        {"id": "cem", "pack": "plus", "sponsor": "ben", "parent": "ana", "leg": "R", "carry": {}},
    ],
    "events": [
        {"id": "e1", "member": "ben", "at": "2026-11-16T10:00:00Z", "volume": "9.00", "revenue": "9.00"},
        {
            "id": "e2",
            "member": "ben",
            "at": "2026-11-16T11:00:00.250+01:00",
            "volume": "-9.00",
            "revenue": "-1.00",
            "reverses": "e1",
        },
    ],
    "history": {
        "events": [{"id": "h1", "member": "cem", "volume": "5.00", "revenue": "5.00"}],
        "lines": [{"member": "ana", "kind": "direct", "amount": "1.00", "source": "h1", "level": 1}],
    },
}


def faults(document):
    with pytest.raises(Refused) as refused:
        inputs, _ = case.read(document if isinstance(document, bytes) else json.dumps(document).encode())
        calculate(inputs)
    return refused.value.faults


def changed(*path, to):
    """The sound case with one place changed; `...` takes the field away."""
    document = copy.deepcopy(SOUND)
    at = document
    for step in path[:-1]:
        at = at[step]
    if to is ...:
        del at[path[-1]]
    elif isinstance(at, list) and path[-1] == len(at):
        at.append(to)
    else:
        at[path[-1]] = to
    return document
