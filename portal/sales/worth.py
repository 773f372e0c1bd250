"""What one milestone of a contract is worth by the terms of the day it was signed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from portal.kernel.money import Cents, Volume, round_half_away
from portal.models import Service, TermsVersion
from portal.sales.history import month_of
from portal.sales.refusals import NotYetKnown

WHOLE = 10_000
RECURRING = "recurring"
THOUSANDTHS = 1_000
# A part of a whole: numerator and denominator.
Share: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Worth:
    """Volume in hundredths, revenue in cents."""

    volume: Volume
    revenue: Cents


NOTHING = Worth(Volume(0), Cents(0))


def worth(
    terms: TermsVersion, *, size_thousandths: int, milestone: str, shares: Sequence[Share] = ()
) -> Worth | None:
    """The worth of one milestone; None where the terms pay nothing at it.

    Flat part plus part per unit times size, times the share of the milestone and the further `shares` of it
    that count, rounded once at the end. A renewed month (`renewed-2026-11`) is worth the residual parts of
    recurring terms, whole.
    """
    share, volumes, revenues = _paid_at(terms, milestone)
    if not share:
        return None
    over, under = _product(((share, THOUSANDTHS * WHOLE), *shares))

    def part(flat: int, per_unit: int) -> int:
        return round_half_away((flat * THOUSANDTHS + per_unit * size_thousandths) * over, under)

    return Worth(volume=Volume(part(*volumes)), revenue=Cents(part(*revenues)))


def is_paid_by_size(terms: TermsVersion, milestone: str) -> bool:
    """Whether this milestone of a contract without a size would be worth less than it should be."""
    share, (_flat, volume), (_flat_cents, revenue) = _paid_at(terms, milestone)
    return share > 0 and (volume > 0 or revenue > 0)


def part_of(value: Worth, share: Share) -> Worth:
    """So much of a worth, rounded."""
    over, under = share
    return Worth(
        volume=Volume(round_half_away(value.volume * over, under)),
        revenue=Cents(round_half_away(value.revenue * over, under)),
    )


def _product(shares: Iterable[Share]) -> Share:
    over, under = 1, 1
    for numerator, denominator in shares:
        over, under = over * numerator, under * denominator
    return over, under


def _paid_at(terms: TermsVersion, milestone: str) -> tuple[int, tuple[int, int], tuple[int, int]]:
    """Which share falls due at a milestone, and of which parts: flat and per unit, of volume and revenue."""
    if month_of(milestone):
        volumes = terms.residual_volume_flat, terms.residual_volume_per_unit
        revenues = terms.residual_revenue_flat_cents, terms.residual_revenue_per_unit_cents
        return (WHOLE if terms.kind == RECURRING else 0), volumes, revenues
    volumes = terms.volume_flat, terms.volume_per_unit
    revenues = terms.revenue_flat_cents, terms.revenue_per_unit_cents
    return terms.milestones.get(milestone, 0), volumes, revenues


def terms_on(session: Session, *, service: Service, day: date) -> TermsVersion:
    """The terms of a service valid on a day. Raises `NotYetKnown` for a service without terms."""
    of_service = select(TermsVersion).join(Service, valid_on(day)).where(Service.id == service.id)
    found = session.scalar(of_service)
    if found is None:
        raise without_terms(service)
    return found


def valid_on(day: date) -> ColumnElement[bool]:
    """What joins `Service` to its terms valid on a day; the earliest where it was signed before all."""
    version = aliased(TermsVersion)
    mine = version.service_id == Service.id
    newest = select(func.max(version.valid_from)).where(mine, version.valid_from <= day)
    earliest = select(func.min(version.valid_from)).where(mine)
    begins = (each.correlate(Service).scalar_subquery() for each in (newest, earliest))
    return and_(TermsVersion.service_id == Service.id, TermsVersion.valid_from == func.coalesce(*begins))


def without_terms(service: Service) -> NotYetKnown:
    """The refusal for a service that has none."""
    return NotYetKnown(f"The service {service.code} has no terms yet.", field="contract.service")
