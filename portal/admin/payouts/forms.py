"""Forms of the payout pages; what is allowed is checked by the service."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.validators import Length, Optional

from portal.payouts.candidates import Criteria
from portal.payouts.service import LONGEST_REASON
from portal.ui.fields import MoneyField, RefusingForm, chosen_from

STATES = {
    "requested": _l("Waiting"),
    "approved": _l("Approved"),
    "exported": _l("At the bank"),
    "queued": _l("In the queue"),
    "sending": _l("Being sent"),
    "resolving": _l("Looking it up"),
    "review": _l("To be reviewed"),
    "sent": _l("Sent"),
    "paid": _l("Paid"),
    "rejected": _l("Not approved"),
    "cancelled": _l("Called off"),
    "failed": _l("Failed"),
    "returned": _l("Returned"),
    "all": _l("All"),
}
TONES = {
    "requested": "sun",
    "approved": "ok",
    "exported": "ok",
    "queued": "ok",
    "sending": "ok",
    "resolving": "sun",
    "review": "sun",
    "sent": "ok",
    "paid": "ok",
    "rejected": "bad",
    "failed": "bad",
    "returned": "bad",
}
TAX_FORMS = {"any": _l("Signed or not"), "valid": _l("Signed"), "missing": _l("Not signed")}
BATCH_STATES = {"exported": _l("At the bank"), "confirmed": _l("Paid"), "void": _l("Void")}
BATCH_TONES = {"exported": "sun", "confirmed": "ok"}


class FilterForm(FlaskForm):
    """Which withdrawals; kept in the address."""

    state = SelectField(
        _l("State"),
        choices=chosen_from(STATES),
        default="requested",
    )
    name = StringField(_l("Name begins with"), validators=[Length(max=100)])
    least = MoneyField(_l("From amount"))

    class Meta:
        csrf = False


class ChoiceForm(RefusingForm):
    """Ticked withdrawals, by their public ids, and a reason where one is needed."""

    chosen = SelectMultipleField(_l("Withdrawals"), validate_choice=False)
    reason = StringField(_l("Reason, read by the consultant"), validators=[Length(max=LONGEST_REASON)])


class ResultForm(RefusingForm):
    """The bank's answer to a batch."""

    file = FileField(
        _l("Result file (CSV, or NACHA returns)"), validators=[FileRequired(_l("Please choose a file."))]
    )


class SelectionForm(RefusingForm):
    """Whom to pay; an empty field asks for nothing."""

    minimum = MoneyField(_l("From amount"))
    pack = SelectField(_l("Plan"), choices=[], default="")
    method = SelectField(_l("Way to pay"), choices=[], default="")
    country = StringField(_l("Country, two letters"), validators=[Length(max=2)])
    tax_form = SelectField(
        _l("Tax form"),
        choices=chosen_from(TAX_FORMS),
        default="any",
    )
    paid_before = DateField(_l("Not paid since"), validators=[Optional()])

    def offer(self, packs: Sequence[tuple[str, str]], methods: Sequence[tuple[str, str]]) -> None:
        """The plans and ways to choose from, as (code, name)."""
        self.pack.choices = chosen_from({"": _("Every plan"), **dict(packs)})
        self.method.choices = chosen_from({"": _("Every way"), **dict(methods)})

    def criteria(self) -> Criteria:
        """What was asked for."""
        return Criteria(
            minimum=self.minimum.data or 1,
            pack=self.pack.data or "",
            method=self.method.data or "",
            country=(self.country.data or "").strip().upper(),
            tax_form=self.tax_form.data or "any",
            paid_before=self.paid_before.data,
        )
