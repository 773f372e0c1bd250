"""The shared cases, in all modes and shapes, come out exactly as expected."""

import json
from pathlib import Path

import pytest

from portal.engine import calculate, case

CASES = Path(__file__).parents[3] / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not beside this checkout")


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_a_shared_case_comes_out_as_expected(path):
    shared = json.loads(path.read_text())

    inputs, names = case.read(json.dumps(shared["case"]).encode())

    assert json.loads(json.dumps(case.write(calculate(inputs), names))) == shared["expected"]
