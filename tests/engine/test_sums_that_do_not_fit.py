"""No sum ever wraps around: it is exact, or the case is refused."""

import copy
import json

import pytest

from portal.engine import calculate, case
from tests.engine.sound import SOUND, changed, faults


@pytest.mark.parametrize(
    "changes",
    [
        {"carry": {"left": "92233720368547758.07"}, "pack": "plus"},
        {"pv_prior": "92233720368547758.07"},
        {"paid_to_date": "92233720368547758.07", "carry": {"left": "1.00", "right": "1.00"}},
        {"inactive_cycles": 2**63 - 1, "pv_prior": "-20.00"},
        {"matched_to_date": "92233720368547758.07", "carry": {"left": "90.00", "right": "1.00"}},
        {"carry": {"left": "90000000000000000.00", "right": "90000000000000000.00"}},
    ],
)
def test_a_sum_that_does_not_fit_is_refused(changes):
    document = copy.deepcopy(SOUND)
    document["plan"] |= {"activity": {"personal_volume": "0.00", "window_cycles": 1}, "point_value": "100.00"}
    document["plan"]["binary"] |= {"rate": {"plus": "1"}, "qualify": {"each_leg": 0}}
    document["events"] = [document["events"][0], document["events"][0] | {"id": "e3", "member": "ana"}]
    document["members"][0] |= changes

    assert [fault.endswith("passes 2**63 - 1 hundredths") for fault in faults(document)] == [True]


def test_a_history_that_does_not_fit_is_refused():
    line = SOUND["history"]["lines"][0] | {"amount": "92233720368547758.07"}
    document = changed("history", "lines", to=[line, line])

    assert faults(document) == ["history: the sum of amount: passes 2**63 - 1 hundredths"]


def test_the_largest_state_that_fits_is_computed_exactly():
    document = changed("plan", "binary", "qualify", to={"active": False, "each_leg": 0})
    document["members"][0]["carry"] = {"left": "92233720368547749.07", "right": "92233720368547758.07"}

    inputs, names = case.read(json.dumps(document | {"events": SOUND["events"][:1]}).encode())
    ana = case.write(calculate(inputs), names)["members"]["ana"]

    assert ana["taken"]["left"] == "92233720368547758.07"
    assert ana["binary_paid"] == "9223372036854775.81"
