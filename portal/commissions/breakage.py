"""What people lost in a run, by rule: written down with the run, and read back for pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.gathering import Gathered
from portal.engine import Result
from portal.engine.breakage import Losses, losses, summed_up
from portal.models import Consultant, Cycle, Loss, Person, Run
from portal.store.copying import Value

MOST_SHOWN = 20


def loss_columns(run: Run, gathered: Gathered, result: Result) -> dict[str, Value]:
    """A row for each consultant and rule that took something; keeps the sums with the run.

    Where the legs of those who may not match are held, nothing is lost for good: the sums alone tell of it.
    """
    found = losses(result)
    told = summed_up(found)
    run.breakage = told | {"most": _most(found, gathered)}
    kept = {"unqualified", "inactive"} if told["held"] else set()
    parts = [
        (np.full(len(rows), rule.encode()), gathered.consultants[rows], *(column[rows] for column in loss))
        for rule, loss in found.by_rule.items()
        if rule not in kept
        for rows in [_touched(*loss)]
    ]
    nothing = (np.zeros(0, "S1"), *[np.zeros(0, np.int64)] * 4)
    rules, consultants, left, right, cents = (
        np.concatenate(column) for column in zip(nothing, *parts, strict=True)
    )
    return {
        "run_id": run.id,
        "consultant_id": consultants,
        "rule": rules,
        "volume_left": left,
        "volume_right": right,
        "cents": cents,
    }


def _most(found: Losses, gathered: Gathered) -> dict[str, list[list[int]]]:
    """Those who lost most by each rule: consultant, volume left and right, cents."""
    most = {}
    for rule, loss in found.by_rule.items():
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
    """What was lost in one closed cycle: cents and volumes by rule, both legs together."""

    name: str
    earned: int
    paid: int
    lost: dict[str, int]
    expired: dict[str, int]

    @property
    def lost_in_all(self) -> int:
        return sum(self.lost.values())

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
    """What one rule took from one consultant in a closed cycle."""

    cycle: str
    rule: str
    left: int
    right: int
    cents: int


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
    return Broken(name, money["earned"], money["paid"], money["lost"], expired)


def losers(session: Session, told: dict[str, Any]) -> dict[str, list[Loser]]:
    """Who lost most, by rule."""
    rows = told.get("most", {})
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
    """What closed cycles took from one consultant, the newest first."""
    rows = session.execute(
        select(Cycle.name, Loss.rule, Loss.left, Loss.right, Loss.cents)
        .join(Cycle, Cycle.close_run_id == Loss.run_id)
        .where(Loss.consultant_id == consultant_id, Cycle.closed_at.is_not(None))
        .order_by(Cycle.starts_at.desc(), Loss.rule)
        .limit(200)
    )
    return [OwnLoss(*row) for row in rows]
