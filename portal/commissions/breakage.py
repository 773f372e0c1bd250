"""What people lost in a run, by rule: written down with the run, and read back for pages."""

from __future__ import annotations

from typing import Any

import numpy as np

from portal.commissions.gathering import Gathered
from portal.engine import Result
from portal.engine.breakage import Losses, losses, summed_up
from portal.models import Run

MOST_SHOWN = 20


def loss_rows(run: Run, gathered: Gathered, result: Result) -> list[dict[str, Any]]:
    """A row for each consultant and rule that took something; keeps the sums with the run.

    Where the legs of those who may not match are held, nothing is lost for good: the sums alone tell of it.
    """
    found = losses(result)
    told = summed_up(found)
    run.breakage = told | {"most": _most(found, gathered)}
    kept = {"unqualified", "inactive"} if told["held"] else set()
    return [
        {
            "run_id": run.id,
            "consultant_id": int(gathered.consultants[member]),
            "rule": rule,
            "left": left,
            "right": right,
            "cents": cents,
        }
        for rule, loss in found.by_rule.items()
        if rule not in kept
        for member, left, right, cents in _touched(*loss)
    ]


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


def _touched(*columns: Any) -> list[tuple[int, ...]]:
    rows = np.nonzero(np.any(np.stack(columns) != 0, axis=0))[0]
    return list(zip(rows.tolist(), *(column[rows].tolist() for column in columns), strict=True))
