"""What people write at the door."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.access.passwords import LONGEST


class SignInForm(FlaskForm):
    email = StringField(
        _l("E-mail"), validators=[InputRequired(_l("Please write your e-mail.")), Length(max=254)]
    )
    password = PasswordField(
        _l("Password"), validators=[InputRequired(_l("Please write your password.")), Length(max=LONGEST)]
    )
    next = HiddenField()


class ConfirmForm(FlaskForm):
    password = PasswordField(
        _l("Password"), validators=[InputRequired(_l("Please write your password.")), Length(max=LONGEST)]
    )
    next = HiddenField()


class FirstPasswordForm(FlaskForm):
    password = PasswordField(
        _l("New password"),
        validators=[InputRequired(_l("Please write a password.")), Length(max=LONGEST)],
    )
