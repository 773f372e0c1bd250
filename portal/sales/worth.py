"""What one milestone of a contract is worth by the terms of the day it was signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.money import Cents, Volume, round_half_away
from portal.models import Service, TermsVersion
from portal.sales.refusals import NotYetKnown

WHOLE = 10_000
THOUSANDTHS = 1_000


@dataclass(frozen=True)
class Worth:
    """Volume in hundredths, revenue in cents."""

    volume: Volume
    revenue: Cents


def worth(terms: TermsVersion, *, size_thousandths: int, milestone: str) -> Worth | None:
    """The worth of one milestone; None where the terms pay nothing at it.

    Flat part plus part per unit times size, times the share of the milestone, rounded once at the end.
    """
    share = terms.milestones.get(milestone, 0)
    if not share:
        return None

    def part(flat: int, per_unit: int) -> int:
        whole = flat * THOUSANDTHS + per_unit * size_thousandths
        return round_half_away(whole * share, THOUSANDTHS * WHOLE)

    return Worth(
        volume=Volume(part(terms.volume_flat, terms.volume_per_unit)),
        revenue=Cents(part(terms.revenue_flat_cents, terms.revenue_per_unit_cents)),
    )


def is_paid_by_size(terms: TermsVersion) -> bool:
    """Whether a contract without a size would be worth less than it should be."""
    return terms.volume_per_unit > 0 or terms.revenue_per_unit_cents > 0


def terms_on(session: Session, *, service: Service, day: date) -> TermsVersion:
    """The terms of a service valid on a day; the earliest where it was signed before all.

    Raises `NotYetKnown` for a service without terms.
    """
    of_service = select(TermsVersion).where(TermsVersion.service_id == service.id)
    newest = of_service.where(TermsVersion.valid_from <= day).order_by(TermsVersion.valid_from.desc())
    earliest = of_service.order_by(TermsVersion.valid_from)
    found = session.scalars(newest.limit(1)).first() or session.scalars(earliest.limit(1)).first()
    if found is None:
        raise NotYetKnown(f"The service {service.code} has no terms yet.", field="contract.service")
    return found
