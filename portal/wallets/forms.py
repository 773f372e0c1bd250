"""Forms of the wallet; limits and balances are checked by the service."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField
from wtforms.validators import Length, ValidationError

from portal.payouts.service import LONGEST_KEY
from portal.ui.fields import MoneyField, RefusingForm


class AmountForm(RefusingForm):
    """How much; the first step."""

    amount = MoneyField(_l("Amount"))

    def validate_amount(self, field: MoneyField) -> None:
        if field.data is None and not field.process_errors:
            raise ValidationError(_("Please write an amount like 1,234.50."))


class CheckForm(AmountForm):
    """The check page: the amount once more, and a key that can be used once."""

    key = HiddenField(validators=[Length(min=10, max=LONGEST_KEY)])
