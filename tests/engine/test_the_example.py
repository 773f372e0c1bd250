"""The example of the rules, to the cent, and the rules that are easiest to get wrong, each as a sentence."""

import json
from pathlib import Path

import pytest

from portal.engine import calculate, case

EXAMPLE = Path(__file__).parents[3] / "shared" / "cases" / "00-example.json"


def example():
    """Ana sponsors Ben (left) and Cem (right)."""
    return {
        "plan": {
            "name": "example",
            "currency": "USD",
            "cycle": "weekly",
            "point_value": "1.00",
            "activity": {"personal_volume": "100.00", "window_cycles": 4},
            "retail": {"rate": {"plus": "0.06", "smart": "0.08"}},
            "direct": {"rate": {"plus": "0.04", "smart": "0.05"}},
            "binary": {"mode": "percent", "rate": {"plus": "0.10", "smart": "0.125"}},
        },
        "members": [
            {
                "id": "ana",
                "pack": "smart",
                "pv_prior": "100.00",
                "carry": {"left": "0.00", "right": "50.00"},
            },
            {"id": "ben", "sponsor": "ana", "parent": "ana", "leg": "L", "pack": "plus"},
            {
                "id": "cem",
                "sponsor": "ana",
                "parent": "ana",
                "leg": "R",
                "pack": "plus",
                "pv_prior": "150.00",
            },
        ],
        "events": [
            sale("e1", "ben", "333.00", "1800.00"),
            sale("e2", "cem", "400.00", "0.00"),
            sale("e3", "cem", "-100.00", "0.00") | {"reverses": "e2", "at": "2026-11-17T10:00:00Z"},
        ],
    }


def sale(name, member, volume, revenue):
    at = "2026-11-16T10:00:00Z"
    return {"id": name, "member": member, "at": at, "volume": volume, "revenue": revenue}


def computed(document):
    inputs, names = case.read(json.dumps(document).encode())
    return case.write(calculate(inputs), names)


def line(member, kind, amount, base, source="", level=0):
    return {"member": member, "kind": kind, "amount": amount, "base": base, "source": source, "level": level}


def test_the_example_is_paid_to_the_cent():
    result = computed(example())

    assert result["lines"] == [
        line("ana", "binary", "41.63", "333.00"),
        line("ana", "direct", "16.65", "333.00", "e1", 1),
        line("ana", "direct", "20.00", "400.00", "e2", 1),
        line("ana", "direct", "-5.00", "-100.00", "e3", 1),
        line("ben", "retail", "108.00", "1800.00", "e1"),
    ]
    assert result["totals"] == {
        "volume": "633.00",
        "paid": "181.28",
        "by_kind": {"retail": "108.00", "direct": "31.65", "binary": "41.63"},
        "payout_scale": None,
    }
    assert result["members"]["ana"] == {
        "pv": "0.00",
        "active": True,
        "rank": None,
        "new_left": "333.00",
        "new_right": "300.00",
        "qualified": True,
        "binary_earned": "41.63",
        "binary_paid": "41.63",
        "carry": {"left": "0.00", "right": "17.00"},
        "taken": {"left": "333.00", "right": "333.00"},
        "expired": {"left": "0.00", "right": "0.00"},
        "restored": "0.00",
        "matched_to_date": "333.00",
        "paid_to_date": "41.63",
        "inactive_cycles": 0,
        "total": "73.28",
    }


@pytest.mark.skipif(not EXAMPLE.exists(), reason="the shared cases are not beside this checkout")
def test_the_shared_example_comes_out_as_expected():
    shared = json.loads(EXAMPLE.read_text())

    assert computed(shared["case"]) == shared["expected"]


@pytest.mark.parametrize(
    ("over_cap", "taken", "expired_right"),
    [("keep", "200.00", "0.00"), ("consume", "333.00", "0.00"), ("flush", "333.00", "17.00")],
)
def test_a_money_cap_pays_no_more_and_takes_what_the_plan_says(over_cap, taken, expired_right):
    document = example()
    document["plan"]["binary"] |= {"cap": {"money": {"smart": "25.00"}}, "over_cap": over_cap}

    ana = computed(document)["members"]["ana"]

    assert (ana["binary_earned"], ana["binary_paid"]) == ("41.63", "25.00")
    assert ana["taken"] == {"left": taken, "right": taken}
    assert ana["expired"]["right"] == expired_right


def test_a_cap_that_is_just_reached_is_not_exceeded():
    document = example()
    caps = {"money": {"smart": "41.63"}, "volume": {"smart": "333.00"}}
    document["plan"]["binary"] |= {"cap": caps, "over_cap": "flush"}

    ana = computed(document)["members"]["ana"]

    assert ana["binary_paid"] == "41.63"
    assert ana["carry"] == {"left": "0.00", "right": "17.00"}


def test_debt_is_clawed_back_at_the_average_of_what_was_paid():
    document = example()
    document["plan"]["binary"]["debt"] = "clawback"
    document["members"][0] |= {
        "carry": {"left": "-533.00", "right": "0.00"},
        "matched_to_date": "600.00",
        "paid_to_date": "100.01",
    }

    result = computed(document)

    assert result["lines"][0] == line("ana", "binary", "-33.33", "-200.00")
    assert result["members"]["ana"]["restored"] == "200.00"
    assert result["members"]["ana"]["matched_to_date"] == "400.00"
    assert result["members"]["ana"]["paid_to_date"] == "66.68"
    assert result["members"]["ana"]["carry"] == {"left": "0.00", "right": "500.00"}


def test_parts_of_a_reversal_take_back_exactly_what_was_paid():
    document = example()
    document["events"] = [
        sale("e", "ben", "100.00", "0.10"),
        *(sale(f"r{part}", "ben", "-33.33", "-0.03") | {"reverses": "e"} for part in (1, 2)),
        sale("r3", "ben", "-33.34", "-0.04") | {"reverses": "e"},
    ]

    direct = [line["amount"] for line in computed(document)["lines"] if line["kind"] == "direct"]

    assert direct == ["5.00", "-1.66", "-1.67", "-1.67"]


def test_a_service_with_its_own_table_pays_by_it_even_without_a_retail_part():
    document = example()
    del document["plan"]["retail"]
    document["plan"]["services"] = {"solar": {"retail": {"plus": "0.01"}}}
    document["events"] = [sale("e1", "ben", "0.00", "100.00") | {"service": "solar"}]

    assert computed(document)["lines"] == [line("ben", "retail", "1.00", "100.00", "e1")]


def test_a_member_who_is_not_placed_is_in_nobodys_leg():
    document = example()
    del document["members"][1]["parent"], document["members"][1]["leg"]

    ana = computed(document)["members"]["ana"]

    assert (ana["new_left"], ana["new_right"], ana["qualified"]) == ("0.00", "300.00", False)


def test_the_legs_only_grow_without_a_binary_part():
    document = example()
    del document["plan"]["binary"]

    ana = computed(document)["members"]["ana"]

    assert ana["carry"] == {"left": "333.00", "right": "350.00"}
    assert (ana["qualified"], ana["binary_earned"]) == (False, "0.00")


@pytest.mark.parametrize(("min_match", "paid"), [("333.00", "41.63"), ("333.01", "0.00")])
def test_a_match_below_the_least_is_not_paid(min_match, paid):
    document = example()
    document["plan"]["binary"]["min_match"] = min_match

    assert computed(document)["members"]["ana"]["binary_paid"] == paid


def test_where_a_cap_lets_nothing_through_nothing_is_taken_and_nothing_flushed():
    document = example()
    document["plan"]["binary"] |= {"cap": {"money": {"smart": "0.00"}}, "after_match": "flush"}

    ana = computed(document)["members"]["ana"]

    assert ana["carry"] == {"left": "333.00", "right": "350.00"}
    assert (ana["binary_earned"], ana["binary_paid"]) == ("41.63", "0.00")
