"""Reminders before a licence expires: 60, 30 and 7 days before and on the day, each once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from portal.compliance.licences import VERIFIED
from portal.models import Licence
from portal.store import UnitOfWork

STEPS: Final = (60, 30, 7, 0)
# How long after its end somebody is still told, where nobody looked on the day itself.
LATE_DAYS: Final = 7


@dataclass(frozen=True)
class Due:
    """A reminder that is to be sent: which licence, and which of the steps."""

    licence_id: int
    step: int


def take_next(uow: UnitOfWork, *, today: date) -> Due | None:
    """The next reminder that is due, which then counts as sent; None when there is none.

    A licence that is renewed already asks for none.
    """
    while licence := uow.session.scalar(
        select(Licence)
        .where(Licence.state == VERIFIED, or_(*_windows(today)))
        .order_by(Licence.expires_on, Licence.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ):
        step = min(step for step in STEPS if (licence.expires_on - today).days <= step)
        licence.reminded_days = step
        uow.session.flush()
        if not _is_renewed(uow, licence):
            return Due(licence.id, step)
    return None


def _windows(today: date) -> list[ColumnElement[bool]]:
    """For each step, the licences that are so near to their end and were not reminded of it yet."""
    windows = []
    for step, nearer in zip(STEPS, (*STEPS[1:], -LATE_DAYS - 1), strict=True):
        windows.append(
            and_(
                Licence.expires_on <= today + timedelta(days=step),
                Licence.expires_on > today + timedelta(days=nearer),
                or_(Licence.reminded_days.is_(None), Licence.reminded_days > step),
            )
        )
    return windows


def _is_renewed(uow: UnitOfWork, licence: Licence) -> bool:
    """Whether another verified licence goes on where this one ends."""
    other = aliased(Licence)
    follows = exists().where(
        other.consultant_id == licence.consultant_id,
        other.kind == licence.kind,
        other.region == licence.region,
        other.state == VERIFIED,
        other.valid_from <= licence.expires_on + timedelta(days=1),
        other.expires_on > licence.expires_on,
    )
    return uow.session.scalar(select(follows)) is True
