"""Balances that come along become opening entries in the books."""

from __future__ import annotations

from itertools import islice

from portal.arrival.tables import Table
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import OPENING_BALANCE, available, pending, receivable
from portal.ledger.book import Draft, Move
from portal.ledger.releases import Hold, new_release_rows
from portal.models import Cycle
from portal.store import UnitOfWork

KIND = "opening balance"
_ENTRIES_AT_ONCE = 20_000


def open_balances(
    uow: UnitOfWork, balances: Table, *, ids: list[int], cycle: Cycle | None, sha256: str
) -> None:
    """Book one entry for each balance; what is pending waits for its day as part of the last cycle."""
    cycle_id = cycle.id if cycle else 0
    columns = ("who", "code", "kind", "amount", "due_on")
    rows = zip(*(balances[name] for name in columns), strict=True)
    while some := list(islice(rows, _ENTRIES_AT_ONCE)):
        drafts = []
        for at, code, kind, amount, due_on in some:
            key = f"import:{sha256[:20]}:{code}:{kind}" + (f":{due_on}" if due_on else "")
            drafts.append(Draft(key, KIND, [_move(ids[at], kind, Cents(amount))]))
        entries = book.post_many(uow, drafts)
        holds = [
            Hold(entry_id, ids[at], cycle_id, Cents(amount), due_on)
            for entry_id, (at, _, kind, amount, due_on) in zip(entries, some, strict=True)
            if kind == "pending"
        ]
        new_release_rows(uow, holds)


def _move(consultant_id: int, kind: str, amount: Cents) -> Move:
    if kind == "debt":
        return Move(receivable(consultant_id), OPENING_BALANCE, amount)
    target = pending(consultant_id) if kind == "pending" else available(consultant_id)
    return Move(OPENING_BALANCE, target, amount)
