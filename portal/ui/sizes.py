"""The form field for the size of a service, wherever a customer writes one."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from flask_babel import gettext as _
from wtforms import Field
from wtforms.widgets import TextInput

from portal.ui.filters import size


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
        if self.raw_data:
            return str(self.raw_data[0])
        return size(self.data) if self.data else ""
