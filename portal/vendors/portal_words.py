"""States and problems of events in words for those who work for a vendor."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

STATES: dict[str, tuple[LazyString, str]] = {
    "new": (_l("waiting"), "sun"),
    "retry": (_l("tried again later"), "sun"),
    "done": (_l("done"), "ok"),
    "ignored": (_l("changed nothing"), ""),
    "dead": (_l("given up"), "bad"),
}
FILTERS: dict[str, LazyString] = {
    "": _l("All"),
    "waiting": _l("Waiting"),
    "dead": _l("Given up"),
    "done": _l("Done"),
    "ignored": _l("Changed nothing"),
}
FOUND_BY: dict[str, LazyString] = {
    "webhook": _l("your system"),
    "statement": _l("settling a statement"),
    "simulator": _l("the simulator"),
}
SCENARIOS: dict[str, LazyString] = {
    "sale": _l("A customer signs, the service is installed and runs"),
    "cancel": _l("A sale that the customer calls off again"),
    "late": _l("The events of a sale, the last one first"),
    "duplicate": _l("A sale of which every event is sent twice"),
    "change": _l("The system grows between signing and installation"),
    "renewals": _l("A contract that goes on for three months"),
    "refund": _l("A quarter of the price goes back, then all of it"),
}
# What a vendor can do about it, by the field or rule that stood in the way.
TO_DO: dict[str, LazyString] = {
    "consultant_code": _l(
        "The code must be one of a consultant here. Send the event with the right one under a new id."
    ),
    "contract.service": _l("Use the code of a service in the catalogue, or ask us to add it with terms."),
    "contract.size": _l("Send the size with the contract: what it is worth follows from it."),
    "contract.ref": _l("Use a reference of its own for each contract of each customer."),
    "customer.ref": _l("Send the customer first, or name the customer's reference."),
    "contract.period": _l("Name the month that a renewal is for, such as 2026-11."),
}
ANYTHING: LazyString = _l("Read what was said about it, put it right, and have it tried again.")


def to_do(problem: str) -> LazyString:
    """What helps against a problem."""
    return TO_DO.get(problem, ANYTHING)
