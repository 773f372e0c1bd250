"""Forms of the vendors' pages; what they mean is checked by the service."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from portal.kernel.errors import DomainError
from portal.kernel.money import parse_money, parse_volume
from portal.ui.fields import MoneyField, RefusingForm
from portal.vendors.service import Offer, Terms

NEEDED = InputRequired(_l("Please fill this in."))


class VendorForm(RefusingForm):
    name = StringField(_l("Name"), validators=[NEEDED, Length(max=200)])
    core = BooleanField(_l("Core vendor: counts for every pack"))


class ServiceForm(RefusingForm):
    code = StringField(_l("Code"), validators=[NEEDED, Length(max=64)])
    name = StringField(_l("Name"), validators=[NEEDED, Length(max=200)])
    unit = StringField(_l("Unit of its size"), validators=[NEEDED, Length(max=64)])

    def offer(self) -> Offer:
        return Offer(code=self.code.data or "", name=self.name.data or "", unit=self.unit.data or "")


def _is_volume(_form: FlaskForm, field: Any) -> None:
    _read(parse_volume, field.data)


def _is_money(_form: FlaskForm, field: Any) -> None:
    _read(parse_money, field.data)


def _read(parse: Any, text: str | None) -> int:
    try:
        return int(parse(text or "0"))
    except DomainError as refusal:
        raise ValidationError(refusal.message) from refusal


class PriceForm(RefusingForm):
    """What customers pay when they order here."""

    price_cents = MoneyField(_l("For each order"))
    price_per_unit_cents = MoneyField(_l("For each unit"))


class TermsForm(RefusingForm):
    valid_from = DateField(
        _l("For contracts signed from"), validators=[InputRequired(_l("Please choose a day."))]
    )
    volume_flat = StringField(_l("Volume for each contract"), default="0", validators=[_is_volume])
    volume_per_unit = StringField(_l("Volume for each unit"), default="0", validators=[_is_volume])
    revenue_flat_cents = StringField(_l("Revenue for each contract"), default="0", validators=[_is_money])
    revenue_per_unit_cents = StringField(_l("Revenue for each unit"), default="0", validators=[_is_money])
    cooling_off_days = IntegerField(
        _l("Days of cooling-off"),
        default=14,
        validators=[InputRequired(_l("Please write a number of days."))],
    )

    paid_share = IntegerField(
        _l("Share at the payment, %"),
        default=0,
        validators=[NumberRange(min=0, max=100, message=_l("Please write 0 to 100."))],
    )

    def terms(self) -> Terms:
        """What was written; only for a form that validates."""
        paid = (self.paid_share.data or 0) * 100
        shares = {"paid": paid, "activated": 10_000 - paid}
        return Terms(
            milestones={name: share for name, share in shares.items() if share},
            valid_from=self.valid_from.data,
            volume_flat=_read(parse_volume, self.volume_flat.data),
            volume_per_unit=_read(parse_volume, self.volume_per_unit.data),
            revenue_flat_cents=_read(parse_money, self.revenue_flat_cents.data),
            revenue_per_unit_cents=_read(parse_money, self.revenue_per_unit_cents.data),
            cooling_off_days=self.cooling_off_days.data,
        )
