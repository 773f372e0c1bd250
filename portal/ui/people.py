"""The form part for a person: name and e-mail, asked in the same words wherever somebody writes theirs."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, StringField
from wtforms.validators import Email, InputRequired, Length, Regexp

_NAME = r"^[^\x00-\x1f<>{}\\@/]*$"


def stripped(text: Any) -> Any:
    """A text without doubled spaces and those around it."""
    return " ".join(text.split()) if isinstance(text, str) else text


class PersonPart(FlaskForm):
    """Name and e-mail, as a form of their own to build on."""

    name = StringField(
        _l("Your name"),
        filters=[stripped],
        validators=[
            InputRequired(_l("Please write your name.")),
            Length(min=2, max=100, message=_l("Please write your name in 2 to 100 characters.")),
            Regexp(_NAME, message=_l("A name cannot hold these signs.")),
        ],
    )
    email = EmailField(
        _l("E-mail"),
        filters=[stripped],
        validators=[
            InputRequired(_l("Please write your e-mail.")),
            Length(max=254),
            Email(_l("This does not look like an e-mail address.")),
        ],
    )
