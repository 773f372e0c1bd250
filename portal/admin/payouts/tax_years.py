"""/admin/payouts/tax-years: what the law asks in a year; one that has begun stays as it is."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError
from portal.payouts.payees import tax_years
from portal.payouts.payees.tax_years import LONGEST_SOURCE, Asked
from portal.store import perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.fields import MoneyField, RefusingForm, ShareField
from portal.ui.htmx import request

NUMBERS = ("year", "withholding_rate", "reporting_from_cents", "form_needed_from_cents")


class TaxYearForm(RefusingForm):
    """One year of the law; every field has to be written."""

    year = IntegerField(_l("Year"), validators=[InputRequired()])
    withholding_rate = ShareField(_l("Backup withholding, in %"), validators=[InputRequired()])
    form_needed_from_cents = MoneyField(_l("Tax form needed from"), validators=[InputRequired()])
    reporting_from_cents = MoneyField(_l("Reported from"), validators=[InputRequired()])
    source = StringField(_l("Law or source"), validators=[InputRequired(), Length(max=LONGEST_SOURCE)])

    def asked(self) -> Asked:
        """What the form says."""
        source = (self.source.data or "").strip()
        return Asked(**{name: self[name].data for name in NUMBERS}, source=source)


@admin.get("/payouts/tax-years")
@requires(permissions.manage_payout_methods)
def tax_years_page() -> Response:
    """The years that are known, and the form: filled with the year of the address, or with the newest."""
    session = db.session()
    wanted = number(request.args, "year")
    known = tax_years.years(session)
    newest = tax_years.rules_of(session, wanted or utc_now().year + tax_years.YEARS_AHEAD)
    values = {name: getattr(newest, name) for name in (*NUMBERS, "source")}
    new_year = max([utc_now().year, *(each.year + 1 for each in known[:1])])
    return _page(TaxYearForm(formdata=None, data=values | {"year": wanted or new_year}))


@admin.post("/payouts/tax-years")
@requires(permissions.manage_payout_methods)
@require_recent_password()
def save_tax_year() -> AnyResponse:
    """Add a year, or change one that has not begun."""
    form, actor_id = TaxYearForm(), current_user.id
    if not form.validate_on_submit():
        return _page(form, status=422)
    asked = form.asked()
    try:
        perform(lambda uow: tax_years.save(uow, asked, actor_id=actor_id).year)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(form, status=refusal.status)
    flash(_("Saved. It counts from the first day of %(year)s.", year=asked.year), "ok")
    return redirect(url_for("admin.tax_years_page"), 303)


def _page(form: TaxYearForm, *, status: int = 200) -> Response:
    known = tax_years.years(db.session())
    this_year = utc_now().year
    return show(
        "admin/payout_tax_years.html", "years", status=status, form=form, years=known, this_year=this_year
    )
