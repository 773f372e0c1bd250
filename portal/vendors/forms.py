"""Forms of the vendors' pages; what they mean is checked by the service."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, IntegerField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.models import TermsVersion
from portal.ui.fields import MoneyField, RefusingForm, ShareField
from portal.ui.sales import FIELDS
from portal.vendors.form_fields import LevelsField, StatesField, TicksField, VolumeField
from portal.vendors.service import Offer
from portal.vendors.term_rules import MILESTONES, REQUIRABLE, RESIDUAL, WHOLE, Terms

NEEDED = InputRequired(_l("Please fill this in."))
_VOLUMES = ("volume_flat", "volume_per_unit")
_REVENUES = ("revenue_flat_cents", "revenue_per_unit_cents")
_SHARES = ("share_vendor", "share_company", "share_consultant")


class VendorForm(RefusingForm):
    name = StringField(_l("Name"), validators=[NEEDED, Length(max=200)])
    core = BooleanField(_l("Core vendor: every plan may sell it"))


class PriceForm(RefusingForm):
    """What customers pay when they order here."""

    price_cents = MoneyField(_l("For each order"))
    price_per_unit_cents = MoneyField(_l("For each unit"))


class NameForm(RefusingForm):
    """What a service is called; its code and its unit never change."""

    name = StringField(_l("Name"), validators=[NEEDED, Length(max=200)])
    summary = StringField(_l("In a sentence"), validators=[Length(max=500)])


class TermsForm(RefusingForm):
    """Every field of a version of terms; sums in percent, volumes and money as people write them."""

    valid_from = DateField(
        _l("For contracts signed from"), validators=[InputRequired(_l("Please choose a day."))]
    )
    confirm_past = BooleanField(_l("Yes, these terms begin in the past"))
    kind = RadioField(
        _l("How it is paid"),
        choices=[
            SelectChoice(value="milestone", label=_l("In milestones")),
            SelectChoice(value="one_off", label=_l("Once")),
            SelectChoice(value="recurring", label=_l("Each month")),
        ],
        default="milestone",
    )
    volume_flat = VolumeField(_l("Volume for each contract"), default=0)
    volume_per_unit = VolumeField(_l("Volume for each unit"), default=0)
    revenue_flat_cents = MoneyField(_l("Revenue for each contract"))
    revenue_per_unit_cents = MoneyField(_l("Revenue for each unit"))
    signed_share = ShareField(_l("When it is signed, %"))
    paid_share = ShareField(_l("When an order is paid here, %"))
    installed_share = ShareField(_l("When it is installed, %"))
    activated_share = ShareField(_l("When it is activated, %"), default=WHOLE)
    residual_volume_flat = VolumeField(_l("Volume each month for each contract"), default=0)
    residual_volume_per_unit = VolumeField(_l("Volume each month for each unit"), default=0)
    residual_revenue_flat_cents = MoneyField(_l("Revenue each month for each contract"))
    residual_revenue_per_unit_cents = MoneyField(_l("Revenue each month for each unit"))
    share_vendor = ShareField(_l("The vendor keeps, %"))
    share_company = ShareField(_l("The company keeps, %"))
    share_consultant = ShareField(_l("The consultant gets, %"))
    share_upline = LevelsField(_l("The upline gets, % by level"))
    packs = TicksField(_l("Plans that may sell it"))
    states = StatesField(_l("States where it is sold"))
    licence_kind = StringField(_l("Licence needed"), validators=[Length(max=64)])
    licence_states = StatesField(_l("States that ask for it"))
    required_fields = TicksField(
        _l("What an event must tell"),
        choices=[SelectChoice(value=name, label=FIELDS[name]) for name in REQUIRABLE],
    )
    cooling_off_days = IntegerField(
        _l("Days of cooling-off"),
        default=14,
        validators=[InputRequired(_l("Please write a number of days."))],
    )

    def terms(self) -> Terms:
        """What was written; only for a form that validates."""
        plain = {name: self[name].data or 0 for name in (*_VOLUMES, *_REVENUES, *RESIDUAL)}
        return Terms(
            valid_from=self.valid_from.data,
            cooling_off_days=self.cooling_off_days.data,
            kind=self.kind.data or "milestone",
            milestones=self._milestones(),
            shares=self._shares(),
            packs=list(self.packs.data or []),
            states=self.states.data,
            licence_kind=(self.licence_kind.data or "").strip() or None,
            licence_states=self.licence_states.data,
            required_fields=list(self.required_fields.data or []),
            **plain,
        )

    def needs_confirmation(self, *, today: date) -> bool:
        """Whether the terms begin in the past and nobody said that this is meant; says so at the field."""
        day = self.valid_from.data
        if day is None or day >= today or self.confirm_past.data:
            return False
        said = _(
            "This day is over. Contracts signed since then that are reported from now on get these terms."
        )
        self.confirm_past.errors = [said + " " + _("Please tick this if you mean it.")]
        return True

    def _milestones(self) -> dict[str, int]:
        shares = {name: self[f"{name}_share"].data or 0 for name in MILESTONES}
        if all(self[f"{name}_share"].data is None for name in MILESTONES):
            return {"activated": WHOLE}
        return {name: share for name, share in shares.items() if share}

    def _shares(self) -> dict[str, Any] | None:
        """None where nothing was written: then the pay plan decides."""
        if not self.share_upline.data and all(self[name].data is None for name in _SHARES):
            return None
        parts = {name.removeprefix("share_"): self[name].data or 0 for name in _SHARES}
        return {**parts, "upline": self.share_upline.data}


class ServiceForm(NameForm, TermsForm):
    """A new service with its first terms."""

    code = StringField(_l("Code"), validators=[NEEDED, Length(max=64)])
    unit = StringField(_l("Unit of its size"), validators=[NEEDED, Length(max=64)])

    def offer(self) -> Offer:
        return Offer(
            code=self.code.data or "",
            name=self.name.data or "",
            unit=self.unit.data or "",
            summary=self.summary.data or "",
        )


def values_of(terms: TermsVersion) -> dict[str, Any]:
    """What the form shows of terms that there are, to begin new ones with."""
    names = (*_VOLUMES, *RESIDUAL, "kind", "packs", "states", "licence_kind", "licence_states")
    values = {name: getattr(terms, name) for name in (*names, "required_fields", "cooling_off_days")}
    values |= {name: getattr(terms, name) or None for name in (*_REVENUES,)}
    values |= {f"{name}_share": terms.milestones.get(name) for name in MILESTONES}
    if terms.shares is not None:
        values |= {f"share_{name}": share for name, share in terms.shares.items()}
    return values
