"""/vendor: how today goes, and what needs doing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.access import permissions
from portal.access.guard import requires
from portal.extensions import db
from portal.statements import queries as statements
from portal.statements.questions import to_answer
from portal.store.statement_days import bounds, silent_days
from portal.ui import show
from portal.ui.filters import short_day
from portal.vendors import portal_queries as queries
from portal.vendors import portal_words as words
from portal.vendors.portal_room import Place, company_zone, own_place, partner
from portal.vendors.queries import live_keys
from portal.vendors.room import today

MOST_QUESTIONS = 5


@dataclass(frozen=True)
class ToDo:
    """One thing that waits for somebody at the vendor."""

    title: str
    note: str
    picture: str
    url: str
    kind: str = "sun"


@partner.get("")
@requires(permissions.see_vendor_traffic)
def home() -> Response:
    """Today's events, the last statement, and what needs doing; a tick asks again."""
    place = own_place()
    session, vendor_id = db.session(), place.vendor.id
    begins, _ends = bounds(today(), company_zone())
    return show(
        "vendors/portal/home.html",
        "live",
        place=place,
        vendor=place.vendor,
        today=queries.counts_since(session, vendor_id, begins),
        words=words,
        newest=queries.deliveries(session, vendor_id, queries.Wanted(), limit=8),
        last=statements.last_statement(session, vendor_id),
        todo=[*_keys(place), *_events(place), *_statements(place)],
    )


def _keys(place: Place) -> Iterator[ToDo]:
    if not live_keys(place.vendor):
        note = _("Without a key nothing your system sends is believed.")
        yield ToDo(_("Make a key"), note, "key-round", place.url("keys"))


def _events(place: Place) -> Iterator[ToDo]:
    counted = queries.stuck(db.session(), place.vendor.id)
    if number := counted["dead"]:
        title = ngettext("%(num)s event was given up", "%(num)s events were given up", number)
        yield ToDo(title, _("See what was wrong with them."), "triangle-alert", place.url("troubles"), "bad")
    if number := counted["retry"]:
        title = ngettext("%(num)s event is tried again", "%(num)s events are tried again", number)
        note = _("They need something that is not here yet.")
        yield ToDo(title, note, "refresh-cw", place.url("troubles"))


def _statements(place: Place) -> Iterator[ToDo]:
    session, vendor_id = db.session(), place.vendor.id
    silent = silent_days(session, zone=company_zone(), today=today(), vendor_id=vendor_id)
    if silent:
        title = ngettext("No statement yet for %(num)s day", "No statement yet for %(num)s days", len(silent))
        named = ", ".join(short_day(each.day) for each in silent)
        yield ToDo(title, named, "file-text", place.url("statements"))
    waiting = to_answer(session, vendor_id)
    for difference, question in waiting[:MOST_QUESTIONS]:
        title = _("A question about %(contract)s", contract=difference.contract_ref)
        url = place.url("difference", difference_id=difference.public_id)
        yield ToDo(title, question.text, "circle-help", url)
    if more := len(waiting[MOST_QUESTIONS:]):
        title = ngettext("%(num)s more question to you", "%(num)s more questions to you", more)
        yield ToDo(title, _("They stand beside the differences."), "circle-help", place.url("statements"))
