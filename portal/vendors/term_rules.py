"""What terms can say, and what is refused: numbers, milestones, shares, and who may sell where."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from portal.commissions.plans.words import percent
from portal.kernel.errors import BadInput
from portal.models.vendor import TERMS_KINDS
from portal.sales.cooling_off import STATES

WHOLE: Final = 10_000
MOST_NUMBER: Final = 10**9
MOST_LEVELS: Final = 20
MILESTONES: Final = ("signed", "paid", "installed", "activated")
REQUIRABLE: Final = (
    "customer.name",
    "customer.email",
    "customer.phone",
    "customer.address",
    "customer.state",
    "customer.age",
    "contract.size",
    "contract.signed_on",
)
_WORTH: Final = ("volume_flat", "volume_per_unit", "revenue_flat_cents", "revenue_per_unit_cents")
RESIDUAL: Final = tuple(f"residual_{name}" for name in _WORTH)


@dataclass(frozen=True)
class Terms:
    """What a service is worth, as `TermsVersion` says: hundredths of volume, cents, ten-thousandths."""

    valid_from: date
    volume_flat: int = 0
    volume_per_unit: int = 0
    revenue_flat_cents: int = 0
    revenue_per_unit_cents: int = 0
    cooling_off_days: int = 14
    milestones: dict[str, int] = field(default_factory=lambda: {"activated": WHOLE})
    kind: str = "milestone"
    residual_volume_flat: int = 0
    residual_volume_per_unit: int = 0
    residual_revenue_flat_cents: int = 0
    residual_revenue_per_unit_cents: int = 0
    shares: dict[str, Any] | None = None
    packs: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    licence_kind: str | None = None
    licence_states: list[str] = field(default_factory=list)
    required_fields: list[str] = field(default_factory=list)


def check_terms(terms: Terms, *, packs: frozenset[str]) -> None:
    """Refuse terms that cannot be; `packs` are the codes there are. Raises `BadInput` with the field."""
    for name in (*_WORTH, *RESIDUAL):
        if not 0 <= getattr(terms, name) <= MOST_NUMBER:
            raise BadInput("This must be 0 or more, and not beyond ten million.", field=name)
    if not 0 <= terms.cooling_off_days <= 365:
        raise BadInput("The cooling-off is 0 to 365 days.", field="cooling_off_days")
    _check_kind(terms)
    if terms.shares is not None:
        _check_shares(terms.shares)
    _check_places(terms)
    _check_known(terms.packs, packs, field="packs", said="There is no plan {0}.")
    _check_known(terms.required_fields, REQUIRABLE, field="required_fields", said="No event has a field {0}.")


def _check_kind(terms: Terms) -> None:
    if terms.kind not in TERMS_KINDS:
        raise BadInput("Please choose one of these.", field="kind")
    last = f"{next(reversed(terms.milestones), 'activated')}_share"
    if sum(terms.milestones.values()) != WHOLE or not set(terms.milestones) <= set(MILESTONES):
        raise BadInput("The shares of the milestones must make 100% together.", field=last)
    if terms.kind == "one_off" and len(terms.milestones) != 1:
        raise BadInput("A one-off service is paid at one milestone: 100% at one, 0 elsewhere.", field=last)
    residual = [name for name in RESIDUAL if getattr(terms, name)]
    if residual and terms.kind != "recurring":
        raise BadInput("Only a recurring service pays for each month.", field=residual[0])
    if terms.kind == "recurring" and not residual:
        raise BadInput("A recurring service is worth something for each month.", field="residual_volume_flat")


def _check_shares(shares: Mapping[str, Any]) -> None:
    upline = list(shares.get("upline", ()))
    if len(upline) > MOST_LEVELS:
        raise BadInput(f"At most {MOST_LEVELS} levels can share.", field="share_upline")
    parts = [shares.get(name, 0) for name in ("vendor", "company", "consultant")] + upline
    if any(part < 0 for part in parts):
        raise BadInput("A share is 0 or more.", field="share_upline")
    total = sum(parts)
    if total > WHOLE:
        raise BadInput(
            f"These shares make {percent(total)} together; no more than 100% can be divided.",
            field="share_vendor",
        )
    if total < WHOLE:
        raise BadInput(
            f"These shares make {percent(total)} together; {percent(WHOLE - total)} belongs to nobody yet.",
            field="share_company",
        )


def _check_places(terms: Terms) -> None:
    for name in ("states", "licence_states"):
        _check_known(getattr(terms, name), STATES, field=name, said="{0} is no state; two letters, like CA.")
    if terms.licence_states and not terms.licence_kind:
        raise BadInput("Please say which licence these states ask for.", field="licence_kind")
    if terms.licence_kind and not terms.licence_states:
        raise BadInput("Please say in which states this licence is needed.", field="licence_states")
    elsewhere = [state for state in terms.licence_states if terms.states and state not in terms.states]
    if elsewhere:
        raise BadInput(f"It is not sold in {elsewhere[0]}.", field="licence_states")


def _check_known(named: Sequence[str], known: Collection[str], *, field: str, said: str) -> None:
    for name in named:
        if name not in known:
            raise BadInput(said.format(name), field=field)
    if len(set(named)) != len(named):
        raise BadInput("Something is named twice.", field=field)
