"""What people lost in a run, by rule: written down with the run, and read back for pages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from portal.commissions.gathering import Gathered
from portal.engine import Result
from portal.engine.breakage import Losses, losses, summed_up
from portal.models import Run
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
