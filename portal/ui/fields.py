"""Form parts that the rooms share: an amount read to the cent, and refusals shown where they belong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import TextInput

from portal.kernel.errors import DomainError
from portal.kernel.money import Cents, parse_money
from portal.ui.filters import worded


def chosen_from(named: Mapping[str, object]) -> list[SelectChoice]:
    """Choices of a field: what is sent, and what people read."""
    return [SelectChoice(value=value, label=label) for value, label in named.items()]


class MoneyField(Field):
    """An amount as people write it, `1,234.50`; `data` is whole cents, or None when nothing was written."""

    widget = TextInput()
    data: Cents | None

    def process_formdata(self, valuelist: list[str]) -> None:
        written = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not written:
            return
        try:
            self.data = parse_money(written)
        except DomainError as refusal:
            raise ValueError(refusal.message) from refusal

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data // 100}.{self.data % 100:02d}"


class ShareField(Field):
    """A share in percent as people write it, `24` or `0.25`; `data` is whole ten-thousandths, or None."""

    widget = TextInput()
    data: int | None

    def process_formdata(self, valuelist: list[str]) -> None:
        written = valuelist[0].strip() if valuelist else ""
        self.data = None
        found = re.fullmatch(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?", written)
        if found is not None:
            self.data = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
        elif written:
            raise ValueError(_("Please write a share like 0.25."))

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data // 100}.{self.data % 100:02d}"


# Stands in a form that was kept while the password was asked for, without what must not be kept.
TO_COMPLETE = "to-complete"


class RefusingForm(FlaskForm):
    """A form that shows a service's refusal at the field it speaks of, else above all fields."""

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Whether it can be used; one that has to be completed first is shown again, without a fault."""
        return TO_COMPLETE not in request.form and super().validate(extra_validators)

    def refuse(self, refusal: DomainError) -> None:
        said = worded(refusal.message)
        if refusal.field in self._fields:
            field = self._fields[refusal.field]
            field.errors = [*field.errors, said]
        else:
            self.form_errors.append(said)
