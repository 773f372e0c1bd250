"""What is written on the pages of statements."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, HiddenField, RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.statements.settling import ASK, KEEP, LONGEST_NOTE, REVERSE, THEIRS
from portal.ui.fields import RefusingForm, chosen_from

CHOICES = {
    THEIRS: _l("Take the statement's word: book it as the vendor says"),
    REVERSE: _l("Take ours back: it counts no more, as if it had never been said"),
    KEEP: _l("Keep ours: the events are right"),
    ASK: _l("Ask the vendor: it stays open"),
}
# On the button of a list.
AT_ONCE = {THEIRS: _l("Book it as the vendor says"), REVERSE: _l("Take ours back")}
KINDS = {
    "missing": (_l("missing here"), "bad"),
    "extra": (_l("only here"), "sun"),
    "different": (_l("different"), "left"),
}
FIELDS = {
    "size": _l("Size"),
    "revenue": _l("Revenue"),
    "consultant": _l("Consultant"),
    "service": _l("Service"),
    "customer": _l("Customer"),
    "share": _l("Refunded share"),
    "day": _l("Day"),
}
# For many at once.
TOGETHER = {
    THEIRS: _l("Take the statement's word for what is missing here or different"),
    REVERSE: _l("Take ours back where it is only here"),
    KEEP: _l("Keep ours, with one reason for all"),
}
NAMED = "named"
THOSE_NAMED = _l("Those I tick below")
ALL_OF = {
    "missing": _l("All %(number)s that are missing here"),
    "extra": _l("All %(number)s that are only here"),
    "different": _l("All %(number)s that are different"),
}
SETTLED = {
    THEIRS: _l("The statement's word was taken"),
    REVERSE: _l("Ours was taken back"),
    KEEP: _l("Ours was kept"),
    "by_itself": _l("Gone by itself: the event came later"),
}
WAITS = _l("it waits for its turn")
SOURCES = {"api": _l("sent by the vendor's system"), "csv": _l("uploaded")}
COLUMNS = {
    "type": _l("What happened"),
    "contract_ref": _l("Contract"),
    "occurred_at": _l("When"),
    "customer_ref": _l("Customer"),
    "consultant_code": _l("Consultant's code"),
    "service_code": _l("Service"),
    "size_thousandths": _l("Size"),
    "revenue_cents": _l("Revenue, in dollars"),
    "period": _l("Month of a renewal"),
    "signed_on": _l("Signed on"),
    "sold_in": _l("State it was sold in"),
    "share": _l("Refunded share"),
}


class UploadForm(RefusingForm):
    """A file and the day it is about."""

    day = DateField(_l("The day it is about"), validators=[InputRequired(_l("Please choose a day."))])
    file = FileField(_l("CSV file"), validators=[FileRequired(_l("Please choose a file."))])


class SeveralForm(RefusingForm):
    """What should become of many differences of one statement."""

    which = RadioField(
        _l("Which differences?"), validators=[InputRequired(_l("Please choose which differences."))]
    )
    chosen = SelectMultipleField(_l("Differences"), validate_choice=False)
    choice = RadioField(
        _l("What should happen?"),
        choices=chosen_from(TOGETHER),
        validators=[InputRequired(_l("Please choose what should happen."))],
    )
    note = StringField(_l("Why"), validators=[Length(max=LONGEST_NOTE)])
    until = HiddenField()


class AnswerForm(RefusingForm):
    """What a vendor answers to a question."""

    answer = TextAreaField(_l("Your answer"))


class SettleForm(RefusingForm):
    """What should become of one difference."""

    choice = RadioField(
        _l("What should happen?"),
        choices=[SelectChoice(value=value, label=label) for value, label in CHOICES.items()],
        validators=[InputRequired(_l("Please choose what should happen."))],
    )
    note = StringField(_l("Why, or what to ask"), validators=[Length(max=LONGEST_NOTE)])
