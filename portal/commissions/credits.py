"""What a run owes whom, for each kind, and until when it is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from portal.commissions.gathering import ROOM, Gathered, places
from portal.engine import KINDS, Result
from portal.models import CommissionLine, Contract, Cycle, Sale, TermsVersion
from portal.store.columns import read_columns

Ints = NDArray[np.int64]

HOLD_DAYS = 14


@dataclass(frozen=True)
class Credits:
    """The sums of the lines of a run by consultant and kind, in their order; amounts in cents, not 0.

    `kinds` are indices of the engine's KINDS. Amounts below 0: more was reversed than earned.
    """

    consultants: Ints
    kinds: Ints
    amounts: Ints

    def equals(self, other: Credits) -> bool:
        """Whether both say the same of the same consultants."""
        mine, theirs = (
            (self.consultants, self.kinds, self.amounts),
            (other.consultants, other.kinds, other.amounts),
        )
        return all(np.array_equal(one, two) for one, two in zip(mine, theirs, strict=True))

    def where(self, chosen: NDArray[np.bool_]) -> Credits:
        """The chosen rows."""
        return Credits(self.consultants[chosen], self.kinds[chosen], self.amounts[chosen])


def credits_of(session: Session, run_id: int) -> Credits:
    """What is to be credited, and what is to be taken back: the stored lines added up."""
    kind = case({name: index for index, name in enumerate(KINDS)}, value=CommissionLine.kind)
    lines = select(CommissionLine.consultant_id * len(KINDS) + kind, CommissionLine.amount_cents).where(
        CommissionLine.run_id == run_id
    )
    # Added up here: so many groups take the database longer than to hand over the lines.
    owed, sums = added_up(*read_columns(session, lines, width=2))
    consultant, kinds = np.divmod(owed, len(KINDS))
    return Credits(consultant, kinds, sums)


def added_up(whose: Ints, amounts: Ints) -> tuple[Ints, Ints]:
    """The sum of the amounts of each of `whose`, sorted by these, without those that come to 0.

    Numbers that lie close together, as ids do, need not be sorted for it.
    """
    if not len(whose):
        return whose, amounts
    first, last = int(whose.min()), int(whose.max())
    if last - first < ROOM * len(whose):
        sums = np.zeros(last - first + 1, np.int64)
        np.add.at(sums, whose - first, amounts)
        at = np.nonzero(sums)[0]
        return at + first, sums[at]
    owed, at = np.unique(whose, return_inverse=True)
    sums = np.zeros(len(owed), np.int64)
    np.add.at(sums, at, amounts)
    return owed[sums != 0], sums[sums != 0]


def credits_in(result: Result, consultants: Ints) -> Credits:
    """The same from what the engine found, before anything of it is stored."""
    lines = result.lines
    sums = np.zeros(len(consultants) * len(KINDS), np.int64)
    np.add.at(sums, lines.member.astype(np.int64) * len(KINDS) + lines.kind, lines.amount.astype(np.int64))
    owed = np.nonzero(sums)[0]
    member, kind = np.divmod(owed, len(KINDS))
    return Credits(consultants[member], kind, sums[owed])


def due_days(session: Session, cycle: Cycle, *, zone: ZoneInfo, inputs: Gathered) -> NDArray[np.datetime64]:
    """The day on which credits of this cycle become available, for each consultant of the inputs.

    Fourteen days after the cycle, or the day after the last one on which a customer behind the credits may
    call the contract off, whichever is later.
    """
    standard = cycle.until.astimezone(zone).date() + timedelta(days=HOLD_DAYS)
    days = np.zeros(len(inputs.consultants), np.int64)
    for free_on, seller in _late_cooling_off(session, cycle, standard):
        later = np.int64((free_on - standard).days)
        behind = _earns_from(inputs, seller)
        days[behind] = np.maximum(days[behind], later)
    return np.datetime64(standard, "D") + days.astype("timedelta64[D]")


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
    """Who can earn from a seller's sale: the seller, every sponsor upward, everybody above in the tree."""
    network = inputs.inputs.network
    seller = int(places(inputs.consultants, np.array([consultant_id]))[0])
    seat = network.seat[seller]
    above = np.nonzero((network.lo < seat) & (seat < network.hi))[0]
    sponsors = [seller]
    while (sponsor := int(network.sponsor[sponsors[-1]])) >= 0:
        sponsors.append(sponsor)
    return np.unique(np.concatenate([above, np.array(sponsors)]))
