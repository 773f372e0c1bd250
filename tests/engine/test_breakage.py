"""What is lost adds up: in each leg to the hundredth, in money to the cent, member by member and in sum."""

import copy
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.engine import calculate, case
from portal.engine.breakage import HOLDING, LOSSES, breakage, losses
from portal.engine.rounding import rounded_away
from tests.engine.naive_numbers import hundredths, written
from tests.engine.networks import SHAPES, random_case

CASES = Path(__file__).parents[3] / "shared" / "cases"
cases = st.builds(random_case, st.integers(0, 10**9), st.sampled_from(SHAPES))
few = settings(max_examples=60, deadline=None)


def result_of(document):
    inputs, _ = case.read(json.dumps(document).encode())
    return calculate(inputs)


def unaccounted(result):
    """Everything that does not add up, member by member and in sum."""
    found, members, state = losses(result), result.members, result.inputs.state
    wrong = []
    for side in ("left", "right"):
        came = getattr(state, f"carry_{side}") + getattr(members, f"new_{side}") + members.restored
        lost = sum(getattr(found.by_rule[rule], side) for rule in LOSSES)
        went = getattr(found.matched, side) + lost + getattr(members, f"carry_{side}")
        wrong += [f"{side} of {at}" for at in np.nonzero(came != went)[0]]
    wrong += [
        f"{rule} gives {name} to {at}"
        for rule, loss in found.by_rule.items()
        for name, column in loss._asdict().items()
        for at in np.nonzero(column < 0)[0]
    ]
    wrong += [f"{rule} holds {at}" for rule, held in found.held.items() for at in np.nonzero(held < 0)[0]]
    return wrong + unequal_sums(breakage(result), result)


def unequal_sums(told, result):
    wrong = []
    for side, leg in told["legs"].items():
        came = leg["carried_in"] + leg["new"] + leg["restored"]
        if came != leg["matched"] + sum(leg["lost"].values()) + leg["carried_out"]:
            wrong.append(f"{side} in sum")
    money = told["money"]
    if money["earned"] != money["paid"] + sum(money["lost"].values()) + sum(money["held"].values()):
        wrong.append("money in sum")
    if money["paid"] + money["taken_back"] != result.totals.paid:
        wrong.append("what the lines pay")
    return wrong


def without_limit(document):
    """The same cycle with no payout limit."""
    free = copy.deepcopy(document)
    free["plan"].pop("payout_limit", None)
    return result_of(free)


@few
@given(cases)
def test_every_loss_and_what_is_paid_come_to_what_was_earned(document):
    assert unaccounted(result_of(document)) == []


@few
@given(cases)
def test_the_limit_took_what_the_same_cycle_pays_without_it(document):
    limited, free = result_of(document), without_limit(document)
    told = losses(limited).by_rule["limit"].money

    assert (limited.members.total + told == free.members.total).all()


@few
@given(cases)
def test_a_cap_on_money_took_what_the_same_cycle_earns_without_it(document):
    free = copy.deepcopy(document)
    free["plan"].pop("ranks", None)
    free["plan"].get("binary", {}).get("cap", {}).pop("money", None)
    document["plan"].pop("ranks", None)
    capped, uncapped = result_of(document), result_of(free)

    told = losses(capped).unpaid("money_cap")

    assert (capped.members.binary_paid + told == uncapped.members.binary_paid).all()


def next_cycle_of(document, result):
    """A cycle of nothing but what this one carried on: no caps, no conditions, no losses."""
    _, names = case.read(json.dumps(document).encode())
    later = copy.deepcopy(document) | {"events": [], "history": {}}
    plan = later["plan"]
    later["plan"] = {name: plan[name] for name in ("currency", "point_value", "activity", "binary")}
    for rule in ("cap", "carry_limit", "carry_cycles", "after_match"):
        later["plan"]["binary"].pop(rule, None)
    later["plan"]["binary"] |= {"qualify": {"active": False, "each_leg": 0}, "debt": "carry"}
    at = {name: place for place, name in enumerate(names.members)}
    for member in later["members"]:
        left, right = (
            getattr(result.members, f"carry_{side}")[at[member["id"]]] for side in ("left", "right")
        )
        member |= {"status": "active", "carry": {"left": written(left), "right": written(right)}}
    return result_of(later)


@few
@given(cases)
def test_what_is_held_back_can_be_paid_from_what_is_carried_on(document):
    """By percent up to what the last hundredth under a cap is worth, and a rounding; else exactly."""
    if "binary" not in document["plan"]:
        return
    result = result_of(document)
    held = sum(losses(result).held.values())
    binary = document["plan"]["binary"]
    could_be = next_cycle_of(document, result).members.binary_paid
    if binary["mode"] == "percent":
        smaller = np.minimum(result.members.carry_left, result.members.carry_right)
        enough = smaller >= hundredths(binary.get("min_match", "0.00"))
        one_hundredth = result.inputs.plan.point_value // 100 + 1
        assert not held[smaller <= 0].any()
        assert (held[enough] <= could_be[enough] + one_hundredth + 1).all()
    else:
        assert (held <= could_be).all()


@few
@given(cases)
def test_a_plan_that_keeps_and_holds_loses_nothing_by_caps_and_standing(document):
    """And one that flushes and consumes holds nothing back."""
    document["plan"].pop("payout_limit", None)
    binary = document["plan"].get("binary")
    if binary is None or binary["mode"] != "percent":
        return
    for rule in ("carry_limit", "carry_cycles", "after_match"):
        binary.pop(rule, None)
    taking = copy.deepcopy(document)
    binary |= {"over_cap": "keep", "unqualified": "hold"}
    taking["plan"]["binary"] |= {"over_cap": "flush", "unqualified": "flush"}

    keeps, takes = losses(result_of(document)), losses(result_of(taking))

    of_a_cent = [keeps.by_rule[rule].money.max(initial=0) for rule in HOLDING]
    assert max(of_a_cent) <= 1, "what is left of the smaller leg may be nothing but a rounding"
    assert not any(held.any() for held in takes.held.values())


def test_the_same_held_volume_is_held_again_and_never_lost():
    """Three cycles of one capped person: the same 10.00 wait each time, and nothing is lost."""
    document = copy.deepcopy(ONE_CAPPED)
    told = []
    for _ in range(3):
        result = result_of(document)
        told.append(breakage(result)["money"])
        left, right = (int(getattr(result.members, f"carry_{side}")[0]) for side in ("left", "right"))
        document["members"][0]["carry"] = {"left": written(left), "right": written(right)}
    assert [money["paid"] for money in told] == [10_00, 10_00, 10_00]
    assert [money["held"]["money_cap"] for money in told] == [30_00, 20_00, 10_00]
    assert not any(sum(money["lost"].values()) for money in told)


ONE_CAPPED = {
    "plan": {
        "currency": "USD",
        "point_value": "1.00",
        "activity": {"personal_volume": "0.00", "window_cycles": 1},
        "binary": {
            "mode": "percent",
            "rate": {"plus": "0.1"},
            "qualify": {"active": False, "each_leg": 0},
            "cap": {"money": {"plus": "10.00"}},
            "over_cap": "keep",
        },
    },
    "members": [{"id": "ana", "pack": "plus", "carry": {"left": "400.00", "right": "500.00"}}],
    "events": [],
}


@few
@given(cases)
def test_rounding_is_what_the_exact_amounts_have_more(document):
    """Percent without caps and reversals: every line again as an exact fraction."""
    document["events"] = [event for event in document["events"] if "reverses" not in event]
    for part in ("payout_limit", "pool", "services"):
        document["plan"].pop(part, None)
    for event in document["events"]:
        event.pop("service", None)
    binary = document["plan"].get("binary")
    if binary and binary["mode"] != "percent":
        document["plan"].pop("binary")
    elif binary:
        binary.pop("cap", None)
        binary["debt"] = "carry"
    result = result_of(document)
    packs = {member["id"]: member["pack"] for member in document["members"]}
    _, names = case.read(json.dumps(document).encode())

    difference = sum(
        Fraction(line["base"]) * rate_of(document["plan"], line, packs) - Fraction(line["amount"])
        for line in case.write(result, names)["lines"]
    )

    assert rounded_away(result) == difference * 100 * 1_000_000


def rate_of(plan, line, packs):
    kind, level = line["kind"], line["level"]
    points = 1 if kind in ("retail", "revenue_share", "matching") else Fraction(plan["point_value"])
    if level == 0 or kind == "direct":
        return points * Fraction(plan[kind]["rate"].get(packs[line["member"]], "0"))
    return points * Fraction(plan[kind]["rates"][level - 1])


def test_an_account_that_forgets_a_flush_is_seen():
    """The check above can fail: without one rule the legs of a flushing plan do not add up."""
    for seed in range(200):
        result = result_of(random_case(seed, "random"))
        told = breakage(result)
        leg = told["legs"]["left"]
        if leg["lost"]["carry_limit"]:
            leg["lost"]["carry_limit"] = 0
            assert unequal_sums(told, result) == ["left in sum"]
            return
    raise AssertionError("no case has a carry limit that takes anything")


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not beside this checkout")
@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_the_shared_cases_add_up(path):
    assert unaccounted(result_of(json.loads(path.read_text())["case"])) == []
