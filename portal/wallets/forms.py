"""Forms of the wallet; limits and balances are checked by the service."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, StringField
from wtforms.validators import Length, Regexp, ValidationError

from portal.models import Destination
from portal.payouts.payees.destinations import BankDetails
from portal.payouts.payees.tax_forms import W9
from portal.ui.fields import MoneyField, RefusingForm, chosen_from


class AmountForm(RefusingForm):
    """How much, and to which of one's destinations (by its public id); the first step."""

    amount = MoneyField(_l("Amount"))
    method = RadioField(_l("How"), choices=[], validate_choice=False)

    def offer(self, places: Sequence[Destination]) -> None:
        """Show these destinations; the first one that can be paid is chosen where nothing is."""
        self.method.choices = chosen_from({place.public_id: place.called for place in places})
        known = {place.public_id for place in places}
        if self.method.data not in known and places:
            self.method.data = next((place for place in places if place.ready), places[0]).public_id

    def validate_amount(self, field: MoneyField) -> None:
        if field.data is None and not field.process_errors:
            raise ValidationError(_("Please write an amount like 1,234.50."))


class CheckForm(AmountForm):
    """The check page: amount and destination once more, and a key that can be used once."""

    method = HiddenField()
    # The shape of `new_id`: the company's own withdrawals have other keys, which nobody can write here.
    key = HiddenField(validators=[Regexp("[a-z2-7]{20}$")])

    def offer(self, places: Sequence[Destination]) -> None:
        """The destination is chosen already."""


class BankForm(RefusingForm):
    """A bank account in the United States."""

    holder = StringField(_l("Account holder"), validators=[Length(max=100)])
    type = RadioField(
        _l("Kind of account"), choices=chosen_from({"checking": _l("Checking"), "savings": _l("Savings")})
    )
    routing = StringField(_l("Routing number"), validators=[Length(max=20)])
    account = StringField(_l("Account number"), validators=[Length(max=30)])

    def details(self) -> BankDetails:
        """What was written."""
        written = (self.holder, self.routing, self.account)
        holder, routing, account = (field.data or "" for field in written)
        return BankDetails(holder, routing, account, self.type.data or "")


class TaxForm(RefusingForm):
    """The parts of a W-9 that the company needs."""

    legal_name = StringField(_l("Name, as on your tax return"), validators=[Length(max=200)])
    classification = RadioField(
        _l("For tax you are"),
        choices=chosen_from(
            {
                "individual": _l("An individual or sole proprietor"),
                "llc": _l("A limited liability company"),
                "c_corporation": _l("A C corporation"),
                "s_corporation": _l("An S corporation"),
                "partnership": _l("A partnership"),
                "trust": _l("A trust or estate"),
            }
        ),
        default="individual",
    )
    kind = RadioField(
        _l("Your tax number is"),
        choices=chosen_from(
            {"ssn": _l("A social security number (or ITIN)"), "ein": _l("An employer number (EIN)")}
        ),
        default="ssn",
    )
    tax_number = StringField(_l("Tax number"), validators=[Length(max=20)])
    backup_withholding = BooleanField(_l("The tax office told me that I am subject to backup withholding."))
    certified = BooleanField(
        _l(
            "Under penalties of perjury I certify: this is my correct taxpayer number, I am a U.S. citizen"
            " or other U.S. person, and what I said about backup withholding is true."
        )
    )
    signed_name = StringField(_l("Sign by writing your name again"), validators=[Length(max=200)])

    def written(self) -> W9:
        """What was written."""
        texts = (self.legal_name, self.classification, self.kind, self.tax_number)
        legal_name, classification, kind, number = (field.data or "" for field in texts)
        return W9(
            legal_name=legal_name,
            classification=classification,
            kind=kind,
            tax_number=number,
            backup_withholding=bool(self.backup_withholding.data),
            certified=bool(self.certified.data),
            signed_name=self.signed_name.data or "",
        )
