"""The compensation engine: plan, network, events and state in; lines and state out.

It knows no database, no clock and no request. Everything the rest of the house needs is named here.
"""

from portal.engine import case, explaining, snapshot
from portal.engine.cycle import Members, Result, Totals, calculate
from portal.engine.events import EVENT_KINDS, KINDS, MATCHING, Events, History, State
from portal.engine.explaining import explain
from portal.engine.inputs import Inputs
from portal.engine.lines import Lines
from portal.engine.network import STATUSES, Network
from portal.engine.plan import Plan
from portal.engine.refusal import Refused

__all__ = [
    "EVENT_KINDS",
    "KINDS",
    "MATCHING",
    "STATUSES",
    "Events",
    "History",
    "Inputs",
    "Lines",
    "Members",
    "Network",
    "Plan",
    "Refused",
    "Result",
    "State",
    "Totals",
    "calculate",
    "case",
    "explain",
    "explaining",
    "snapshot",
]
