"""Forms and words of the payment pages; what is allowed is checked by the service."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.payments.queries import Wanted
from portal.payments.requests import LONGEST_REASON
from portal.ui.addresses import beginning_of, end_of
from portal.ui.fields import MoneyField, RefusingForm, chosen_from

STATES = {
    "paid": _l("Paid"),
    "partly_refunded": _l("Partly refunded"),
    "refunded": _l("Refunded"),
    "disputed": _l("Disputed"),
    "lost": _l("Lost"),
}
TONES = {"paid": "ok", "partly_refunded": "sun", "disputed": "bad", "lost": "bad"}
KINDS = {"pack": _l("Pack"), "renewal": _l("Monthly fee"), "order": _l("Order")}
EVENT_STATES = {"dead": _l("Given up"), "waiting": _l("Waiting"), "all": _l("All")}
INBOX = {
    "new": (_l("waiting"), "sun"),
    "retry": (_l("tried again"), "sun"),
    "done": (_l("done"), "ok"),
    "ignored": (_l("no effect"), ""),
    "dead": (_l("given up"), "bad"),
}
REVERSALS = {
    ("refund", "open"): (_l("on its way"), "sun"),
    ("refund", "done"): (_l("refunded"), "ok"),
    ("refund", "failed"): (_l("failed, the money is back"), "bad"),
    ("dispute", "open"): (_l("open"), "bad"),
    ("dispute", "lost"): (_l("lost"), "bad"),
    ("dispute", "won"): (_l("won, the money is back"), "ok"),
}
REQUESTS = {
    "asked": (_l("is sent"), "sun"),
    "sent": (_l("at Stripe"), "sun"),
    "done": (_l("done"), "ok"),
    "failed": (_l("refused"), "bad"),
}


def _any(choices: Mapping[str, object]) -> list[SelectChoice]:
    return chosen_from({"": _l("Any"), **choices})


class PaymentFilter(FlaskForm):
    """Which payments; kept in the address."""

    state = SelectField(_l("State"), choices=_any(STATES), default="")
    kind = SelectField(_l("For"), choices=_any(KINDS), default="")
    since = DateField(_l("From"), validators=[Optional()])
    until = DateField(_l("Until"), validators=[Optional()])
    text = StringField(_l("Name, e-mail or reference"), validators=[Length(max=255)])

    class Meta:
        csrf = False

    def wanted(self) -> Wanted:
        """What was asked for; days are days of the company's time zone."""
        return Wanted(
            state=self.state.data or "",
            kind=self.kind.data or "",
            since=beginning_of(self.since.data),
            until=end_of(self.until.data),
            text=self.text.data or "",
        )


class RefundForm(RefusingForm):
    """How much goes back, and why."""

    amount = MoneyField(_l("Amount"), validators=[InputRequired(_l("Please write an amount."))])
    reason = StringField(
        _l("Why"),
        validators=[InputRequired(_l("Please say why.")), Length(max=LONGEST_REASON)],
    )
