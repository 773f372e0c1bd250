"""/admin: what is to be done first, then the open week in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from zoneinfo import ZoneInfo

from flask import Response, current_app, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.access import permissions
from portal.access.guard import may, requires
from portal.admin import queries
from portal.admin.room import admin
from portal.commissions.plans.drafts import proposed_plans
from portal.commissions.queries import CycleRow, approvals_of, cycle_rows, open_cycle
from portal.compliance import licence_queries
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.members import moves
from portal.members.queries import duplicate_registrations
from portal.payouts import checks, results, stops
from portal.payouts.adjustments import waiting
from portal.payouts.automatic import queries as automatic
from portal.payouts.queries import counts
from portal.statements import queries as statements
from portal.store.statement_days import silent_days
from portal.ui import show
from portal.ui.filters import moment, money, short_day

NAMED = 3


@dataclass(frozen=True)
class ToDo:
    """One thing that waits for a hand: where to go, or only what to know."""

    title: str
    note: str
    picture: str
    url: str = ""
    kind: str = "sun"


@admin.get("")
@requires(permissions.see_company)
def overview() -> Response:
    """To-do first, numbers after."""
    session = db.session()
    rows = cycle_rows(session)
    cycle = open_cycle(session)
    return show(
        "admin/overview.html",
        "live",
        todo=[
            *_stopped(),
            *_weeks(rows),
            *_plans(),
            *_moves(),
            *_corrections(),
            *_withdrawals(),
            *_unclear(),
            *_statements(),
            *_licences(),
            *_people(),
            *_given_up(),
        ],
        duplicates=duplicate_registrations(session)[:NAMED] if may(permissions.manage_payouts) else [],
        may_retry=may(permissions.see_traffic) and queries.is_anything_given_up(session),
        cycle=cycle,
        figures=queries.week_figures(session, cycle) if cycle else None,
        latest=next((row for row in rows if row.paid is not None), None),
    )


def _stopped() -> Iterator[ToDo]:
    for stop in stops.standing(db.session()):
        yield ToDo(_("Payouts are stopped"), stop.detail[:200], "lock", url_for("admin.books"), kind="bad")
    last = checks.last()
    if last is not None and last.warnings:
        note = "; ".join(each.invariant for each in last.warnings)
        yield ToDo(_("Something waits for too long"), note, "clock", url_for("admin.books"))


def _corrections() -> Iterator[ToDo]:
    if number := len(waiting(db.session())):
        title = ngettext("%(num)s correction waits", "%(num)s corrections wait", number)
        url = url_for("admin.adjustments") if may(permissions.manage_adjustments) else ""
        yield ToDo(title, _("Somebody other than who proposed it has to decide."), "refresh-cw", url)


def _weeks(rows: list[CycleRow]) -> Iterator[ToDo]:
    """Oldest first: a week builds on the one before it."""
    for row in reversed(rows):
        url = url_for("admin.cycle", name=row.name)
        if row.state == "ended":
            note = _("Nobody is paid before two people have approved it.")
            yield ToDo(_("%(name)s is ready to preview", name=row.name), note, "history", url)
        elif row.state == "previewed":
            said = len(approvals_of(db.session(), row.cycle.preview_run_id or 0))
            note = _("%(said)s of 2 approvals", said=said)
            yield ToDo(_("%(name)s waits for approval", name=row.name), note, "shield-check", url)
        elif row.state == "approved":
            yield ToDo(_("%(name)s can be closed", name=row.name), _("Two people approved it."), "lock", url)


def _plans() -> Iterator[ToDo]:
    for draft in proposed_plans(db.session()):
        title = _("The pay plan %(name)s waits for a second person", name=draft.name)
        url = url_for("admin.plan_draft", public_id=draft.public_id)
        note = _("Proposed %(moment)s", moment=moment(draft.proposed_at)) if draft.proposed_at else ""
        yield ToDo(title, note, "file-text", url)


def _moves() -> Iterator[ToDo]:
    if number := len(moves.listed(db.session(), "proposed")):
        title = ngettext("%(num)s move in the tree waits", "%(num)s moves in the tree wait", number)
        url = url_for("admin.moves") if may(permissions.manage_moves) else ""
        yield ToDo(title, _("Somebody other than who proposed it has to decide."), "network", url)


def _withdrawals() -> Iterator[ToDo]:
    number, cents = counts(db.session()).get("requested", (0, 0))
    if number:
        title = ngettext("%(num)s withdrawal waits", "%(num)s withdrawals wait", number)
        url = url_for("admin.payouts") if may(permissions.manage_payouts) else ""
        yield ToDo(title, money(cents), "banknote", url)


def _unclear() -> Iterator[ToDo]:
    """Money of which nobody is sure: lines of the bank that did not fit, payouts left to people."""
    session, may_act = db.session(), may(permissions.manage_payouts)
    if number := len(results.suspense(session)):
        title = ngettext(
            "%(num)s line of the bank does not fit", "%(num)s lines of the bank do not fit", number
        )
        note = _("They moved no money. Say what came of them.")
        yield ToDo(title, note, "triangle-alert", url_for("admin.suspense") if may_act else "", kind="bad")
    left, cents = automatic.counts(session).get("review", (0, 0))
    if left:
        title = ngettext("%(num)s payout is in doubt", "%(num)s payouts are in doubt", left)
        url = url_for("admin.sending", state="review") if may_act else ""
        note = _("%(sum)s. Two people decide what becomes of it.", sum=money(cents))
        yield ToDo(title, note, "triangle-alert", url, kind="bad")


def _licences() -> Iterator[ToDo]:
    if may(permissions.manage_licences) and (number := licence_queries.waiting(db.session())):
        title = ngettext("%(num)s licence waits", "%(num)s licences wait", number)
        note = _("Sales that need it are held until it is verified.")
        yield ToDo(title, note, "shield-check", url_for("admin.licence_queue"))


def _people() -> Iterator[ToDo]:
    session = db.session()
    if number := queries.waiting_for_a_place(session):
        title = ngettext("%(num)s person waits for a place", "%(num)s people wait for a place", number)
        note = _("Their sponsors choose; after seven days they are placed by themselves.")
        yield ToDo(title, note, "user-plus", kind="")
    if twice := duplicate_registrations(session):
        title = ngettext("%(num)s person registered twice", "%(num)s people registered twice", len(twice))
        who = ", ".join(found.person.email for found in twice[:NAMED]) + (" …" if twice[NAMED:] else "")
        yield ToDo(title, _("Write to them and pay them back in Stripe: %(who)s", who=who), "users")


def _given_up() -> Iterator[ToDo]:
    trouble = queries.troubles(db.session())

    def place(kind: str) -> str:
        return url_for("admin.dead", kind=kind) if may(permissions.see_traffic) else ""

    if trouble.events:
        title = ngettext("%(num)s event was given up", "%(num)s events were given up", trouble.events)
        note = _("They are grouped by what is wrong.")
        yield ToDo(title, note, "triangle-alert", place("event"), kind="bad")
    if trouble.tasks:
        title = ngettext("%(num)s reaction was given up", "%(num)s reactions were given up", trouble.tasks)
        yield ToDo(title, trouble.last_error[:200], "triangle-alert", place("task"), kind="bad")
    if trouble.messages:
        title = ngettext("%(num)s mail was not sent", "%(num)s mails were not sent", trouble.messages)
        note = _("Look at them at Brevo: some may have arrived.")
        yield ToDo(title, note, "mail", place("mail"), kind="bad")


def _statements() -> Iterator[ToDo]:
    """Where vendors' statements and events disagree, and days of which no statement came."""
    if not may(permissions.settle_statements):
        return
    session = db.session()
    for vendor, number, answered in statements.open_differences(session):
        title = ngettext("%(num)s difference is open", "%(num)s differences are open", number)
        url = url_for("vendors.statements", public_id=vendor.public_id)
        note = _("Statements of %(vendor)s", vendor=vendor.name)
        if answered:
            note += "; " + _("the vendor answered %(number)s", number=answered)
        yield ToDo(title, note, "file-text", url)
    silent = silent_days(session, zone=company_zone(), today=today())
    for vendor, group in groupby(sorted(silent, key=lambda each: each.vendor.name), lambda each: each.vendor):
        days = list(group)
        named = ", ".join(short_day(each.day) for each in days)
        title = ngettext(
            "No statement yet of %(vendor)s for %(num)s day",
            "No statement yet of %(vendor)s for %(num)s days",
            len(days),
            vendor=vendor.name,
        )
        url = url_for("vendors.statements", public_id=vendor.public_id)
        yield ToDo(title, named, "file-text", url)


def company_zone() -> ZoneInfo:
    """The time zone in which the company's days begin."""
    return ZoneInfo(current_app.config["SETTINGS"].time_zone)


def today() -> date:
    """The day it is there."""
    return utc_now().astimezone(company_zone()).date()
