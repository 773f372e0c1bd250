"""The engine and a second, naive reading of the rules say the same, cent by cent.

`CANOPY_SOAK=20` compares twenty times as many networks, and larger ones.
"""

import json
import os

import pytest

from portal.engine import calculate, case
from tests.engine.naive import naive_result
from tests.engine.networks import SHAPES, random_case

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
MOST = 25 if TIMES == 1 else 90
QUALIFY_ALL = {"active": False, "each_leg": 0}


def computed(document):
    inputs, names = case.read(json.dumps(document).encode())
    return json.loads(json.dumps(case.write(calculate(inputs), names)))


@pytest.mark.parametrize("shape", SHAPES)
def test_both_readings_of_the_rules_agree(shape):
    for seed in range(TIMES * (400 if shape not in ("one", "none") else 60)):
        document = random_case(seed, shape, most=MOST)

        assert computed(document) == naive_result(document), f"{shape} {seed}"


@pytest.mark.parametrize("over_cap", ["keep", "consume", "flush"])
@pytest.mark.parametrize("debt", ["carry", "clawback"])
def test_both_agree_where_everybody_matches(over_cap, debt):
    for seed in range(40 * TIMES):
        document = random_case(seed, "random", most=MOST, over_cap=over_cap, debt=debt, qualify=QUALIFY_ALL)

        assert computed(document) == naive_result(document), f"{over_cap} {debt} {seed}"


@pytest.mark.parametrize("mode", ["pairs", "tiers"])
@pytest.mark.parametrize("shape", ["random", "power"])
def test_both_agree_in_every_mode_where_everybody_matches(mode, shape):
    for seed in range(80 * TIMES):
        document = random_case(seed, shape, most=MOST)
        if document["plan"].get("binary", {}).get("mode") != mode:
            continue
        document["plan"]["binary"]["qualify"] = QUALIFY_ALL

        assert computed(document) == naive_result(document), f"{mode} {shape} {seed}"


def test_the_random_cases_meet_every_rule():
    met = set()
    for shape in SHAPES:
        for seed in range(60):
            document = random_case(seed, shape)
            result = computed(document)
            met |= {"scaled"} if result["totals"]["payout_scale"] else set()
            for member in result["members"].values():
                met |= {name for name in ("qualified", "active") if member[name]}
                met |= {member["rank"] or "no rank"}
                met |= {"restored"} if member["restored"] != "0.00" else set()
                met |= {"expired"} if member["expired"] != {"left": "0.00", "right": "0.00"} else set()
                met |= {"capped"} if member["binary_earned"] != member["binary_paid"] else set()
                met |= {"pairs"} if member["taken"]["left"] != member["taken"]["right"] else set()
            for line in result["lines"]:
                met.add(line["kind"])
                met |= {f"{line['kind']} back"} if line["amount"].startswith("-") else set()

    event_kinds = ("retail", "direct", "unilevel", "revenue_share", "matrix")
    assert met == {
        *("qualified", "active", "restored", "expired", "capped", "pairs", "scaled"),
        *(*event_kinds, "binary", "matching", "pool"),
        *("no rank", "rank 0", "rank 1", "rank 2", "rank 3"),
        *(f"{kind} back" for kind in (*event_kinds, "binary")),
    }
