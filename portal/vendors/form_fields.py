"""Inputs of the terms: volumes, lists of states, the shares of upline levels, boxes to tick."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _
from wtforms import Field, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from portal.kernel.errors import DomainError
from portal.kernel.money import format_volume, parse_volume

_PART = re.compile(r"[\s,;]+")
_LEVEL = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%?")


class VolumeField(Field):
    """Volume as people write it, `12.5`; `data` is whole hundredths, 0 when nothing was written."""

    widget = TextInput()
    data: int

    def process_formdata(self, valuelist: list[str]) -> None:
        written = valuelist[0].strip() if valuelist else ""
        self.data = 0
        if not written:
            return
        try:
            self.data = parse_volume(written)
        except DomainError as refusal:
            raise ValueError(refusal.message) from refusal

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return format_volume(self.data) if self.data else ""


class StatesField(Field):
    """States as two letters each, with spaces or commas between; `data` is the list of them."""

    widget = TextInput()
    data: list[str]

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = [state for state in _PART.split(valuelist[0].upper()) if state] if valuelist else []

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ", ".join(self.data or [])


class LevelsField(Field):
    """Shares of levels in percent, the nearest first: `3, 2, 1`; `data` is whole ten-thousandths."""

    widget = TextInput()
    data: list[int]

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = []
        for written in _PART.split(valuelist[0].strip()) if valuelist else []:
            found = _LEVEL.fullmatch(written)
            if found is None and written:
                raise ValueError(_("Please write shares like 3, 2, 1."))
            if found is not None:
                self.data.append(int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")))

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return ", ".join(f"{share // 100}.{share % 100:02d}".removesuffix(".00") for share in self.data or [])


class TicksField(SelectMultipleField):
    """Several of some choices, a box for each."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, validate_choice=False, **named)
