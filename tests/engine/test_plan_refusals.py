"""Faults in the parts of a plan that pay up a line, in ranks and in the modes of `binary`."""

import copy
import json

import pytest

from portal.engine import calculate, case
from tests.engine.sound import SOUND, changed, faults

PARTS = {
    "services": {"solar": {"retail": {"plus": "0.01"}, "revenue_share": ["0.02"]}},
    "unilevel": {"rates": ["0.03", "0.01"], "compress": True},
    "revenue_share": {"rates": ["0.01"]},
    "matrix": {"width": 2, "rates": ["0.01"], "compress": False},
    "matching": {"rates": ["0.2"], "depth": {"plus": 1}},
    "ranks": [
        {"name": "low", "requires": {"personal_volume": "1.00", "sponsored_active": 1}},
        {"name": "high", "requires": {"weak_leg_volume": "1.00", "leg_rank": "low"}, "cap": "9.00"},
    ],
    "pool": {"rate": "0.01"},
    "payout_limit": "0.45",
}
PAIRS = {"mode": "pairs", "strong": "6.00", "weak": "3.00", "pay": "1.00", "cap": {"pairs": {"plus": 2}}}
TIERS = {"mode": "tiers", "tiers": [["1.00", "0.00"], ["2.00", "5.00"]], "cap": {"money": {"plus": "1.00"}}}
ONE_OF_CARRY = "plan.binary.debt: must be one of carry"


def with_parts(*path, to, binary=None):
    """The sound case with all parts of a plan, and one place of the plan changed."""
    document = changed("plan", to=SOUND["plan"] | copy.deepcopy(PARTS))
    document["plan"]["binary"] = copy.deepcopy(binary or SOUND["plan"]["binary"])
    at = document["plan"]
    for step in path[:-1]:
        at = at[step]
    if to is ...:
        del at[path[-1]]
    elif path:
        at[path[-1]] = to
    return document


@pytest.mark.parametrize("binary", [None, PAIRS, TIERS])
def test_a_plan_with_all_parts_is_not_refused(binary):
    inputs, _ = case.read(json.dumps(with_parts(to=None, binary=binary)).encode())

    assert calculate(inputs).totals.volume == 0


@pytest.mark.parametrize(
    ("path", "to", "fault"),
    [
        (
            ["services", "solar", "revenue_share"],
            "0.1",
            'solar.revenue_share: must be a list of rates like "0.05"',
        ),
        (["services", "solar", "revenue_share"], ["2"], "solar.revenue_share[0]: is too large"),
        (["unilevel", "rates"], ..., "unilevel.rates: is missing"),
        (["unilevel", "rates"], {}, 'unilevel.rates: must be a list of rates like "0.05"'),
        (["unilevel", "rates", 1], "1.01", "unilevel.rates[1]: is too large"),
        (["unilevel", "rates", 1], 0.1, 'unilevel.rates[1]: must be a string like "12.50"'),
        (["unilevel", "rates", 0], "1e-2", 'unilevel.rates[0]: must be written in digits, like "12.50"'),
        (["unilevel", "compress"], None, "unilevel.compress: must be true or false"),
        (["unilevel", "depth"], 2, "unilevel.depth: this field is unknown"),
        (["unilevel"], None, "unilevel: must be an object"),
        (["revenue_share"], ["0.1"], "revenue_share: must be an object"),
        (["matrix"], 3, "matrix: must be an object"),
        (["matrix", "width"], ..., "matrix.width: is missing"),
        (["matrix", "width"], 0, "matrix.width: is too small"),
        (["matrix", "width"], "3", "matrix.width: must be a whole number"),
        (["matching"], [], "matching: must be an object"),
        (["matching", "depth"], ..., "matching.depth: is missing"),
        (["matching", "depth", "plus"], -1, "matching.depth.plus: must not be negative"),
        (["matching", "depth", "plus"], "1", "matching.depth.plus: must be a whole number"),
        (["ranks"], None, "ranks: must be a list"),
        (["ranks"], {}, "ranks: must be a list"),
        (["ranks", 0], "low", "ranks[0]: must be an object"),
        (["ranks", 0, "requires"], ..., "ranks[0].requires: is missing"),
        (["ranks", 0, "name"], ..., "ranks[0].name: is missing"),
        (["ranks", 1, "name"], "low", "ranks[1].name: another rank has this name"),
        (
            ["ranks", 1, "requires"],
            {"leg_rank": "high"},
            "leg_rank: must be the name of a rank below this one",
        ),
        (
            ["ranks", 0, "requires"],
            {"leg_rank": "high"},
            "leg_rank: must be the name of a rank below this one",
        ),
        (
            ["ranks", 1, "requires"],
            {"leg_rank": "none"},
            "leg_rank: must be the name of a rank below this one",
        ),
        (["ranks", 1, "requires"], {"leg_rank": None}, "ranks[1].requires.leg_rank: must be a string"),
        (["ranks", 1, "requires"], {"volume": "1"}, "ranks[1].requires.volume: this field is unknown"),
        (["ranks", 1, "requires"], {"weak_leg_volume": "-1"}, "weak_leg_volume: must not be negative"),
        (["ranks", 1, "requires"], {"sponsored_active": 1.0}, "sponsored_active: must be a whole number"),
        (["ranks", 1, "cap"], 9, 'ranks[1].cap: must be a string like "12.50"'),
        (["ranks", 1, "matching_depth"], -1, "ranks[1].matching_depth: must not be negative"),
        (["ranks", 1, "pool_shares"], True, "ranks[1].pool_shares: must be a whole number"),
        (["ranks", 1, "color"], 1, "ranks[1].color: this field is unknown"),
        (["pool"], "0.1", "pool: must be an object"),
        (["pool", "rate"], ..., "pool.rate: is missing"),
        (["pool", "rate"], "1.0001", "pool.rate: is too large"),
        (["payout_limit"], None, 'payout_limit: must be a string like "12.50"'),
        (["payout_limit"], "-0.1", "payout_limit: must not be negative"),
    ],
)
def test_a_fault_in_a_part_of_a_plan_is_named_with_its_place(path, to, fault):
    told = faults(with_parts(*path, to=to))

    assert any(line.startswith("plan.") and line.endswith(fault) for line in told), told


@pytest.mark.parametrize(
    ("binary", "changes", "fault"),
    [
        (PAIRS, {"weak": "6.01"}, "plan.binary.weak: must not be above strong"),
        (PAIRS, {"weak": "0.00"}, "plan.binary.weak: is too small"),
        (PAIRS, {"strong": "0.00", "weak": "0.00"}, "plan.binary.weak: is too small"),
        (PAIRS, {"pay": "-1"}, "plan.binary.pay: must not be negative"),
        (PAIRS, {"debt": "clawback"}, ONE_OF_CARRY),
        (PAIRS, {"rate": {}}, "plan.binary.rate: this field is unknown"),
        (PAIRS, {"min_match": "1"}, "plan.binary.min_match: this field is unknown"),
        (PAIRS, {"tiers": []}, "plan.binary.tiers: this field is unknown"),
        (PAIRS, {"cap": {"volume": {}}}, "plan.binary.cap.volume: this field is unknown"),
        (PAIRS, {"cap": {"pairs": {"plus": "2"}}}, "plan.binary.cap.pairs.plus: must be a whole number"),
        (TIERS, {"tiers": []}, "plan.binary.tiers: must be a list of at least one volume with its pay"),
        (TIERS, {"tiers": {}}, "plan.binary.tiers: must be a list of at least one volume with its pay"),
        (TIERS, {"tiers": [["0.00", "1"]]}, "plan.binary.tiers[0][0]: is too small"),
        (TIERS, {"tiers": [["1", "-1"]]}, "plan.binary.tiers[0][1]: must not be negative"),
        (TIERS, {"tiers": [["1", 1]]}, 'plan.binary.tiers[0][1]: must be a string like "12.50"'),
        (TIERS, {"tiers": [["1"]]}, "plan.binary.tiers[0]: must be a volume and its pay"),
        (TIERS, {"tiers": ["12"]}, "plan.binary.tiers[0]: must be a volume and its pay"),
        (TIERS, {"tiers": [["1", "1"], ["1", "2"]]}, "plan.binary.tiers[1]: must rise in volume and in pay"),
        (TIERS, {"tiers": [["1", "1"], ["2", "1"]]}, "plan.binary.tiers[1]: must rise in volume and in pay"),
        (TIERS, {"debt": "clawback"}, ONE_OF_CARRY),
        (TIERS, {"cap": {"pairs": {}}}, "plan.binary.cap.pairs: this field is unknown"),
        (TIERS, {"strong": "1"}, "plan.binary.strong: this field is unknown"),
    ],
)
def test_a_fault_in_a_binary_mode_is_named_with_its_place(binary, changes, fault):
    assert faults(with_parts(to=None, binary=binary | changes)) == [fault]


def test_a_mode_that_is_missing_asks_for_its_fields():
    assert faults(with_parts(to=None, binary={"mode": "pairs"})) == [
        "plan.binary.strong: is missing",
        "plan.binary.weak: is missing",
        "plan.binary.pay: is missing",
    ]
    assert faults(with_parts(to=None, binary={"mode": "tiers"})) == ["plan.binary.tiers: is missing"]


def test_more_children_in_the_matrix_than_its_width_are_refused():
    document = with_parts("matrix", "width", to=1)
    document["members"][1]["matrix_parent"] = document["members"][2]["matrix_parent"] = "ana"

    assert faults(document) == ["members[2].matrix_parent: members[0] already has 1 below it"]
    del document["plan"]["matrix"]
    case.read(json.dumps(document).encode())
