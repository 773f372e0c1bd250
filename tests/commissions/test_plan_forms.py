"""Plans as forms: every document comes back as it went in; faults stand at their fields; nothing is lost."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from portal.commissions.plans.controls import Faults, controls_of
from portal.commissions.plans.fields import PARTS
from portal.commissions.plans.forms import document_from, typed_from
from portal.commissions.plans.versions import SHIPPED
from portal.engine import Plan, Refused
from tests.engine.plans import random_plan
from tests.people import PLAN

CASES = Path(__file__).parents[3] / "shared" / "cases"
PACKS = ("pack", "plus", "smart")
OWN = [SHIPPED, PLAN, *(random_plan(random.Random(seed)) for seed in range(200))]


def through_the_form(document):
    """As a browser does it: only what stands in a field of the page is sent."""
    typed = typed_from(document)
    return document_from(sent(typed), document)


def sent(typed):
    """What a page of this form sends back, field by field."""
    form = {}
    for part in controls_of(typed, Faults.of([], {}), packs=PACKS):
        if part.name and part.on and part.name in typed:
            form[part.name] = "on"
        form.update(dict.fromkeys(part.marks, "on"))
        for row in part.rows:
            if row.key:
                form[row.key.name] = row.key.value
            for control in row.controls:
                form.update(cells(control))
        for control in part.controls:
            form.update(cells(control))
    return form


def cells(control):
    if not control.several:
        return {control.cell.name: control.cell.value}
    form = {control.cell.name: "on"} if control.there else {}
    for line in control.lines:
        form |= {cell.name: cell.value for cell in (*line.cells, *([line.key] if line.key else []))}
    return form


def written(document):
    return json.dumps(document)


@pytest.mark.parametrize("document", OWN)
def test_a_plan_comes_back_byte_for_byte(document):
    assert Plan.parse(document)
    back, problems = through_the_form(document)

    assert written(back) == written(document) and problems == {}


@pytest.mark.parametrize("document", OWN[:60])
def test_the_form_alone_makes_the_same_plan(document):
    back, _ = document_from(typed_from(document), {})

    assert json.dumps(back, sort_keys=True) == json.dumps(document, sort_keys=True)


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not beside this checkout")
def test_the_plans_of_the_shared_cases_come_back_byte_for_byte():
    for path in CASES.glob("*.json"):
        document = json.loads(path.read_text())["case"]["plan"]
        assert written(through_the_form(document)[0]) == written(document), path.stem


def faults_of(document):
    try:
        Plan.parse(document)
    except Refused as refused:
        return refused.faults
    return []


def spoilt():
    """Every value of some plans replaced by one that cannot be, one at a time."""
    for document in OWN[2:30]:
        yield from _spoilt(document, document)


def _spoilt(whole, part):
    rows = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in list(rows):
        if isinstance(value, dict | list):
            yield from _spoilt(whole, value)
        elif not isinstance(value, bool) and key not in ("name", "cycle", "mode"):
            part[key] = "nonsense"
            yield json.loads(json.dumps(whole))
            part[key] = value


def test_every_fault_stands_at_a_field_and_what_was_typed_stays():
    tried = 0
    for document in spoilt():
        tried += 1
        faults = Faults.of(faults_of(document), {})
        controls_of(typed_from(document), faults, packs=PACKS)
        assert faults.by_place and faults.left_over() == [], document
        back, _ = through_the_form(document)
        assert back == document
    assert tried > 300


def test_what_no_field_shows_is_told_above_the_form():
    faults = Faults.of(faults_of(SHIPPED | {"bonus": {}}), {})
    controls_of(typed_from(SHIPPED), faults, packs=PACKS)

    assert faults.left_over() == ["plan.bonus: this field is unknown"]


def test_two_rows_of_one_name_are_refused_and_none_is_thrown_away():
    typed = typed_from(SHIPPED) | {"retail.rate#1.key": "pack", "retail.rate#1.value": "0.07"}
    document, problems = document_from(typed, SHIPPED)

    assert document["retail"]["rate"]["pack"] == "0.0500"
    assert problems == {"retail.rate#1.key": "There is another row of this name."}


def test_a_part_goes_with_its_mark_and_comes_with_what_is_typed():
    typed = typed_from(SHIPPED)
    del typed["direct"]
    without, _ = document_from(typed, SHIPPED)
    assert "direct" not in without

    typed |= {"pool.rate": "0.01"}
    more, _ = document_from(typed, without)
    assert more["pool"] == {"rate": "0.01"}


def test_every_field_says_its_unit_and_its_effect():
    for part in PARTS:
        for field in part.fields:
            assert field.effect.endswith(".") and field.label, field
            assert field.unit or field.kind in ("text", "choice", "flag"), field
