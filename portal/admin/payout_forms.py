"""Forms of the payout pages; what is allowed is checked by the service."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from portal.payouts.service import LONGEST_REASON
from portal.ui.fields import MoneyField, RefusingForm

STATES = {
    "requested": _l("Waiting"),
    "approved": _l("Approved"),
    "exported": _l("At the bank"),
    "paid": _l("Paid"),
    "rejected": _l("Not approved"),
    "cancelled": _l("Called off"),
    "returned": _l("Returned"),
    "all": _l("All"),
}
TONES = {
    "requested": "sun",
    "approved": "ok",
    "exported": "ok",
    "paid": "ok",
    "rejected": "bad",
    "returned": "bad",
}
BATCH_STATES = {"exported": _l("At the bank"), "confirmed": _l("Paid"), "void": _l("Void")}
BATCH_TONES = {"exported": "sun", "confirmed": "ok"}


class FilterForm(FlaskForm):
    """Which withdrawals; kept in the address."""

    state = SelectField(
        _l("State"),
        choices=[SelectChoice(value=value, label=label) for value, label in STATES.items()],
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
