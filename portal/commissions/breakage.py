"""What people lost in a run and what is held back, by rule: written down with the run, read for pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.commissions.gathering import Gathered
from portal.engine import Result
from portal.engine.breakage import Loss as Taken
from portal.engine.breakage import losses, summed_up
from portal.models import Consultant, Cycle, Loss, Person, Run
from portal.store.copying import Value

MOST_SHOWN = 20


def loss_columns(run: Run, gathered: Gathered, result: Result) -> dict[str, Value]:
    """A row for each consultant and rule that took or held something; keeps the sums with the run."""
    found = losses(result)
    none = np.zeros(len(gathered.consultants), np.int64)
    held = {rule: Taken(none, none, cents) for rule, cents in found.held.items()}
    run.breakage = summed_up(found) | {
        "most": _most(found.by_rule, gathered),
        "most_held": _most(held, gathered),
    }
    parts = [
        (np.full(len(rows), rule.encode()), gathered.consultants[rows], *(column[rows] for column in columns))
        for rule, loss in found.by_rule.items()
        for columns in [(*loss, found.held.get(rule, none))]
        for rows in [_touched(*columns)]
    ]
    nothing = (np.zeros(0, "S1"), *[np.zeros(0, np.int64)] * 5)
    rules, consultants, left, right, cents, held_cents = (
        np.concatenate(column) for column in zip(nothing, *parts, strict=True)
    )
    return {
        "run_id": run.id,
        "consultant_id": consultants,
        "rule": rules,
        "volume_left": left,
        "volume_right": right,
        "cents": cents,
        "held_cents": held_cents,
    }


def _most(by_rule: dict[str, Taken], gathered: Gathered) -> dict[str, list[list[int]]]:
    """Those of whom each rule took most: consultant, volume left and right, cents."""
    most = {}
    for rule, loss in by_rule.items():
        order = np.lexsort((-(loss.left + loss.right), -loss.money))[:MOST_SHOWN]
        rows = [
            [int(column[at]) for column in (gathered.consultants, *loss)]
            for at in order
            if loss.money[at] or loss.left[at] or loss.right[at]
        ]
        if rows:
            most[rule] = rows
    return most


def _touched(*columns: Any) -> NDArray[np.int64]:
    rows: NDArray[np.int64] = np.nonzero(np.any([column != 0 for column in columns], axis=0))[0]
    return rows


@dataclass(frozen=True)
class Broken:
    """What was lost in one closed cycle, and held back at its end: cents and volumes by rule, both legs.

    What is held back is found again in the next cycle, so it is never added up over cycles.
    """

    name: str
    paid: int
    lost: dict[str, int]
    held: dict[str, int]
    expired: dict[str, int]

    @property
    def lost_in_all(self) -> int:
        return sum(self.lost.values())

    @property
    def held_in_all(self) -> int:
        return sum(self.held.values())

    @property
    def expired_in_all(self) -> int:
        return sum(self.expired.values())


@dataclass(frozen=True)
class Loser:
    """Somebody who lost much by one rule: volumes in hundredths, cents."""

    public_id: str
    name: str
    left: int
    right: int
    cents: int


@dataclass(frozen=True)
class OwnLoss:
    """What one rule took from one consultant in a closed cycle, and what it held back at its end."""

    cycle: str
    rule: str
    left: int
    right: int
    cents: int
    held: int


def broken_cycles(session: Session, *, most: int) -> list[Broken]:
    """The latest closed cycles whose run says what was lost, the oldest first."""
    rows = session.execute(
        select(Cycle.name, Run.breakage)
        .join(Run, Run.id == Cycle.close_run_id)
        .where(Cycle.closed_at.is_not(None), Run.breakage.is_not(None))
        .order_by(Cycle.starts_at.desc())
        .limit(most)
    )
    return [_broken(name, cast(dict[str, Any], told)) for name, told in rows if told][::-1]


def _broken(name: str, told: dict[str, Any]) -> Broken:
    legs, money = told["legs"], told["money"]
    rules = legs["left"]["lost"]
    expired = {rule: legs["left"]["lost"][rule] + legs["right"]["lost"][rule] for rule in rules}
    return Broken(name, money["paid"], money["lost"], money["held"], expired)


def losers(session: Session, rows: dict[str, list[list[int]]]) -> dict[str, list[Loser]]:
    """Who these are that a run names by rule, as those who lost most or of whom most is held back."""
    ids = {who for found in rows.values() for who, *_ in found}
    named = {
        row.id: row
        for row in session.execute(
            select(Consultant.id, Consultant.public_id, Person.name)
            .join(Person, Person.id == Consultant.person_id)
            .where(Consultant.id.in_(ids))
        )
    }
    return {
        rule: [Loser(named[who].public_id, named[who].name, *amounts) for who, *amounts in found]
        for rule, found in rows.items()
    }


def own_losses(session: Session, consultant_id: int) -> list[OwnLoss]:
    """What closed cycles took from one consultant for good, the newest first."""
    took = (Loss.cents != 0) | (Loss.left != 0) | (Loss.right != 0)
    rows = session.execute(_own(consultant_id).where(took).limit(200))
    return [OwnLoss(*row) for row in rows]


def own_held(session: Session, consultant_id: int) -> list[OwnLoss]:
    """What the latest closed cycle held back of one consultant, by rule."""
    latest = (
        select(Cycle.close_run_id)
        .where(Cycle.closed_at.is_not(None))
        .order_by(Cycle.starts_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(_own(consultant_id).where(Loss.run_id == latest, Loss.held_cents > 0))
    return [OwnLoss(*row) for row in rows]


def _own(consultant_id: int) -> Select[str, str, int, int, int, int]:
    return (
        select(Cycle.name, Loss.rule, Loss.left, Loss.right, Loss.cents, Loss.held_cents)
        .join(Cycle, Cycle.close_run_id == Loss.run_id)
        .where(Loss.consultant_id == consultant_id, Cycle.closed_at.is_not(None))
        .order_by(Cycle.starts_at.desc(), Loss.rule)
    )
