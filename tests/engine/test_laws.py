"""Laws that hold for every plan, network and cycle."""

import copy
import json
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.engine import calculate, case
from tests.engine.networks import SHAPES, random_case

cases = st.builds(random_case, st.integers(0, 10**9), st.sampled_from(SHAPES))
few = settings(max_examples=40, deadline=None)


def computed(document):
    inputs, names = case.read(json.dumps(document).encode())
    return case.write(calculate(inputs), names)


def number(text):
    return Fraction(text)


@few
@given(cases)
def test_no_volume_is_lost_or_made(document):
    result = computed(document)

    for member in document["members"]:
        out = result["members"][member["id"]]
        for leg in ("left", "right"):
            came = (
                number(member.get("carry", {}).get(leg, "0"))
                + number(out[f"new_{leg}"])
                + number(out["restored"])
            )
            assert came == number(out["taken"][leg]) + number(out["expired"][leg]) + number(out["carry"][leg])


def mirrored(document):
    document = copy.deepcopy(document)
    for member in document["members"]:
        member["leg"] = {"L": "R", "R": "L", None: None}[member["leg"]]
        if "carry" in member:
            member["carry"] = {"left": member["carry"]["right"], "right": member["carry"]["left"]}
    return document


def mirrored_result(result):
    result = copy.deepcopy(result)
    for member in result["members"].values():
        member["new_left"], member["new_right"] = member["new_right"], member["new_left"]
        for name in ("carry", "taken", "expired"):
            member[name] = {"left": member[name]["right"], "right": member[name]["left"]}
    return result


@few
@given(cases)
def test_left_and_right_are_treated_alike(document):
    assert computed(mirrored(document)) == mirrored_result(computed(document))


@few
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_members_and_events_changes_nothing(document, rng):
    other = copy.deepcopy(document)
    for rows in (other["members"], other["events"], *other["history"].values()):
        rng.shuffle(rows)

    assert computed(other) == computed(document)


@few
@given(st.integers(0, 10**9), st.sampled_from(["keep", "consume", "flush"]))
def test_caps_are_never_exceeded(seed, over_cap):
    cap = {"money": {"plus": "20.00", "smart": "35.00"}, "volume": {"pack": "150.00", "smart": "90.00"}}
    document = random_case(
        seed, "random", cap=cap, over_cap=over_cap, rate=dict.fromkeys(("pack", "plus", "smart"), "0.5")
    )

    result = computed(document)

    for member in document["members"]:
        out, pack = result["members"][member["id"]], member["pack"]
        assert number(out["binary_paid"]) <= number(cap["money"].get(pack, "1e12"))
        if over_cap == "keep":
            assert number(out["taken"]["left"]) <= number(cap["volume"].get(pack, "1e12"))
        assert number(out["binary_paid"]) <= number(out["binary_earned"])


@few
@given(cases)
def test_a_cycle_in_which_everything_is_reversed_pays_nothing_on_sales(document):
    document["history"] = {}
    document["events"] = [event for event in document["events"] if not event.get("reverses")]
    document["events"] += [
        {
            "id": f"back {event['id']}",
            "member": event["member"],
            "at": "2026-11-20T00:00:00+01:00",
            "volume": f"-{event['volume']}",
            "revenue": f"-{event['revenue']}",
            "reverses": event["id"],
        }
        for event in document["events"]
    ]

    by_kind = computed(document)["totals"]["by_kind"]

    assert {by_kind.get(kind, "0.00") for kind in ("retail", "direct")} == {"0.00"}


@few
@given(cases, st.integers(1, 4))
def test_what_is_carried_from_cycle_to_cycle_is_all_there_is(document, cycles):
    document["events"] = [event for event in document["events"] if not event.get("reverses")]
    document["history"] = {}
    start = {member["id"]: member.get("carry", {}) for member in document["members"]}
    gone = {(name, leg): Fraction(0) for name in start for leg in ("left", "right")}
    for _ in range(cycles):
        result = computed(document)
        for member in document["members"]:
            out = result["members"][member["id"]]
            for leg in ("left", "right"):
                change = number(out["new_left" if leg == "left" else "new_right"]) + number(out["restored"])
                gone[member["id"], leg] += change - number(out["taken"][leg]) - number(out["expired"][leg])
            member |= {
                name: out[name] for name in ("carry", "matched_to_date", "paid_to_date", "inactive_cycles")
            }
    for member in document["members"]:
        for leg in ("left", "right"):
            begun = number(start[member["id"]].get(leg, "0"))
            assert begun + gone[member["id"], leg] == number(member["carry"][leg])
