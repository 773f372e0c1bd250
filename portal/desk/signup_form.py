"""What a customer writes to sign up: two minutes on a phone."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, StringField, TelField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.kernel.errors import BadInput
from portal.kernel.ids import new_id
from portal.kernel.us import STATES, is_zip, state_of_zip
from portal.leads.consents import CONTACT, SIGNUP, Said
from portal.leads.signing_up import SignUp
from portal.models import TermsVersion
from portal.store import people
from portal.store.people import Contact
from portal.ui.fields import RefusingForm
from portal.ui.people import PersonPart, stripped
from portal.ui.sizes import SizeField

# The field of an event that a contract needs, and the field of this form that brings it.
NEEDED_BY = {"customer.phone": "phone", "customer.address": "address", "contract.size": "size"}


class SignUpForm(PersonPart, RefusingForm):
    """Who signs up, where they live, and what they agree to.

    `website` is for machines that fill in everything: people do not see it.
    """

    phone = TelField(_l("Phone"), filters=[stripped], validators=[Length(max=40)])
    zip = StringField(
        _l("ZIP code"), filters=[stripped], validators=[InputRequired(_l("Please write your ZIP code."))]
    )
    region = SelectField(_l("State"), validate_choice=False)
    address = StringField(_l("Street address"), filters=[stripped], validators=[Length(max=200)])
    size = SizeField(_l("Size"), validators=[Optional()])
    signup = BooleanField(
        _l("Agreement"), validators=[InputRequired(_l("To sign up, please agree to this."))]
    )
    contact = BooleanField(_l("Contact"))
    signup_text = HiddenField(validators=[Length(max=64)])
    contact_text = HiddenField(validators=[Length(max=64)])
    key = HiddenField(validators=[Length(min=20, max=20)])
    website = StringField(_l("Leave this empty"), validators=[Length(max=200)])

    def open(self) -> SignUpForm:
        """With the states to choose from, and a key for this one form."""
        rows = [("", _("From the ZIP code")), *STATES.items()]
        self.region.choices = [SelectChoice(value=code, label=name) for code, name in rows]
        self.key.data = self.key.data or new_id()
        return self

    def needs(self, terms: TermsVersion) -> list[str]:
        """The fields that the terms ask for beside those that everybody fills in."""
        return [field for path, field in NEEDED_BY.items() if path in terms.required_fields]

    def validate_zip(self, field: StringField) -> None:
        """A ZIP code as it is written on a letter."""
        if not is_zip(field.data or ""):
            raise ValidationError(_("Please write five digits, such as 80202."))

    def validate_region(self, field: SelectField) -> None:
        """A state of the list; the ZIP code says which where none was chosen."""
        if field.data and field.data not in STATES:
            raise ValidationError(_("Please choose one of the states."))
        if not field.data and is_zip(self.zip.data or "") and state_of_zip(self.zip.data) is None:
            raise ValidationError(_("Please choose your state: this ZIP code lies in none."))

    def validate_phone(self, field: TelField) -> None:
        """A number that can be called."""
        try:
            people.phone_number(field.data or "")
        except BadInput as refusal:
            raise ValidationError(refusal.message) from refusal

    def misses(self, terms: TermsVersion) -> bool:
        """Whether something is empty that the terms ask for; the form says so at the field."""
        missing = [name for name in self.needs(terms) if not self[name].data]
        for name in missing:
            self[name].errors = [*self[name].errors, _("The vendor needs this.")]
        return bool(missing)

    def answers(self, *, service_id: int, consultant_id: int | None) -> SignUp:
        """What the form says."""
        region = self.region.data or state_of_zip(self.zip.data) or ""
        where = " ".join(part for part in (self.address.data, region, self.zip.data) if part)
        said = [Said(SIGNUP, self.signup_text.data or "")]
        said += [Said(CONTACT, self.contact_text.data or "")] if self.contact.data else []
        return SignUp(
            contact=Contact(self.name.data, self.email.data, self.phone.data or "", where, region),
            service_id=service_id,
            consultant_id=consultant_id,
            size_thousandths=self.size.data or 0,
            said=tuple(said),
            origin=f"signup-{self.key.data}",
        )
