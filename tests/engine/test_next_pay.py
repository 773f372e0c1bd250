"""The next cent is exact: so much more volume makes the engine pay it, and a hundredth less does not."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.engine import calculate, case, explain
from tests.engine.naive_numbers import hundredths, written
from tests.engine.networks import SHAPES, random_case

MODES = ("percent", "pairs", "tiers")
cases = st.builds(random_case, st.integers(0, 10**9), st.sampled_from(SHAPES))
some = settings(max_examples=60, deadline=None)


def computed(document):
    inputs, names = case.read(json.dumps(document).encode())
    return calculate(inputs), names


def with_more(document, wanted):
    """The same cycle with more carried in by some members: hundredths of the left and the right leg."""
    more = copy.deepcopy(document)
    for member in more["members"]:
        left, right = wanted.get(member["id"], (0, 0))
        carry = member.setdefault("carry", {})
        for side, volume in (("left", left), ("right", right)):
            carry[side] = written(hundredths(carry.get(side, "0.00")) + volume)
    return computed(more)[0]


def paid(result):
    return result.members.binary_paid.tolist()


def faults(document, *, off=0):
    """Everybody whose next pay is not as it is told; `off` spoils what is told by hundredths."""
    result, names = computed(document)
    told = {name: explain(result, at).next_pay for at, name in enumerate(names.members)}
    told = {name: found for name, found in told.items() if found is not None}
    more = {name: (found.left, found.right) for name, found in told.items()}
    wrong, hundredth = [], result.inputs.plan.point_value / 100
    exact = {
        name: tuple(volume + off if volume else 0 for volume in volumes) for name, volumes in more.items()
    }
    before, after = paid(result), paid(with_more(document, exact))
    for at, name in enumerate(names.members):
        if name in told and after[at] - before[at] != told[name].cents:
            wrong.append(f"{name} gets {after[at] - before[at]}, not {told[name]}")
    for side in (0, 1):
        less = {
            name: tuple(volume - (place == side) for place, volume in enumerate(volumes))
            for name, volumes in exact.items()
            if volumes[side] > 0
        }
        short = paid(with_more(document, less))
        wrong += [
            f"{name} needs less on {side}"
            for at, name in enumerate(names.members)
            if name in less and short[at] > before[at]
        ]
    mode = document["plan"].get("binary", {}).get("mode")
    wrong += [
        f"{name} is told of {found.cents} cents"
        for name, found in told.items()
        if mode == "percent"
        and found.cents > 1
        and hundredth <= 1
        and not jumps(document, names, result, name)
    ]
    return wrong


def jumps(document, names, result, name):
    """Whether the smaller leg is below the least match, from which on a match pays at once."""
    at = names.members.index(name)
    members, least = result.members, hundredths(document["plan"]["binary"].get("min_match", "0.00"))
    return least > 0 and members.matched[at] == 0


@some
@given(cases)
def test_the_next_cent_takes_just_that_much_volume(document):
    assert faults(document) == []


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_people_with_a_next_step_at_the_cap_and_not_qualified(mode):
    """The cases that are gone through are not empty, and a hundredth too little or too much is seen."""
    seen, spoilt = set(), 0
    for seed in range(150):
        document = random_case(seed, "random")
        if document["plan"].get("binary", {}).get("mode") != mode:
            continue
        result, names = computed(document)
        seen |= {explain(result, at).next_pay.state for at in range(len(names.members))}
        spoilt += bool(faults(document, off=1)) + bool(faults(document, off=-1))
    assert {"missing", "not_qualified", "capped"} <= seen
    assert spoilt > 10


def test_a_match_by_percent_waits_for_its_next_cent_and_not_for_all_that_could_be_matched():
    person = {"id": "ana", "pack": "plus", "carry": {"left": "971722.00", "right": "10.01"}}
    binary = {"mode": "percent", "rate": {"plus": "0.08"}, "qualify": {"active": False, "each_leg": 0}}
    document = {
        "plan": {
            "currency": "USD",
            "point_value": "1.00",
            "activity": {"personal_volume": "0.00", "window_cycles": 1},
            "binary": binary,
        },
        "members": [person],
        "events": [],
    }
    found = explain(computed(document)[0], 0).next_pay

    assert (found.state, found.left, found.right, found.cents) == ("missing", 0, 6, 1)
    assert (found.waits_left, found.waits_right) == (971_711_99, 0)
    binary["cap"] = {"money": {"plus": "0.80"}}
    assert explain(computed(document)[0], 0).next_pay.state == "capped"
    binary["qualify"] = {"active": False, "each_leg": 1}
    found = explain(computed(document)[0], 0).next_pay
    assert (found.state, found.waits_left) == ("not_qualified", 971_722_00)
