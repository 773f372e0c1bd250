"""`flask plan …`: what holds, what it says, and whether a document may go live."""

from __future__ import annotations

import json

import pytest

from portal.commissions.plans.versions import SHIPPED
from tests.people import PLAN


@pytest.fixture
def plan(app, cast):
    """Runs `flask plan WORDS` with a text on standard input."""

    def run(*words, text=""):
        return app.test_cli_runner().invoke(args=["plan", *words], input=text)

    return run


def test_versions_are_listed_and_shown(plan):
    rows = json.loads(plan("list", "--json").output)
    assert [(row["version"], row["name"], len(row["cycles"])) for row in rows] == [(1, "Test plan", 1)]
    assert "Test plan" in plan("list").output
    assert json.loads(plan("show", "1", "--json").output) == PLAN
    assert "Binary: Rate: pack 10% · plus 10%" in plan("show", "1").output
    assert plan("show", "9").exit_code == 1


def test_a_document_is_checked(plan):
    fine = plan("check", "-", text=json.dumps(SHIPPED))
    assert (fine.exit_code, fine.output.split(":")[0]) == (0, "warning  no-limit")
    refused = plan("check", "-", "--json", text=json.dumps(SHIPPED | {"services": {"plus": {}}}))
    assert refused.exit_code == 1 and json.loads(refused.output)[0]["code"] == "registration"
    faulty = plan("check", "-", text=json.dumps(SHIPPED | {"pool": {"rate": "2"}}))
    assert faulty.exit_code == 2 and faulty.stderr == "plan.pool.rate: is too large\n"
    assert plan("check", "-", text="{").exit_code == 2
