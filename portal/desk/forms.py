"""What a consultant writes on the lead desk."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, EmailField, FileField, SelectField, StringField, TelField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.us import STATES
from portal.leads import selling
from portal.leads.steps import LONGEST_NOTE
from portal.leads.working import LONGEST_REASON, LONGEST_TITLE
from portal.store.people import Contact
from portal.ui.fields import RefusingForm
from portal.ui.people import stripped


class LeadForm(RefusingForm):
    """A new lead: three fields."""

    name = StringField(
        _l("Name"),
        filters=[stripped],
        validators=[InputRequired(_l("Please write a name.")), Length(max=100)],
    )
    phone = TelField(_l("Phone"), filters=[stripped], validators=[Length(max=40)])
    email = EmailField(_l("E-mail"), filters=[stripped], validators=[Length(max=254)])

    def contact(self) -> Contact:
        """Who it is."""
        return Contact(self.name.data or "", self.email.data or "", self.phone.data or "")


class DetailsForm(LeadForm):
    """Everything about a lead that can be corrected."""

    address = StringField(_l("Address"), filters=[stripped], validators=[Length(max=200)])
    region = SelectField(_l("State"))
    service = SelectField(_l("Interested in"))

    def offer(self) -> DetailsForm:
        """With the states and the services to choose from."""
        services = selling.offered_services(db.session(), day=utc_now().date())
        named = [(str(one.id), f"{one.name}, {one.vendor.name}") for one, _terms in services]
        self.region.choices = _choices(_("Not known"), list(STATES.items()))
        self.service.choices = _choices(_("Not known yet"), named)
        return self

    def contact(self) -> Contact:
        """Who it is and where they live."""
        who = super().contact()
        return Contact(who.name, who.email, who.phone, self.address.data or "", self.region.data or "")


class NoteForm(RefusingForm):
    text = TextAreaField(
        _l("Note"), validators=[InputRequired(_l("Please write a note.")), Length(max=LONGEST_NOTE)]
    )


class TaskForm(RefusingForm):
    title = StringField(
        _l("What is to be done"),
        filters=[stripped],
        validators=[InputRequired(_l("Please say what is to be done.")), Length(max=LONGEST_TITLE)],
    )
    due_on = DateField(_l("By"), validators=[InputRequired(_l("Please choose a day."))])


class LostForm(RefusingForm):
    reason = StringField(
        _l("Why"),
        filters=[stripped],
        validators=[InputRequired(_l("Please say why.")), Length(max=LONGEST_REASON)],
    )


class StopForm(RefusingForm):
    said = StringField(_l("What did they say"), filters=[stripped], validators=[Length(max=200)])


class ImportForm(RefusingForm):
    file = FileField(_l("CSV file"), validators=[Optional()])


def _choices(nothing: str, rows: list[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=label) for value, label in [("", nothing), *rows]]
