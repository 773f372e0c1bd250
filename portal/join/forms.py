"""What people write when they join."""

from __future__ import annotations

from flask import current_app
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, RadioField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from portal.access.passwords import check_password
from portal.kernel.errors import BadInput
from portal.ui.people import PersonPart, stripped


class CodeForm(FlaskForm):
    code = StringField(
        _l("Code of your sponsor"),
        filters=[stripped],
        validators=[InputRequired(_l("Please write the code.")), Length(max=16)],
    )


class PlanForm(FlaskForm):
    pack = RadioField(_l("Your plan"), validators=[InputRequired(_l("Please choose one of the plans."))])


class PersonForm(PersonPart):
    """Who joins, and the password they choose."""

    password = PasswordField(
        _l("Choose a password"), validators=[InputRequired(_l("Please choose a password."))]
    )

    def validate_password(self, field: PasswordField) -> None:
        """A password that can be guessed from the other answers is refused."""
        company = current_app.config["SETTINGS"].company
        try:
            check_password(field.data, about=(self.name.data or "", self.email.data or "", company))
        except BadInput as refusal:
            raise ValidationError(refusal.message) from refusal


class AgreementForm(FlaskForm):
    agrees = BooleanField(
        _l("I have read the agreement and accept it."),
        validators=[InputRequired(_l("To join, please accept the agreement."))],
    )
    agreement = HiddenField(validators=[InputRequired(), Length(max=64)])
