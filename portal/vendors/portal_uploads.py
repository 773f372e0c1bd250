"""A file of the vendor on its way to being a statement: which column means what, a look, and then sent."""

from __future__ import annotations

from flask import Response, flash, redirect
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.extensions import db
from portal.kernel.errors import BadInput
from portal.statements import files, uploads
from portal.statements.files import FIELDS, Read, first_lines, guess, headings, read_lines
from portal.statements.lines import TYPES
from portal.statements.queries import mapping_of
from portal.statements.service import check_day, receive_statement
from portal.statements.uploads import Upload
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.ui.htmx import request
from portal.vendors import portal_statement_forms as words
from portal.vendors.portal_room import Place, company_zone, on_both
from portal.vendors.portal_statement_forms import UploadForm
from portal.vendors.portal_statements import statements_page
from portal.vendors.room import today

PREVIEWED = 5


@on_both("/statements/upload", needs=permissions.send_statements, post=True)
def upload_statement(place: Place) -> AnyResponse:
    """Keep a file for a while and ask which column means what."""
    form = UploadForm()
    if not form.validate_on_submit():
        return statements_page(place, form, status=422)
    content = form.file.data.read()
    try:
        check_day(form.day.data, today=today())
        headings(content)
    except BadInput as refusal:
        form.refuse(refusal)
        return statements_page(place, form, status=422)
    name = (form.file.data.filename or "")[:200]
    key = uploads.keep(place.vendor.id, file_name=name, day=form.day.data, content=content)
    return redirect(place.url("uploaded", key=key), 303)


@on_both("/statements/upload/<key>", needs=permissions.send_statements)
def uploaded(place: Place, key: str) -> Response:
    """The columns of the file, and what they meant last time."""
    upload = uploads.kept(place.vendor.id, key)
    kept = mapping_of(db.session(), place.vendor.id)
    return _page(place, upload, guess(headings(upload.content), kept.columns if kept else {}))


@on_both("/statements/upload/<key>", needs=permissions.send_statements, post=True)
def send_upload(place: Place, key: str) -> AnyResponse:
    """Look at the file with these columns, or send it; which column means what is kept either way."""
    upload, vendor_id, actor_id = uploads.kept(place.vendor.id, key), place.vendor.id, current_user.id
    mapping = {name: request.form.get(name, "") for name in FIELDS if request.form.get(name)}
    read = read_lines(upload.content, mapping, day=upload.day, zone=company_zone())
    if "send" not in request.form or read.faulty:
        _remember(place, mapping, headings(upload.content))
        status = 422 if read.faulty else 200
        return _page(place, upload, mapping, read=read, status=status)

    def send(uow: UnitOfWork) -> str:
        uploads.save_mapping(uow, vendor_id=vendor_id, columns=mapping, actor_id=actor_id)
        return receive_statement(
            uow,
            vendor_id=vendor_id,
            day=upload.day,
            lines=read.lines,
            source="csv",
            content=upload.content,
            received_by=actor_id,
            file_name=upload.file_name,
        ).public_id

    try:
        sent = perform(send)
    except BadInput as refusal:
        flash(refusal.message, "error")
        return _page(place, upload, mapping, read=read, status=422)
    uploads.forget(vendor_id, key)
    said = ngettext("%(num)s line is sent.", "%(num)s lines are sent.", len(read.lines))
    flash(said + " " + _("What differs from the events shows here in a moment."), "ok")
    return redirect(place.url("statement", statement_id=sent), 303)


def _remember(place: Place, mapping: dict[str, str], columns: list[str]) -> None:
    """Keep the columns that were chosen and are there, for the file that is put right and chosen again."""
    vendor_id, actor_id = place.vendor.id, current_user.id
    chosen = {
        name: column
        for name, column in mapping.items()
        if column in columns or column.startswith(files.ALWAYS)
    }
    if chosen:
        perform(lambda uow: uploads.save_mapping(uow, vendor_id=vendor_id, columns=chosen, actor_id=actor_id))


def _page(
    place: Place, upload: Upload, mapping: dict[str, str], *, read: Read | None = None, status: int = 200
) -> Response:
    columns = headings(upload.content)
    if read is None:
        read = read_lines(upload.content, mapping, day=upload.day, zone=company_zone())
    always = [(f"{files.ALWAYS}{name}", name) for name in TYPES]
    return show(
        "vendors/portal/upload.html",
        "main",
        status=status,
        place=place,
        vendor=place.vendor,
        upload=upload,
        columns=columns,
        first=first_lines(upload.content),
        mapping=mapping,
        fields=[(name, words.COLUMNS[name], always if name == "type" else []) for name in FIELDS],
        needed=files.NEEDED,
        read=read,
        preview=read.lines[:PREVIEWED],
        words=words,
    )
