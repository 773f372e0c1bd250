"""A wallet's statement on a page: filters kept in the address, one page of lines, and the sums around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import DateField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, ValidationError

from portal.ledger import running
from portal.ledger.running import Line, Purse, Span
from portal.ui.addresses import beginning_of, end_of, number
from portal.ui.bookings import GROUPS

LINES_A_PAGE = 25
MOST_LINES = 5_000


class StatementForm(FlaskForm):
    """From a day to a day, and what kind of entries."""

    since = DateField(_l("From"), validators=[Optional()])
    until = DateField(_l("To"), validators=[Optional()])
    kind = SelectField(
        _l("Show"),
        choices=[SelectChoice(value=value, label=label) for value, label in GROUPS.items()],
        default="all",
    )

    class Meta:
        csrf = False

    def validate_until(self, field: DateField) -> None:
        if field.data and self.since.data and not self.since.errors and field.data < self.since.data:
            raise ValidationError(_("This day is before the first one. Please choose a later one."))

    @property
    def span(self) -> Span:
        """What is asked for, from midnight to midnight in the company's time zone."""
        since = None if self.since.errors else self.since.data
        until = None if self.until.errors else self.until.data
        group = self.kind.data if self.kind.data in GROUPS else "all"
        return Span(beginning_of(since), end_of(until), group)

    @property
    def period(self) -> str:
        """The days asked for as the end of a file's name, such as `-2026-11-01-2026-11-22`."""
        since = "" if self.since.errors or not self.since.data else f"-{self.since.data.isoformat()}"
        until = "" if self.until.errors or not self.until.data else f"-{self.until.data.isoformat()}"
        if since and until:
            return since + until
        return f"-from{since}" if since else until and f"-until{until}"

    @property
    def kept(self) -> dict[str, str]:
        """The filters as they stand in the address, without what could not be read."""
        names = [name for name in ("since", "until") if self[name].data and not self[name].errors]
        span = {name: self[name]._value() for name in names}
        return span | ({"kind": self.kind.data} if self.kind.data in GROUPS else {})


@dataclass(frozen=True)
class StatementPage:
    """One page of a statement: lines newest first, and what was there before and after the span."""

    form: StatementForm
    lines: list[Line]
    opening: Purse
    closing: Purse
    older: int | None
    whole: bool
    columns: list[str]


def statement_page(session: Session, consultant_id: int, arguments: Mapping[str, str]) -> StatementPage:
    """The page that the address asks for; `rows=all` brings everything on one page, for paper."""
    form = read_form(arguments)
    whole = arguments.get("rows") == "all"
    limit = MOST_LINES if whole else LINES_A_PAGE
    before = number(arguments, "before")
    found = running.lines(session, consultant_id, form.span, before=before, limit=limit + 1)
    shown = found[:limit]
    return StatementPage(
        form=form,
        lines=shown,
        opening=running.purse_at(session, consultant_id, form.span.since)
        if form.span.since
        else Purse(0, 0, 0, 0),
        closing=running.purse_at(session, consultant_id, form.span.until),
        older=shown[-1].entry_id if len(found) > limit else None,
        whole=whole,
        columns=_columns(shown),
    )


def _columns(lines: list[Line]) -> list[str]:
    """The purses that are shown: what is set aside and what is owed only where there is something of it."""
    more = [name for name in ("reserved", "debt") if any(getattr(line.after, name) for line in lines)]
    return ["available", "pending", *more]


def read_form(arguments: Mapping[str, str]) -> StatementForm:
    """The filters of an address; what cannot be read is left out and named at its field."""
    form = StatementForm(arguments)
    form.validate()
    return form
