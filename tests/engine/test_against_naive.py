"""The engine and a second, naive reading of the rules say the same, cent by cent."""

import json

import pytest

from portal.engine import calculate, case
from tests.engine.naive import naive_result
from tests.engine.networks import SHAPES, random_case


def computed(document):
    inputs, names = case.read(json.dumps(document).encode())
    return case.write(calculate(inputs), names)


@pytest.mark.parametrize("shape", SHAPES)
def test_both_readings_of_the_rules_agree(shape):
    for seed in range(60 if shape not in ("one", "none") else 25):
        document = random_case(seed, shape)

        assert computed(document) == naive_result(document), f"{shape} {seed}"


@pytest.mark.parametrize("over_cap", ["keep", "consume", "flush"])
@pytest.mark.parametrize("debt", ["carry", "clawback"])
def test_both_agree_where_everybody_matches(over_cap, debt):
    for seed in range(25):
        document = random_case(
            seed, "random", over_cap=over_cap, debt=debt, qualify={"active": False, "each_leg": 0}
        )

        assert computed(document) == naive_result(document), f"{over_cap} {debt} {seed}"


def test_the_random_cases_meet_every_rule():
    met = set()
    for shape in SHAPES:
        for seed in range(30):
            document = random_case(seed, shape)
            result = computed(document)
            for member in result["members"].values():
                met |= {name for name in ("qualified", "active") if member[name]}
                met |= {"restored"} if member["restored"] != "0.00" else set()
                met |= {"expired"} if member["expired"] != {"left": "0.00", "right": "0.00"} else set()
                met |= {"capped"} if member["binary_earned"] != member["binary_paid"] else set()
            for line in result["lines"]:
                met.add(line["kind"])
                met |= {f"{line['kind']} back"} if line["amount"].startswith("-") else set()

    assert met == {
        *("qualified", "active", "restored", "expired", "capped"),
        *("retail", "direct", "binary", "unilevel", "revenue_share", "matrix"),
        *("retail back", "direct back", "binary back", "unilevel back", "revenue_share back", "matrix back"),
    }
