"""What a customer writes to order."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field
from wtforms.validators import InputRequired, NumberRange
from wtforms.widgets import TextInput

from portal.ui.fields import RefusingForm
from portal.ui.people import PersonPart

MOST_THOUSANDTHS = 100_000_000


class SizeField(Field):
    """A size as people write it, `8.4`; `data` is whole thousandths, or None when nothing was written."""

    widget = TextInput()
    data: int | None

    def process_formdata(self, valuelist: list[str]) -> None:
        written = valuelist[0].strip().replace(",", "") if valuelist else ""
        self.data = None
        if not written:
            return
        try:
            thousandths = Decimal(written) * 1000
            if thousandths != thousandths.to_integral_value():
                raise ValueError(_("Please write at most three digits after the point."))
            self.data = int(thousandths)
        except (InvalidOperation, OverflowError) as bad:
            raise ValueError(_("Please write a number, such as 8.4.")) from bad

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ""


class OrderForm(PersonPart, RefusingForm):
    """Who orders, and how much."""

    size = SizeField(
        _l("Size"),
        validators=[
            InputRequired(_l("Please write a size.")),
            NumberRange(min=1, max=MOST_THOUSANDTHS, message=_l("Please write a size above 0.")),
        ],
    )
    consent = BooleanField(
        _l("The company may keep my name and e-mail and give them to the vendor for this order."),
        validators=[InputRequired(_l("To order, please agree to this."))],
    )
