"""A running company moves in: its people, trees, carry, balances, past cycles; its lines beside ours."""

from portal.arrival.faults import Fault, Faults
from portal.arrival.files import file_kinds
from portal.arrival.known import Known
from portal.arrival.reading import Arrival, Files, read_files
from portal.arrival.service import Arrived, already_here, bring_in, demand_emptiness, known_here
from portal.arrival.templates import write_templates

__all__ = [
    "Arrival",
    "Arrived",
    "Fault",
    "Faults",
    "Files",
    "Known",
    "already_here",
    "bring_in",
    "demand_emptiness",
    "file_kinds",
    "known_here",
    "read_files",
    "write_templates",
]
