"""What a customer writes to order."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, EmailField, Field, StringField
from wtforms.validators import Email, InputRequired, Length, NumberRange, Regexp
from wtforms.widgets import TextInput

from portal.ui.fields import RefusingForm

MOST_THOUSANDTHS = 100_000_000
_NAME = r"^[^\x00-\x1f<>{}\\@/]*$"


def _stripped(text: Any) -> Any:
    return " ".join(text.split()) if isinstance(text, str) else text


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


class OrderForm(RefusingForm):
    name = StringField(
        _l("Your name"),
        filters=[_stripped],
        validators=[
            InputRequired(_l("Please write your name.")),
            Length(min=2, max=100, message=_l("Please write your name in 2 to 100 characters.")),
            Regexp(_NAME, message=_l("A name cannot hold these signs.")),
        ],
    )
    email = EmailField(
        _l("E-mail"),
        filters=[_stripped],
        validators=[
            InputRequired(_l("Please write your e-mail.")),
            Length(max=254),
            Email(_l("This does not look like an e-mail address.")),
        ],
    )
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
