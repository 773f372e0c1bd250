"""Forms of the ways to pay; what is allowed is checked by the service."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import Length, ValidationError

from portal.models import PayoutMethod
from portal.payouts.payees.methods import MethodTerms
from portal.payouts.payees.providers import HTTP_FIELDS, HTTP_STATES, WRITTEN
from portal.ui.fields import MoneyField, RefusingForm, chosen_from

AMOUNTS = (
    "minimum_cents",
    "maximum_cents",
    "daily_limit_cents",
    "run_limit_cents",
    "automatic_limit_cents",
    "fee_cents",
)


class MethodForm(RefusingForm):
    """The terms of a way to pay."""

    name = StringField(_l("Name"), validators=[Length(max=60)])
    enabled = BooleanField(_l("On offer to consultants"))
    countries = StringField(_l("Countries, as two letters"), validators=[Length(max=200)], default="US")
    minimum_cents = MoneyField(_l("Smallest amount"))
    maximum_cents = MoneyField(_l("Largest amount"))
    daily_limit_cents = MoneyField(_l("Most for one consultant in a day"))
    run_limit_cents = MoneyField(_l("Most in one run"))
    automatic_limit_cents = MoneyField(_l("Tried again by itself up to"))
    fee_cents = MoneyField(_l("Fee"))
    fee_share = StringField(_l("Fee, share of the amount in %"), validators=[Length(max=8)], default="0")

    def fill(self, method: PayoutMethod) -> None:
        """Show a method as it is."""
        self.name.data, self.enabled.data = method.name, method.enabled
        self.countries.data = ", ".join(method.countries)
        for name in AMOUNTS:
            self[name].data = getattr(method, name)
        self.fee_share.data = f"{method.fee_rate // 100}.{method.fee_rate % 100:02d}"

    def validate_fee_share(self, field: StringField) -> None:
        if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2})?", (field.data or "").strip()):
            raise ValidationError(_("Please write a share like 0.25."))

    def terms(self) -> MethodTerms:
        """What was written; an amount left empty is 0."""
        whole, _dot, rest = (self.fee_share.data or "0").strip().partition(".")
        countries = re.split(r"[\s,]+", (self.countries.data or "").strip().upper())
        return MethodTerms(
            name=(self.name.data or "").strip(),
            enabled=bool(self.enabled.data),
            countries=tuple(filter(None, countries)),
            fee_rate=int(whole) * 100 + int(rest.ljust(2, "0") or 0),
            **{name: int(self[name].data or 0) for name in AMOUNTS},
        )


class HttpMethodForm(MethodForm):
    """A provider that is called over HTTP: its address, and what it calls our fields."""

    code = StringField(_l("Code, small letters"), validators=[Length(max=31)])
    url = StringField(_l("Address for orders"), validators=[Length(max=500)])
    token = StringField(_l("Token"), validators=[Length(max=500)])
    account = StringField(_l("Our account's name there"), validators=[Length(max=200)])
    amount_in = SelectField(
        _l("Amounts are sent"),
        choices=chosen_from({"cents": _l("In cents, 1250"), "units": _l("As text, 12.50")}),
    )
    ref = StringField(_l("The answer's reference stands in"), default="id", validators=[Length(max=100)])
    status = StringField(_l("The answer's state stands in"), default="status", validators=[Length(max=100)])
    rows = StringField(_l("Rows of a list stand in"), default="data", validators=[Length(max=100)])
    created = StringField(_l("A row's moment stands in"), default="created", validators=[Length(max=100)])
    key_header = StringField(_l("Header of the key"), default="Idempotency-Key", validators=[Length(max=100)])
    keeps_keys = SelectField(
        _l("The same key twice"),
        choices=chosen_from({"no": _l("May pay twice"), "yes": _l("Pays once, that is promised")}),
        default="no",
    )
    state_sent = StringField(_l("It took the order"), default="accepted, pending, sent")
    state_paid = StringField(_l("It was paid"), default="paid")
    state_returned = StringField(_l("It came back"), default="returned")
    state_rejected = StringField(
        _l("It will never be paid"), default="rejected, failed, declined, cancelled, canceled"
    )
    lookup_url = StringField(_l("Address to look an order up"), validators=[Length(max=500)])
    list_url = StringField(_l("Address to list orders"), validators=[Length(max=500)])
    reverse_url = StringField(_l("Address to ask money back"), validators=[Length(max=500)])
    currencies = StringField(_l("Currencies it pays in"), default="USD", validators=[Length(max=100)])
    provider_minimum = MoneyField(_l("Smallest order it takes"))
    provider_maximum = MoneyField(_l("Largest order it takes"))
    field_reference = StringField(_l("Our reference"), default="reference", validators=[Length(max=100)])
    field_amount = StringField(_l("Amount"), default="amount", validators=[Length(max=100)])
    field_currency = StringField(_l("Currency"), default="currency", validators=[Length(max=100)])
    field_destination = StringField(_l("Account that is paid"), default="to.account")
    field_routing = StringField(_l("Its routing number"), default="to.routing")
    field_payee = StringField(_l("Name of who is paid"), default="to.name")
    field_account = StringField(_l("Our account"), validators=[Length(max=100)])
    field_generation = StringField(_l("Number of the try"), validators=[Length(max=100)])

    def fill_settings(self, settings: dict[str, Any]) -> None:
        """Show the settings as they are; the token is never shown."""
        for name in WRITTEN:
            if name != "token" and (name in settings or name not in DEFAULTED):
                self[name].data = settings.get(name, "")
        self.currencies.data = ", ".join(settings.get("currencies", ["USD"]))
        self.provider_minimum.data = settings.get("minimum_cents")
        self.provider_maximum.data = settings.get("maximum_cents")
        for name in HTTP_STATES:
            if settings.get("states"):
                self[f"state_{name}"].data = ", ".join(settings["states"].get(name, ()))
        for name in HTTP_FIELDS:
            self[f"field_{name}"].data = settings.get("fields", {}).get(name, "")

    def settings(self) -> dict[str, Any]:
        """What was written about the provider."""
        written: dict[str, Any] = {name: self[name].data or "" for name in WRITTEN}
        states = {name: self[f"state_{name}"].data or "" for name in HTTP_STATES}
        fields = {name: self[f"field_{name}"].data or "" for name in HTTP_FIELDS}
        limits = {
            "currencies": self.currencies.data or "",
            "minimum_cents": self.provider_minimum.data,
            "maximum_cents": self.provider_maximum.data,
        }
        return written | limits | {"states": states, "fields": fields}


class NachaMethodForm(MethodForm):
    """What stands in the head of a bank file."""

    bank_routing = StringField(_l("Routing number of our bank"), validators=[Length(max=12)])
    bank_name = StringField(_l("Name of our bank"), validators=[Length(max=23)])
    company_name = StringField(_l("Our name for the bank"), validators=[Length(max=16)])
    company_id = StringField(_l("Our company id at the bank"), validators=[Length(max=10)])
    description = StringField(
        _l("What stands on the statement"), default="PAYOUT", validators=[Length(max=10)]
    )

    def fill_settings(self, settings: dict[str, Any]) -> None:
        """Show the settings as they are."""
        for name in NACHA_NAMES:
            self[name].data = settings.get(name, "")

    def settings(self) -> dict[str, Any]:
        """What was written about the bank."""
        return {name: self[name].data or "" for name in NACHA_NAMES}


DEFAULTED = ("rows", "created", "key_header", "keeps_keys")
NACHA_NAMES = ("bank_routing", "bank_name", "company_name", "company_id", "description")
