"""What a run owes whom, for each kind, and until when it is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.commissions.gathering import Gathered, places
from portal.kernel.money import Cents
from portal.models import CommissionLine, Contract, Cycle, Sale, TermsVersion

HOLD_DAYS = 14


@dataclass(frozen=True)
class Credit:
    """The sum of a consultant's lines of one kind, in cents; below 0 when more was reversed than earned."""

    consultant_id: int
    kind: str
    amount: Cents


def credits_of(session: Session, run_id: int) -> tuple[list[Credit], list[Credit]]:
    """What is to be credited and what is to be taken back, in the order of consultant and kind."""
    sums = session.execute(
        select(CommissionLine.consultant_id, CommissionLine.kind, func.sum(CommissionLine.amount_cents))
        .where(CommissionLine.run_id == run_id)
        .group_by(CommissionLine.consultant_id, CommissionLine.kind)
        .order_by(CommissionLine.consultant_id, CommissionLine.kind)
    )
    credits = [Credit(consultant_id, kind, Cents(int(amount))) for consultant_id, kind, amount in sums]
    return [credit for credit in credits if credit.amount > 0], [
        credit for credit in credits if credit.amount < 0
    ]


def due_days(session: Session, cycle: Cycle, *, zone: ZoneInfo, inputs: Gathered) -> dict[int, date]:
    """The day on which each consultant's credits of this cycle become available.

    Fourteen days after the cycle, or the day after the last one on which a customer behind the credits may
    call the contract off, whichever is later.
    """
    standard = cycle.until.astimezone(zone).date() + timedelta(days=HOLD_DAYS)
    days = np.zeros(len(inputs.consultants), np.int64)
    for free_on, seller in _late_cooling_off(session, cycle, standard):
        later = np.int64((free_on - standard).days)
        behind = _earns_from(inputs, seller)
        days[behind] = np.maximum(days[behind], later)
    later_days = days.tolist()
    consultants = inputs.consultants.tolist()
    return {who: standard + timedelta(days=more) for who, more in zip(consultants, later_days, strict=True)}


def _late_cooling_off(session: Session, cycle: Cycle, standard: date) -> list[tuple[date, int]]:
    """What is held longer than the standard hold, as (first free day, seller).

    A contract from before the law's days were kept has the days of its terms alone.
    """
    longest = session.scalar(select(func.max(TermsVersion.cooling_off_days))) or 0
    rows = session.execute(
        select(
            Contract.signed_on,
            Contract.cooling_off_until,
            TermsVersion.cooling_off_days,
            Sale.consultant_id,
        )
        .join(Contract, Contract.id == Sale.contract_id)
        .join(TermsVersion, TermsVersion.id == Contract.terms_version_id)
        .where(
            Sale.cycle_id == cycle.id,
            or_(
                Contract.cooling_off_until >= standard,
                Contract.cooling_off_until.is_(None)
                & (Contract.signed_on >= standard - timedelta(days=longest)),
            ),
        )
        .distinct()
    )
    ends = [(until or signed_on + timedelta(days=days), seller) for signed_on, until, days, seller in rows]
    return [(last + timedelta(days=1), seller) for last, seller in ends if last >= standard]


def _earns_from(inputs: Gathered, consultant_id: int) -> NDArray[np.int64]:
    """Who can earn from a seller's sale: the seller, the sponsor, everybody above in the binary tree."""
    network = inputs.inputs.network
    seller = int(places(inputs.consultants, np.array([consultant_id]))[0])
    seat = network.seat[seller]
    above = np.nonzero((network.lo < seat) & (seat < network.hi))[0]
    sponsor = network.sponsor[seller : seller + 1]
    return np.unique(np.concatenate([above, sponsor[sponsor >= 0]]))
