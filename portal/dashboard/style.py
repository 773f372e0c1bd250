"""The style page: every part of the house at once, for whoever builds pages. Development only."""

from __future__ import annotations

from flask import Response
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.kernel.clock import utc_now
from portal.ui import show


class StyleForm(FlaskForm):
    """One field of each kind; sent empty it shows its errors."""

    name = StringField(_l("Name"), [InputRequired(_l("Please give your name."))])
    amount = StringField(_l("Amount"), [InputRequired(_l("Please write an amount like 1,234.50."))])
    leg = RadioField(
        _l("Leg"),
        choices=[SelectChoice("left", _l("Left")), SelectChoice("right", _l("Right"))],
        default="left",
    )
    agrees = BooleanField(
        _l("I have read the agreement"), [InputRequired(_l("Please accept the agreement."))]
    )


def style_page() -> Response:
    """The page with all components; the form below shows its errors at once."""
    form = StyleForm(formdata=None)
    form.name.errors = [_l("Please give your name.")]
    return show("style/index.html", "main", form=form, now=utc_now())
