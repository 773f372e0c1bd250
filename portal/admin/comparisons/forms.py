"""Forms of the comparison pages."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.admin import words
from portal.admin.comparisons import words as comparison_words
from portal.arrival.comparing.queries import Wanted
from portal.arrival.comparing.service import LONGEST_NOTE
from portal.ui.fields import RefusingForm
from portal.ui.filters import cycle_title


class CompareForm(RefusingForm):
    """A cycle that was computed here, and what the other system found for it."""

    cycle = SelectField(_l("Cycle"), choices=[], validators=[InputRequired(_l("Please choose a cycle."))])
    file = FileField(
        _l("Lines of the other system (CSV)"), validators=[FileRequired(_l("Please choose a file."))]
    )

    def offer(self, names: Sequence[str]) -> None:
        """The cycles to choose from, by name."""
        self.cycle.choices = [SelectChoice(name, cycle_title(name)) for name in names]


class SettleForm(RefusingForm):
    """What becomes of a difference."""

    note = StringField(_l("Note"), validators=[Length(max=LONGEST_NOTE)])


class DifferenceFilter(FlaskForm):
    """Which differences are shown; everything stays in the address."""

    reason = SelectField(_l("Reason"), choices=[], default="")
    kind = SelectField(_l("Kind"), choices=[], default="")
    state = SelectField(
        _l("State"),
        choices=[
            SelectChoice("", _l("Open or settled")),
            SelectChoice("open", _l("Open")),
            SelectChoice("settled", _l("Settled")),
        ],
        default="",
    )
    text = StringField(_l("Code, or name begins with"), validators=[Length(max=100)])

    class Meta:
        csrf = False

    def offer(self, *, reasons: Sequence[str], kinds: Sequence[str]) -> None:
        """The reasons and kinds that there are."""
        named = [SelectChoice(reason, comparison_words.REASONS[reason]) for reason in reasons]
        self.reason.choices = [SelectChoice("", _("Every reason")), *named]
        named = [SelectChoice(kind, words.KINDS.get(kind, kind)) for kind in kinds]
        self.kind.choices = [SelectChoice("", _("Every kind")), *named]

    def wanted(self) -> Wanted:
        """What was asked for."""
        return Wanted(
            kind=self.kind.data or "",
            reason=self.reason.data or "",
            state=self.state.data or "",
            text=self.text.data or "",
        )
