"""/admin/retail: what verified customers bought against own use, by cycle, by consultant, and in pay."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response, current_app, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import DateField, StringField
from wtforms.validators import InputRequired

from portal.access import permissions
from portal.access.guard import may, require_recent_password, requires
from portal.admin.deciding import decide
from portal.admin.room import admin
from portal.compliance import own_use, retail
from portal.compliance.retail import OfCycle, Split
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError, NotYours
from portal.kernel.money import parse_volume
from portal.payouts.files import guarded
from portal.store import perform
from portal.ui import show
from portal.ui.fields import RefusingForm
from portal.ui.htmx import request

CYCLES_SHOWN = 26
PARTS = ("verified_volume", "own_use_volume", "unverified_volume", "total_volume", "not_customers_share")


class RuleForm(RefusingForm):
    """How much own use counts in a month, from which day on."""

    monthly_volume = StringField(
        _l("Volume a month"), validators=[InputRequired(_l("Please write a volume."))]
    )
    valid_from = DateField(_l("From"), validators=[InputRequired(_l("Please choose a day."))])


@admin.get("/retail")
@requires(permissions.see_retail)
def retail_meter() -> Response:
    """The latest cycles, and one of them (`cycle`) in full."""
    return _page(RuleForm(formdata=None))


@admin.post("/retail/own-use")
@requires(permissions.manage_own_use)
@require_recent_password()
def limit_own_use() -> AnyResponse:
    """Decide how much own use counts from a day on."""
    form, actor_id = RuleForm(), current_user.id
    if not form.validate_on_submit():
        return _page(form, status=422)
    day, written = form.valid_from.data, form.monthly_volume.data or ""
    assert day is not None, "the day is asked for"
    try:
        volume = parse_volume(written)
    except DomainError as refusal:
        form.monthly_volume.errors = [refusal.message]
        return _page(form, status=422)
    try:
        perform(
            lambda uow: own_use.set_rule(uow, valid_from=day, monthly_volume=volume, actor_id=actor_id).id
        )
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(form, status=refusal.status)
    flash(_("The rule is written down. What was sold before stays."), "ok")
    return redirect(url_for("admin.retail_meter"), 303)


@admin.post("/retail/own-use/<int:rule_id>/take-back")
@requires(permissions.manage_own_use)
@require_recent_password()
def take_own_use_back(rule_id: int) -> AnyResponse:
    """Take back a rule that has not begun."""
    actor_id = current_user.id
    return decide(
        lambda uow: own_use.take_back(uow, rule_id=rule_id, actor_id=actor_id),
        said=_("The rule is taken back."),
        url=url_for("admin.retail_meter"),
    )


@admin.get("/retail.csv")
@requires(permissions.see_retail)
def retail_csv() -> Response:
    """The cycles of the page."""
    rows = retail.by_cycle(db.session(), most=CYCLES_SHOWN)
    return _file("retail.csv", ("cycle", *PARTS), ([row.cycle.name, *_cells(row.split)] for row in rows))


@admin.get("/retail/<name>.csv")
@requires(permissions.see_retail)
def retail_cycle_csv(name: str) -> Response:
    """Everybody who sold in one cycle."""
    session = db.session()
    found = next((row for row in retail.by_cycle(session, most=CYCLES_SHOWN) if row.cycle.name == name), None)
    if found is None:
        raise NotYours(_("There is nothing here under this address."))
    sellers = retail.most_own_use(session, found.cycle.id, most=None)
    rows = ([row.code, row.name, *_cells(row.split)] for row in sellers)
    return _file(f"retail-{name}.csv", ("code", "name", *PARTS), rows)


def _page(form: RuleForm, *, status: int = 200) -> Response:
    session = db.session()
    rows = retail.by_cycle(session, most=CYCLES_SHOWN)
    chosen = _chosen(rows)
    sellers = retail.most_own_use(session, chosen.cycle.id) if chosen else []
    return show(
        "admin/retail.html",
        "main",
        status=status,
        form=form,
        rows=rows,
        chosen=chosen,
        pay=retail.pay_of(session, chosen.cycle, chosen.split) if chosen else None,
        vouchers=retail.vouchers(session, chosen.cycle.id) if chosen else {},
        sellers=[row for row in sellers if row.split.not_customers > 0],
        is_empty=not sellers,
        most=current_app.config["SETTINGS"].own_use_share,
        rules=own_use.rules(session),
        today=utc_now().date(),
        may_limit=may(permissions.manage_own_use),
    )


def _chosen(rows: Sequence[OfCycle]) -> OfCycle | None:
    """The cycle that was asked for, else the latest in which something was sold."""
    asked = request.args.get("cycle", "")
    named = [row for row in rows if row.cycle.name == asked]
    sold = [row for row in rows if row.split != Split()]
    return next(iter((*named, *reversed(sold), *reversed(rows))), None)


def _cells(split: Split) -> list[str]:
    parts = (split.verified, split.own, split.unverified, split.total)
    return [*map(_plain, parts), f"{split.share // 10_000}.{split.share % 10_000:04d}"]


def _plain(hundredths: int) -> str:
    sign, whole = ("-" if hundredths < 0 else ""), abs(hundredths)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def _file(name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """A number may begin with a minus; what people wrote is kept from being calculated."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heads)
    words = len(heads) - len(PARTS)
    writer.writerows([*map(guarded, row[:words]), *row[words:]] for row in rows)
    headers = {"Content-Disposition": f"attachment; filename={name}", "Cache-Control": "no-store"}
    return Response(text.getvalue(), mimetype="text/csv", headers=headers)
