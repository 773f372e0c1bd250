"""Case files in, results out: for what-if, tests and audits. No database is touched.

All faults of a file are collected and refused together, one line each.
"""

from __future__ import annotations

from portal.engine.case_text import case_text
from portal.engine.document import load
from portal.engine.fields import Fields
from portal.engine.inputs import Inputs
from portal.engine.people import People
from portal.engine.plan import Plan
from portal.engine.printed import Names, text, write
from portal.engine.refusal import Refused
from portal.engine.sales import Sales

__all__ = ["Names", "case_text", "read", "text", "write"]


def read(data: bytes) -> tuple[Inputs, Names]:
    """Read a case file. Raises Refused with a line for each fault, each naming its place."""
    faults: list[str] = []
    case = Fields(load(data, faults), "", faults)
    plan = _plan(case)
    width = plan.matrix.width if plan and plan.matrix else None
    people = People(case.items("members"), faults, width=width)
    sales = Sales(case, people, plan.services if plan else ())
    case.close()
    events, history = sales.build(faults)
    if plan is None or faults:
        raise Refused(faults)
    names = Names(tuple(people.ids), tuple(sales.events.ids))
    return Inputs(plan, people.network(), events, history, people.state()), names


def _plan(case: Fields) -> Plan | None:
    document = case.take("plan")
    if "plan" not in case.value:
        return None
    try:
        return Plan.parse(document)
    except Refused as refused:
        case.faults.extend(refused.faults)
        return None
