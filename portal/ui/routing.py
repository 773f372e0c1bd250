"""The words for where leads come from and why one is offered to somebody, for the desk and the company."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.kernel.us import STATES
from portal.ui.filters import worded

CRITERIA = {
    "state": _l("The service is sold in the state"),
    "licence": _l("Licence, where the state needs one"),
    "plan": _l("The plan may sell it and has the lead desk"),
    "load": _l("Few open leads"),
    "rest": _l("Not asked for a long time"),
}
UNROUTED = {
    "state": _l("The service is not sold in this state."),
    "licence": _l("Nobody holds the licence that this state needs."),
    "plan": _l("Nobody's plan may sell this service."),
    "nobody": _l("Everybody who fits was asked."),
    "stopped": _l("The person asked not to be contacted."),
}

UNFIT = {
    "state": _l("The service is not sold in this state."),
    "licence": _l(
        "They hold no verified licence for it in this state. What they sell earns nothing until then."
    ),
    "plan": _l("Their plan has no lead desk, or may not sell this service."),
    "stopped": _l("The person asked not to be contacted."),
}
SOURCES = {
    "hand": _l("written down by hand"),
    "signup": _l("signed up on the page"),
    "import": _l("from a file"),
    "form": _l("by a form on a website"),
    "api": _l("from another system"),
}


def came_by(source: str, name: str | None) -> str:
    """Where a lead comes from, with the name of the form, the token or the file where one is known."""
    if not name:
        return str(SOURCES[source])
    if source == "form":
        return _("by the form “%(name)s”", name=name)
    if source == "import":
        return _("from the file %(name)s", name=name)
    return _("from “%(name)s”, another system", name=name)


def because(reason: Mapping[str, Any]) -> str:
    """Why somebody was chosen, by one criterion; empty where it does not tell people apart."""
    code, state = reason["code"], STATES.get(str(reason.get("region", "")), "")
    if code == "licence":
        return _("licensed in %(state)s", state=state) if reason.get("needed") else ""
    if code == "state":
        return _("the service is sold in %(state)s", state=state) if state else ""
    if code == "plan":
        return _("the plan may sell it")
    if code == "load":
        number = int(reason.get("figure") or 0)
        return ngettext("%(num)s open lead", "%(num)s open leads", number)
    if code == "rest":
        last = reason.get("figure")
        return _("last asked %(when)s", when=worded(str(last))) if last else _("never asked before")
    return f"{code}: {reason.get('points', '')}"


def chosen(reasons: list[dict[str, Any]]) -> str:
    """All reasons in one line."""
    return ", ".join(part for part in map(because, reasons) if part)
