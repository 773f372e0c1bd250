"""What comes by a form: as people fill it in on a page, or as a page's script sends it."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field as FormField
from wtforms import StringField, TelField, TextAreaField
from wtforms.validators import Length, ValidationError
from wtforms.widgets import CheckboxInput

from portal.api import lead_bodies
from portal.api.lead_bodies import FIELDS, Field
from portal.gateways.vendor_schemas import TEXT_PATTERN
from portal.kernel.errors import BadInput
from portal.kernel.us import is_zip, state_of_zip
from portal.leads.consents import CONTACT, LONGEST_VERSION, PURPOSES, SIGNUP, Said
from portal.leads.forms import Sent
from portal.models import ConsentText
from portal.store import people
from portal.store.people import Contact
from portal.ui.fields import RefusingForm
from portal.ui.people import PersonPart, stripped


def _text(purpose: str, words: str) -> Field:
    wanted = "a version, a colon and the SHA-256 of the text that was shown"
    shape = rf"^.{{1,{LONGEST_VERSION}}}:[0-9a-f]{{64}}$"
    return Field(LONGEST_VERSION + 65, shape, wanted, f"{purpose}-1:{'0' * 64}", words)


SENT: Final = {
    **{name: FIELDS[name] for name in ("name", "email", "phone", "note")},
    "zip": Field(5, "^[0-9]{5}$", "five digits", "80202", "Says in which state they live."),
    CONTACT: _text(CONTACT, "The text they agreed to, as the form's HTML names it: that they are contacted."),
    SIGNUP: _text(SIGNUP, "The text that earlier copies of the HTML showed; it does in place of `contact`."),
    "website": Field(200, f"^$|{TEXT_PATTERN}", "empty", "", "Stays empty: only machines fill it in."),
}
NEEDED: Final = ("name",)
ONE_OF: Final = {"contact": ((CONTACT, SIGNUP), "the text they agreed to is needed"), **lead_bodies.ONE_OF}
SCHEMA: Final = lead_bodies.schema_of(SENT, needed=NEEDED, one_of=ONE_OF)


class AgreedField(FormField):
    """A box whose value names the text beside it; `data` is what was ticked."""

    widget = CheckboxInput()
    data: str
    offered = ""

    @property
    def checked(self) -> bool:
        return bool(self.data) and self.data == self.offered

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0] if valuelist else ""

    def _value(self) -> str:
        return self.offered


class EnquiryForm(PersonPart, RefusingForm):
    """Who is interested; there is no session behind it, so no token of the form either."""

    phone = TelField(_l("Phone"), filters=[stripped], validators=[Length(max=40)])
    zip = StringField(_l("ZIP code"), filters=[stripped])
    note = TextAreaField(_l("Your message"), validators=[Length(max=1_000)])
    contact = AgreedField(_l("Contact"))
    signup = AgreedField(_l("Agreement"))
    website = StringField(_l("Leave this empty"), validators=[Length(max=200)])

    def __init__(self, **more: Any) -> None:
        super().__init__(meta={"csrf": False}, **more)

    def validate_zip(self, field: StringField) -> None:
        """A ZIP code as it is written on a letter, or nothing."""
        if field.data and not is_zip(field.data):
            raise ValidationError(_("Please write five digits, such as 80202."))

    def validate_phone(self, field: TelField) -> None:
        """A number that can be called."""
        try:
            people.phone_number(field.data or "")
        except BadInput as refusal:
            raise ValidationError(refusal.message) from refusal

    def validate_contact(self, field: AgreedField) -> None:
        """They agree to be contacted; a page copied earlier asks for the other text."""
        if not (field.data or self.signup.data):
            raise ValidationError(_("To send this, please agree to be contacted."))

    def sent(self) -> Sent:
        """What the form says."""
        named = {name: str(self[name].data or "") for name in SENT}
        return as_sent({**named, "note": " ".join(named["note"].split())})


def sent_json() -> dict[str, str]:
    """The fields of the body; answers 413, 415 or 422 with every fault."""
    return lead_bodies.sent_fields(SENT, needed=NEEDED, one_of=ONE_OF)


def as_sent(fields: dict[str, str]) -> Sent:
    """The same from wherever it came; a text that is named in no way we know is no text."""
    named = {name: fields.get(name, "") for name in SENT}
    region = state_of_zip(named["zip"]) or ""
    return Sent(
        contact=Contact(named["name"], named["email"], named["phone"], region=region),
        said=tuple(_said(purpose, named[purpose]) for purpose in PURPOSES if named[purpose]),
        note=named["note"],
    )


def value_of(text: ConsentText) -> str:
    """How a form names a text."""
    return f"{text.version}:{text.sha256}"


def _said(purpose: str, value: str) -> Said:
    version, _colon, sha256 = value.rpartition(":")
    return Said(purpose, sha256, version or "?")
