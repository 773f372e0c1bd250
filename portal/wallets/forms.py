"""Forms of the wallet; limits and balances are checked by the service."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField
from wtforms.validators import Regexp, ValidationError

from portal.ui.fields import MoneyField, RefusingForm


class AmountForm(RefusingForm):
    """How much; the first step."""

    amount = MoneyField(_l("Amount"))

    def validate_amount(self, field: MoneyField) -> None:
        if field.data is None and not field.process_errors:
            raise ValidationError(_("Please write an amount like 1,234.50."))


class CheckForm(AmountForm):
    """The check page: the amount once more, and a key that can be used once."""

    # The shape of `new_id`: the company's own withdrawals have other keys, which nobody can write here.
    key = HiddenField(validators=[Regexp("[a-z2-7]{20}$")])
