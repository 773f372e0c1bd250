"""`comp run CASE.json`: the result on standard output, faults on standard error, and nothing else."""

import json

import pytest
from click.testing import CliRunner

from portal.cli.comp import comp
from tests.engine.networks import random_case
from tests.engine.sound import SOUND


def run(*arguments, given=None):
    return CliRunner().invoke(comp, ["run", *arguments], input=given, catch_exceptions=False)


def test_a_case_is_computed_and_printed_as_json(tmp_path):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(SOUND))

    ran = run(str(path))

    assert (ran.exit_code, ran.stderr) == (0, "")
    assert list(json.loads(ran.stdout)) == ["lines", "members", "totals"]


def test_a_dash_reads_standard_input():
    ran = run("-", given=json.dumps(random_case(1, "random")))

    assert (ran.exit_code, ran.stderr) == (0, "")
    assert list(json.loads(ran.stdout)) == ["lines", "members", "totals"]


def test_a_bad_case_ends_with_two_and_a_line_for_each_fault():
    ran = run("-", given='{"plan": 1, "\\ud800\\n": 2}')

    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        "plan: must be an object",
        "members: is missing",
        '["\\ud800\\n"]: this field is unknown',
    ]


def test_a_sum_that_does_not_fit_ends_with_two():
    document = json.loads(json.dumps(SOUND))
    document["members"][0]["inactive_cycles"] = 2**63 - 1

    assert run("-", given=json.dumps(document)).exit_code == 2


@pytest.mark.parametrize("name", ["no such file", ".", "a\0b"])
def test_a_file_that_cannot_be_read_ends_with_two(name):
    ran = run(name)

    assert (ran.exit_code, ran.stdout, len(ran.stderr.splitlines())) == (2, "", 1)


def test_names_that_are_no_plain_text_are_printed_all_the_same():
    document = json.loads(json.dumps(SOUND).replace('"cem"', '"\\ud800"'))

    assert "\ud800" in json.loads(run("-", given=json.dumps(document)).stdout)["members"]
