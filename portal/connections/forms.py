"""What people write to connect a system."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.integrations import tokens
from portal.integrations.endpoints import KINDS
from portal.integrations.tokens import LIFETIMES, SCOPES, Wish
from portal.leads.forms import Wish as FormWish
from portal.ui.fields import RefusingForm, chosen_from
from portal.ui.people import stripped

SCOPE_WORDS = {
    tokens.MEMBERS: _l("Read your team"),
    tokens.LEADS: _l("Read leads"),
    tokens.ADD_LEADS: _l("Bring leads"),
    tokens.SALES: _l("Read sales"),
    tokens.EARNINGS: _l("Read earnings"),
}
COMPANY_SCOPE_WORDS = {
    tokens.MEMBERS: _l("Read all members"),
    tokens.LEADS: _l("Read all leads"),
    tokens.ADD_LEADS: _l("Bring leads, which are routed"),
    tokens.SALES: _l("Read all sales"),
    tokens.EARNINGS: _l("Read all earnings"),
}
TERM_WORDS = {
    "90": _l("90 days"),
    "30": _l("30 days"),
    "365": _l("One year"),
    "0": _l("Until it is revoked"),
}


KIND_WORDS = {
    "consultant.registered": _l("Somebody joined"),
    "customer.registered": _l("A customer was registered"),
    "lead.taken": _l("A lead came in"),
    "sale.recorded": _l("A sale was recorded"),
    "sale.reversed": _l("A sale was taken back"),
    "commission.credited": _l("Commission was credited"),
    "withdrawal.paid": _l("A withdrawal was paid"),
}
STATE_WORDS = {
    "new": (_l("waiting"), ""),
    "retry": (_l("tried again"), "sun"),
    "done": (_l("taken"), "ok"),
    "dead": (_l("given up"), "bad"),
}


class TicksField(SelectMultipleField):
    """Several of a few choices, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class TokenForm(RefusingForm):
    """A token: what it is for, what it may do, for how long."""

    name = StringField(
        _l("What it is for"),
        validators=[InputRequired(_l("Please say what the token is for.")), Length(max=100)],
    )
    scopes = TicksField(_l("What it may do"), choices=chosen_from(SCOPE_WORDS))
    days = SelectField(_l("How long it holds"), choices=chosen_from(TERM_WORDS))

    def wish(self) -> Wish:
        """The token as it is wanted."""
        return Wish(self.name.data or "", tuple(self.scopes.data or ()), int(self.days.data))


class WebhookForm(RefusingForm):
    """An address, and what it is told of."""

    url = StringField(
        _l("Address"), validators=[InputRequired(_l("Please write an address.")), Length(max=500)]
    )
    kinds = TicksField(_l("What it is told of"), choices=chosen_from(KIND_WORDS))


class FormForm(RefusingForm):
    """A form for a page elsewhere."""

    name = StringField(
        _l("What it is called"),
        filters=[stripped],
        validators=[InputRequired(_l("Please give the form a name.")), Length(max=100)],
    )
    service = SelectField(_l("What it is about"))
    ask_phone = BooleanField(_l("Ask for a phone number"))
    origins = TextAreaField(_l("Websites it stands on"), validators=[Length(max=2_500)])
    thanks_url = StringField(
        _l("Where people go afterwards"), filters=[stripped], validators=[Length(max=500)]
    )

    def offer(self, services: Mapping[str, str]) -> FormForm:
        """With the services to choose from, by id."""
        self.service.choices = chosen_from({"": _l("No service in particular"), **services})
        return self

    def wish(self) -> FormWish:
        """The form as it is wanted."""
        return FormWish(
            name=self.name.data or "",
            service_id=int(self.service.data) if self.service.data else None,
            origins=tuple((self.origins.data or "").replace(",", " ").split()),
            ask_phone=bool(self.ask_phone.data),
            thanks_url=self.thanks_url.data or "",
        )


assert set(SCOPE_WORDS) == set(COMPANY_SCOPE_WORDS) == set(SCOPES), "every scope has its words"
assert {int(days) for days in TERM_WORDS} == {0, *LIFETIMES}, "every term has its words"
assert set(KIND_WORDS) == set(KINDS), "every kind of message has its words"
