"""Everything that a cycle is computed from."""

from __future__ import annotations

from dataclasses import dataclass

from portal.engine.events import KINDS, NONE, Events, History, State, reversal_faults
from portal.engine.network import Network
from portal.engine.plan import Plan
from portal.engine.refusal import refuse_any
from portal.engine.trees import width_faults


@dataclass(frozen=True)
class Inputs:
    """Everything a cycle is computed from. Raises Refused if the parts do not belong together."""

    plan: Plan
    network: Network
    events: Events
    history: History
    state: State

    def __post_init__(self) -> None:
        members, known = len(self.network), len(self.events) + len(self.history)
        faults = []
        if len(self.state) != members:
            faults.append(f"state: {len(self.state)} values for {members} members")
        for what, values, least, limit in (
            ("events: member", self.events.member, 0, members),
            ("events: service", self.events.service, NONE, len(self.plan.services)),
            ("events: reverses", self.events.reverses, NONE, known),
            ("history: member", self.history.member, 0, members),
            ("history: line_member", self.history.line_member, 0, members),
            ("history: line_kind", self.history.line_kind, 0, len(KINDS)),
            ("history: line_source", self.history.line_source, NONE, len(self.history)),
        ):
            if len(values) and (values.min() < least or values.max() >= limit):
                faults.append(f"{what}: points outside {least} to {limit - 1}")
        if self.plan.matrix is not None:
            matrix_parent, width = self.network.matrix_parent, self.plan.matrix.width
            faults += width_faults(matrix_parent, width, lambda member: f"member {member}")
        refuse_any(faults)
        refuse_any(reversal_faults(self.events, self.history, lambda event: f"event {event}"))
