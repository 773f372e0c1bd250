"""Balances that come along become opening entries in the books."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from portal.arrival.tables import Table
from portal.ledger import bulk
from portal.ledger.accounts import OPENING_BALANCE, AccountKey
from portal.ledger.bulk import Wallets
from portal.ledger.releases import Holds, new_release_table
from portal.models import Cycle, ImportedFiles
from portal.store import UnitOfWork

KIND: Final = b"opening balance"
_PURPOSES: Final = {"pending": "pending", "available": "available", "debt": "receivable"}


def open_balances(
    uow: UnitOfWork, balances: Table, *, ids: list[int], cycle: Cycle | None, made: ImportedFiles
) -> None:
    """Book one entry for each balance; what is pending waits for its day as part of the last cycle."""
    kinds, owners = np.array(balances["kind"]), np.array([ids[at] for at in balances["who"]], np.int64)
    amounts = np.array(balances["amount"], np.int64)
    keys = _keys(balances, made.sha256)
    for kind, purpose in _PURPOSES.items():
        rows = np.nonzero(kinds == kind)[0]
        wallets = Wallets(purpose, owners[rows])
        debit: AccountKey | Wallets = OPENING_BALANCE if kind != "debt" else wallets
        table = bulk.Table(
            keys=keys[rows].__getitem__,
            kinds=np.broadcast_to(np.array(KIND), len(rows)),
            debit=debit,
            credit=wallets if kind != "debt" else OPENING_BALANCE,
            amounts=amounts[rows],
            cause=("import", made.id),
            actor_id=made.made_by,
        )
        entry_ids = bulk.post_table(uow, table)
        if kind == "pending" and cycle is not None:
            days = np.array([balances["due_on"][at] for at in rows.tolist()], "datetime64[D]")
            new_release_table(uow, Holds(entry_ids, owners[rows], cycle.id, amounts[rows], days))


def _keys(balances: Table, sha256: str) -> NDArray[np.bytes_]:
    columns = zip(balances["code"], balances["kind"], balances["due_on"], strict=True)
    keys = [f"import:{sha256[:20]}:{code}:{kind}" + (f":{day}" if day else "") for code, kind, day in columns]
    return np.array([key.encode() for key in keys], "S")
