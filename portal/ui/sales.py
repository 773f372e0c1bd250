"""What the milestones of a sale are called, what stands against one, and what its consultant can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple, TypeAlias

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.kernel.us import STATES
from portal.ui.filters import cycle_called, day, volume
from portal.ui.packs import pack_name

# A code with its numbers, as a held sale keeps it.
Reason: TypeAlias = Mapping[str, Any]

MILESTONES: Final = {
    "signed": _l("signed"),
    "paid": _l("paid here"),
    "installed": _l("installed"),
    "activated": _l("activated"),
}
FIELDS: Final = {
    "customer.name": _l("the customer's name"),
    "customer.email": _l("the customer's e-mail address"),
    "customer.phone": _l("the customer's phone number"),
    "customer.address": _l("the customer's address"),
    "customer.state": _l("the state it was sold in"),
    "customer.age": _l("the customer's age"),
    "contract.size": _l("the size"),
    "contract.signed_on": _l("the day of signing"),
}


class Advice(NamedTuple):
    """What a consultant can do about a reason; `path` leads there, empty where others have to act."""

    text: str
    path: str = ""


def milestone(name: str) -> str:
    """A milestone as people read it: `activated`, `renewed for November 2026`."""
    kind, _dash, month = name.partition("-")
    if kind == "renewed":
        return _("renewed for %(month)s", month=cycle_called(month))
    return str(MILESTONES.get(name, name))


def against(reasons: Sequence[Reason]) -> str:
    """All that stands against a sale, in one line."""
    return "; ".join(reason_words(reason) for reason in reasons)


def reason_words(reason: Reason) -> str:
    """One reason, in words that say what is missing."""
    says = {"licence": _licence, "pack": _pack, "state": _state, "own_use": _own_use}
    if reason["code"] in says:
        return says[reason["code"]](reason)
    field = str(reason.get("field", ""))
    return _("%(field)s is missing", field=FIELDS.get(field, field))


def advice(reason: Reason) -> Advice:
    """What settles a reason, for the consultant whose sale it is."""
    if reason["code"] == "licence":
        text = _("Send in a licence that covers this day. Once it is verified the sale counts by itself.")
        return Advice(text, "/licences")
    if reason["code"] == "required_field":
        return Advice(_("Ask the vendor to send it. The sale counts by itself when it arrives."))
    return Advice(_("You need do nothing: somebody at the company looks at it and decides."))


def _licence(reason: Reason) -> str:
    kind = str(reason["kind"]).replace("-", " ").replace("_", " ")
    state = STATES.get(reason["region"], reason["region"])
    signed = day(date.fromisoformat(reason["day"]))
    return _("no verified %(kind)s licence for %(state)s covers %(day)s", kind=kind, state=state, day=signed)


def _pack(reason: Reason) -> str:
    plan = pack_name(reason["pack"])
    if reason.get("vendors"):
        return _("the plan %(plan)s sells the core vendors only", plan=plan)
    allowed = ", ".join(pack_name(code) for code in reason.get("allowed") or ())
    return _("the plan %(plan)s may not sell this; %(allowed)s may", plan=plan, allowed=allowed)


def _state(reason: Reason) -> str:
    return _("it is not sold in %(state)s", state=STATES.get(reason["state"], reason["state"]))


def _own_use(reason: Reason) -> str:
    return _(
        "own use in %(month)s is above %(limit)s volume (%(used)s used before)",
        month=cycle_called(reason["month"]),
        limit=volume(reason["limit"]),
        used=volume(reason["used"]),
    )


FILTERS: Final = {function.__name__: function for function in (milestone, against, reason_words, advice)}
