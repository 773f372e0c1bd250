"""The words of the desk: stages, steps, reports of vendors, reasons for being asked."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.leads.queries import Moment
from portal.ui import routing
from portal.ui.filters import size

STAGES = {
    "new": _l("New"),
    "contacted": _l("Contacted"),
    "appointment": _l("Appointment"),
    "proposal": _l("Proposal"),
    "signed": _l("Signed"),
    "won": _l("Won"),
    "lost": _l("Lost"),
}
TONES = {"new": "sun", "won": "ok", "lost": "bad"}
STEPS = {
    "taken": _l("The lead came in"),
    "again": _l("They asked again"),
    "signup": _l("They signed up on the page"),
    "customer": _l("The vendor registered them as a customer"),
    "note": _l("Note"),
    "task": _l("To do"),
    "task_done": _l("Done"),
    "task_again": _l("Not done yet"),
    "details": _l("Details were changed"),
    "archived": _l("Archived"),
    "restored": _l("Taken out of the archive"),
    "stop": _l("They asked not to be contacted"),
    "offer": _l("Offered to a consultant"),
    "declined": _l("A consultant declined"),
    "expired": _l("The time to answer was over"),
    "accepted": _l("A consultant took the lead"),
    "assigned": _l("Given to a consultant by the company"),
    "unrouted": _l("Left to the company"),
}
REPORTS = {
    "customer.registered": _l("Registered"),
    "service.signed": _l("Contract signed"),
    "service.changed": _l("Contract changed"),
    "service.installed": _l("Installed"),
    "service.activated": _l("Running"),
    "service.renewed": _l("Renewed"),
    "service.suspended": _l("Suspended"),
    "service.cancelled": _l("Contract cancelled"),
    "service.refunded": _l("Money refunded"),
}
CONTRACT_STATES = {
    "registered": _l("registered"),
    "signed": _l("signed"),
    "installed": _l("installed"),
    "active": _l("running"),
    "suspended": _l("suspended"),
    "cancelled": _l("cancelled"),
}
CONSENTS = {
    "signup": _l("keeping and passing on their details"),
    "contact": _l("being contacted about our services"),
}

ALSO = {
    "email": _l("They also gave another e-mail address"),
    "phone": _l("They also gave another phone number"),
    "name": _l("They also gave another name"),
}

# Why a lead is offered to somebody, and where it comes from, in one line.
chosen, came_by = routing.chosen, routing.came_by


def said(moment: Moment) -> str:
    """The title of a line of the timeline."""
    if moment.kind == "stage":
        was, now = (STAGES.get(str(moment.detail.get(name)), "") for name in ("was", "now"))
        by = _("by the vendor's report") if not moment.by_hand else ""
        return " ".join(part for part in (_("%(was)s to %(now)s", was=was, now=now), by) if part)
    if moment.kind in ("sale", "reversal"):
        return _("Volume for you") if moment.kind == "sale" else _("Volume taken back")
    if moment.kind == "also":
        return str(ALSO[str(moment.detail["channel"])])
    return str(REPORTS.get(moment.kind) or STEPS.get(moment.kind, moment.kind))


def more(moment: Moment) -> str:
    """What a step says beside its title."""
    parts = [moment.about, moment.text]
    if moment.kind == "also" and not moment.text:
        parts.append(_("It must not be contacted, so it is not shown."))
    if moment.kind in ("taken", "again") and moment.detail.get("source"):
        name = moment.detail.get("source_name")
        parts.insert(0, came_by(str(moment.detail["source"]), str(name) if name else None))
    if moment.kind == "signup" and moment.detail.get("size_thousandths"):
        parts.append(_("Size: %(size)s", size=size(int(moment.detail["size_thousandths"]))))
    if moment.kind == "unrouted":
        parts.append(str(routing.UNROUTED.get(str(moment.detail.get("why")), "")))
    if moment.detail.get("period"):
        parts.append(str(moment.detail["period"]))
    return ", ".join(part for part in parts if part)
