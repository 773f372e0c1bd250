"""Leads in and out as CSV: columns by their headings, every fault by its line, a look before it is done."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from dataclasses import dataclass
from typing import Final

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.arrival import cells
from portal.arrival.faults import Fault, Faults
from portal.arrival.files import Column, FileKind
from portal.arrival.tables import Table, read_table
from portal.desk import words
from portal.desk.access import me, with_desk
from portal.desk.forms import ImportForm
from portal.desk.room import desk
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput
from portal.kernel.us import STATES
from portal.leads import importing, selling
from portal.leads.enquiries import LONGEST_SOURCE
from portal.leads.importing import MOST_ROWS, Into, Row
from portal.models import Lead
from portal.payouts.files import guarded
from portal.store import people, perform
from portal.store.people import Contact, shown_phone
from portal.ui import show
from portal.ui.htmx import request

LARGEST_BYTES: Final = 200_000
HEADINGS: Final = (
    *("name", "email", "phone", "address", "state", "service", "note"),
    *("stage", "came in", "by", "since", "lost because", "contact"),
)


@dataclass(frozen=True)
class Read:
    """What a file says: its rows, or what is wrong with it."""

    rows: list[Row]
    faults: list[Fault]
    more: int


@desk.get("/leads/import")
@requires(permissions.work_leads)
@with_desk
def import_page() -> Response:
    """Which columns a file may have, and the field for it."""
    return _page(ImportForm(formdata=None))


@desk.post("/leads/import")
@requires(permissions.work_leads)
@with_desk
def read_import() -> AnyResponse:
    """Look at a file: what would be taken, what is there already, what is wrong. Nothing is written."""
    form = ImportForm()
    content = form.file.data.read(LARGEST_BYTES + 1) if form.file.data else b""
    if not content or len(content) > LARGEST_BYTES:
        form.file.errors = [_("Please choose a CSV file of at most 200 kB.")]
        return _page(form, status=422)
    return _preview(content, form.file.data.filename or "")


@desk.post("/leads/import/take")
@requires(permissions.work_leads)
@with_desk
def import_leads() -> AnyResponse:
    """Take the rows, all in one go; the file is read once more, whatever the browser sent along."""
    try:
        content = base64.b64decode(request.form.get("content", ""), validate=True)
    except binascii.Error:
        content = b""
    found = _read(content)
    if found.faults or not content:
        return _preview(content, request.form.get("name", ""))
    anyway = {int(line) for line in request.form.getlist("anyway") if line.isdecimal() and len(line) < 7}
    into = Into(me().id, current_user.id, request.form.get("name", "")[:LONGEST_SOURCE])
    number = perform(lambda uow: importing.take_rows(uow, found.rows, into=into, anyway=anyway))
    flash(ngettext("%(num)s lead was taken.", "%(num)s leads were taken.", number), "ok")
    return redirect(url_for("desk.leads"), 303)


@desk.get("/leads/export.csv")
@requires(permissions.work_leads)
@with_desk
def export_leads() -> Response:
    """All own leads that are not archived; who must not be contacted is named without a way to do it."""
    session = db.session()
    mine = select(Lead).where(Lead.consultant_id == me().id, Lead.archived_at.is_(None))
    leads = session.scalars(mine.order_by(Lead.id)).unique().all()
    stops = people.stopped(session, [lead.person for lead in leads])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for lead in leads:
        writer.writerow([guarded(cell) for cell in _cells(lead, stopped=lead.person_id in stops)])
    headers = {"Content-Disposition": "attachment; filename=leads.csv", "Cache-Control": "no-store"}
    return Response(text.getvalue(), mimetype="text/csv", headers=headers)


def _cells(lead: Lead, *, stopped: bool) -> list[str]:
    person = lead.person
    return [
        person.name,
        "" if stopped else person.email,
        "" if stopped else shown_phone(person.phone or ""),
        "" if stopped else person.address or "",
        lead.region or "",
        lead.service.code if lead.service else "",
        "",
        lead.stage,
        lead.source,
        lead.source_name or "",
        lead.created_at.date().isoformat(),
        lead.lost_reason or "",
        "do not contact" if stopped else "",
    ]


def _kind() -> FileKind:
    """The columns of a file of leads; those that it has besides are passed over."""
    services = {
        one.code: one.id for one, _terms in selling.offered_services(db.session(), day=utc_now().date())
    }

    def service(text: str) -> int:
        if text.strip() not in services:
            raise BadInput(f"there is no such service; there are {', '.join(sorted(services)) or 'none'}")
        return services[text.strip()]

    def region(text: str) -> str:
        wanted = text.strip()
        named = {name.lower(): code for code, name in STATES.items()}
        found = named.get(wanted.lower(), wanted.upper())
        if found not in STATES:
            raise BadInput("a state is written as CO or Colorado")
        return found

    return FileKind(
        "leads.csv",
        (
            Column("name", cells.words, "Dana Reed", also=("full name", "contact", "lead")),
            Column(
                "email", people.email_address, "dana@example.com", "", ("e-mail", "email address", "mail")
            ),
            Column("phone", people.phone_number, "(303) 555-0142", "", ("phone number", "mobile", "cell")),
            Column("address", cells.words, "12 Elm St, Denver", "", ("street", "street address")),
            Column("state", region, "CO", "", ("region", "province")),
            Column("service", service, "solar-roof", None, ("service code", "product")),
            Column("note", cells.words, "met at the fair", "", ("notes", "comment", "comments")),
        ),
        others_allowed=True,
    )


def _read(content: bytes) -> Read:
    faults = Faults()
    table = read_table(_kind(), content, faults)
    if len(table) > MOST_ROWS:
        faults.add("leads.csv", table.lines[MOST_ROWS], "", f"a file may have at most {MOST_ROWS:,} leads")
    for line, email, phone in zip(table.lines, table["email"], table["phone"], strict=True):
        if email == "" and phone == "":
            faults.add("leads.csv", line, "", "an e-mail or a phone number is needed")
    rows = [] if faults.count else _rows(table)
    return Read(importing.looked_up(db.session(), rows, consultant_id=me().id), faults.shown(), faults.rest)


def _rows(table: Table) -> list[Row]:
    columns = [table[name] for name in ("name", "email", "phone", "address", "state", "service", "note")]
    return [
        Row(line, Contact(name, email, phone, address, state), service, note)
        for line, name, email, phone, address, state, service, note in zip(table.lines, *columns, strict=True)
    ]


def _preview(content: bytes, name: str) -> Response:
    found = _read(content)
    wrong = bool(found.faults) or not found.rows
    return show(
        "desk/import_preview.html",
        "main",
        status=422 if wrong else 200,
        found=found,
        form=ImportForm(formdata=None),
        clean=[row for row in found.rows if not row.against],
        doubtful=[row for row in found.rows if row.against],
        content=base64.b64encode(content).decode(),
        name=name[:LONGEST_SOURCE],
        shown_phone=shown_phone,
    )


def _page(form: ImportForm, *, status: int = 200) -> Response:
    columns = _kind().columns
    return show("desk/import.html", "main", status=status, form=form, columns=columns, words=words)
