"""Forms of the team pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField
from wtforms.fields.choices import SelectChoice


class PlaceForm(FlaskForm):
    """The spot that was checked: whose, and on which leg (`L`, `R`)."""

    parent = HiddenField()
    leg = HiddenField()


class PreferenceForm(FlaskForm):
    """Where people go who join through one's link."""

    preference = RadioField(
        _l("When somebody joins through your link"),
        choices=[
            SelectChoice("weaker", _l("Place them on my weaker leg")),
            SelectChoice("left", _l("Place them on my left leg")),
            SelectChoice("right", _l("Place them on my right leg")),
            SelectChoice("hand", _l("I place them by hand")),
        ],
    )
