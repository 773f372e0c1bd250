"""The shared cases have plan parts that are not here yet; what those do not touch comes out as expected."""

import json
from pathlib import Path

import pytest

from portal.engine import calculate, case

CASES = Path(__file__).parents[3] / "shared" / "cases"
NOT_THERE_YET = ("unilevel", "revenue_share", "matrix", "matching", "ranks", "pool", "payout_limit")
UNTOUCHED = ("pv", "active", "new_left", "new_right", "inactive_cycles")
OF_BINARY = (
    "qualified",
    "binary_earned",
    "binary_paid",
    "carry",
    "taken",
    "expired",
    "restored",
    "matched_to_date",
)

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not beside this checkout")


def reduced(document):
    """Without the parts that are not there yet; and whether `binary` is untouched by that."""
    plan = {name: part for name, part in document["plan"].items() if name not in NOT_THERE_YET}
    plan["services"] = {
        code: {name: part for name, part in service.items() if name != "revenue_share"}
        for code, service in plan.get("services", {}).items()
    }
    rank_caps = any("cap" in rank for rank in document["plan"].get("ranks", []))
    binary = plan.get("binary", {"mode": "percent"})
    if binary["mode"] != "percent":
        del plan["binary"]
    whole = binary["mode"] == "percent" and not (rank_caps and "money" in binary.get("cap", {}))
    return document | {"plan": plan}, whole


def of_sales(lines, sales):
    return [line for line in lines if line["kind"] in ("retail", "direct") and line["source"] in sales]


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_what_other_parts_do_not_touch_comes_out_as_expected(path):
    shared = json.loads(path.read_text())
    document, binary_is_whole = reduced(shared["case"])
    expected = shared["expected"]
    own = {event["id"] for event in document["events"]}

    inputs, names = case.read(json.dumps(document).encode())
    result = case.write(calculate(inputs), names)

    assert of_sales(result["lines"], own) == of_sales(expected["lines"], own)
    assert result["totals"]["volume"] == expected["totals"]["volume"]
    for name, member in expected["members"].items():
        for field in UNTOUCHED + (OF_BINARY if binary_is_whole else ()):
            assert (name, field, result["members"][name][field]) == (name, field, member[field])
