"""Reads for the pages that say why: a line of one's own, and what its source is called inside a run."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.models import CommissionLine, Cycle


@dataclass(frozen=True)
class OwnLine:
    """A line of a closed week, and the week's name."""

    line: CommissionLine
    week: str


def own_line(session: Session, consultant_id: int, line_id: int) -> OwnLine:
    """A line of one's own in a closed week. Raises `NotYours` for every other."""
    found = session.execute(
        select(CommissionLine, Cycle.name)
        .join(Cycle, Cycle.close_run_id == CommissionLine.run_id)
        .where(
            CommissionLine.id == line_id,
            CommissionLine.consultant_id == consultant_id,
            Cycle.state.in_(("closed", "paid")),
        )
    ).one_or_none()
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return OwnLine(*found)
