"""Step 1: personal volume and activity."""

from __future__ import annotations

from typing import NamedTuple

from portal.engine.arithmetic import Flags, Ints, added, summed
from portal.engine.events import Events, State
from portal.engine.network import ACTIVE, Network
from portal.engine.plan import Plan


class Personal(NamedTuple):
    """Per member: the volume credited in this cycle, over the plan's window, and whether it is active."""

    pv: Ints
    window_pv: Ints
    active: Flags


def personal_volume(plan: Plan, network: Network, events: Events, state: State) -> Personal:
    """Credit the cycle's volume and see who is active, over the plan's window of cycles."""
    pv = summed(len(network), events.member, events.volume)
    window_pv = added(pv, state.pv_prior, "members: personal volume")
    active = (network.status == ACTIVE) & (window_pv >= plan.activity.personal_volume)
    return Personal(pv, window_pv, active)
