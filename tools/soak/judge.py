"""Was each payout paid exactly once? Reads the database and the played provider's record, nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from portal.ledger.audit import broken_invariants

PAID = ("sent", "paid")
OVER = (*PAID, "failed", "returned", "cancelled", "rejected")


def documents(file: Path, kind: str) -> list[dict[str, Any]]:
    """What the played provider wrote down, oldest first."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
    try:
        rows = connection.execute("SELECT body FROM document WHERE kind = ? ORDER BY serial", (kind,))
        return [json.loads(body) for (body,) in rows]
    finally:
        connection.close()


def carried_out(file: Path) -> dict[str, list[dict[str, Any]]]:
    """What was transferred and not reversed, by the name that we gave it."""
    found = defaultdict(list)
    for transfer in documents(file, "transfer"):
        if not transfer["reversed"]:
            found[str(transfer["transfer_group"])].append(transfer)
    return found


def judged(engine: Engine, file: Path) -> dict[str, Any]:
    """Counts of what became of the payouts; `faults` names each that is not as it must be."""
    transfers = carried_out(file)
    with Session(engine) as session:
        rows = session.execute(
            text("SELECT public_id, state, amount_cents - fee_cents - withheld_cents FROM withdrawal")
        ).all()
        broken = [f"{one.invariant}: {'; '.join(one.rows)}" for one in broken_invariants(session)]
    counts = {"paid_once": 0, "paid_twice": 0, "never_paid": 0, "back_and_paid": 0, "unresolved": 0}
    faults = list(broken)
    for public_id, state, cents in rows:
        there = transfers.get(f"po_{public_id}", [])
        verdict = _verdict(state, len(there))
        if verdict is not None:
            counts[verdict] += 1
        if verdict not in (None, "paid_once"):
            faults.append(f"po_{public_id} is {state} and was carried out {len(there)} times")
        faults += [
            f"po_{public_id}: {each['amount']} instead of {cents}"
            for each in there
            if each["amount"] != cents
        ]
    strangers = set(transfers) - {f"po_{public_id}" for public_id, _, _ in rows}
    faults += [f"{group} is not ours" for group in sorted(strangers)]
    return {"payouts": len(rows), **counts, "books_broken": len(broken), "faults": faults}


def _verdict(state: str, times: int) -> str | None:
    """What became of one; None for money that went back and was not paid, as it should be."""
    if times > 1:
        return "paid_twice"
    if state not in OVER:
        return "unresolved"
    if state in PAID:
        return "paid_once" if times else "never_paid"
    return "back_and_paid" if times else None
