"""The form by which a consultant sends a licence in."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, FileField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.compliance import documents
from portal.compliance.documents import Document
from portal.compliance.licences import LONGEST_NUMBER, Wish, kinds
from portal.extensions import db
from portal.kernel.us import STATES
from portal.models import Licence
from portal.ui.fields import RefusingForm
from portal.ui.licences import kind_words
from portal.ui.people import stripped

DAY: Final = timedelta(days=1)


class LicenceForm(RefusingForm):
    """What it is for, who gave it, its number, from when until when, and the file that shows it."""

    kind = SelectField(_l("What it is for"), validators=[InputRequired(_l("Please choose what it is for."))])
    region = SelectField(_l("State"), validators=[InputRequired(_l("Please choose a state."))])
    number = StringField(
        _l("Number"),
        filters=[stripped],
        validators=[InputRequired(_l("Please write the number.")), Length(max=LONGEST_NUMBER)],
    )
    valid_from = DateField(_l("Valid from"), validators=[InputRequired(_l("Please choose a day."))])
    expires_on = DateField(_l("Last day"), validators=[InputRequired(_l("Please choose a day."))])
    document = FileField(_l("The licence as a file"))

    def offer(self) -> LicenceForm:
        """With the kinds that services ask for, and the states."""
        asked = [(kind, kind_words(kind)) for kind in kinds(db.session())]
        self.kind.choices = _choices(asked)
        self.region.choices = _choices(list(STATES.items()))
        return self

    def wish(self) -> Wish:
        """The licence as it was written down."""
        assert self.valid_from.data and self.expires_on.data, "both days are asked for"
        return Wish(
            self.kind.data,
            self.region.data,
            self.number.data or "",
            self.valid_from.data,
            self.expires_on.data,
        )

    def read(self) -> Document:
        """The file that was chosen. Raises `BadInput`."""
        chosen = self.document.data
        content = chosen.read(documents.LARGEST_BYTES + 1) if chosen else b""
        return documents.read_document(chosen.filename or "" if chosen else "", content)

    def ask_again(self) -> None:
        """Say that the file has to be chosen again: a browser never sends it a second time by itself."""
        if self.document.data and not self.document.errors:
            self.document.errors = [_("Please choose the file again.")]


def form_for(renews: Licence | None) -> LicenceForm:
    """An empty form, or one that goes on where a licence ends."""
    if renews is None:
        return LicenceForm(formdata=None).offer()
    return LicenceForm(
        formdata=None,
        kind=renews.kind,
        region=renews.region,
        number=renews.number,
        valid_from=renews.expires_on + DAY,
    ).offer()


def _choices(rows: list[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=label) for value, label in [("", _("Please choose")), *rows]]
