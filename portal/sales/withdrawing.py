"""Taking one fact back: what was said of a contract counts no more, as if it had never been said.

The fact stays, and so does the word that takes it back; the history reads both.
"""

from __future__ import annotations

import json
from datetime import datetime

from portal.kernel.vendor_events import WITHDRAWN, withdrawal_key
from portal.models import Contract, ContractFact
from portal.sales.refusals import NothingToDo, NotYetKnown
from portal.sales.settling import Settled, settle
from portal.store import UnitOfWork
from portal.store.insert import insert_or_skip
from portal.store.locks import lock_where


def withdraw(uow: UnitOfWork, *, vendor_id: int, body: bytes, inbox_id: int | None = None) -> Settled:
    """Take back the fact that a message names by its key, and bring the sales of its contract in line.

    It may come before the fact it speaks of. Raises `NothingToDo` where the fact was taken back before,
    `NotYetKnown` for a contract that is not here yet.
    """
    document = json.loads(body)
    ref, at = document["contract"]["ref"], datetime.fromisoformat(document["occurred_at"])
    contract = lock_where(uow, Contract, Contract.vendor_id == vendor_id, Contract.ref == ref)
    if contract is None:
        raise NotYetKnown(f"The contract {ref} is not known yet.", field="contract.ref")
    is_said = insert_or_skip(
        uow.session,
        ContractFact,
        unique=("key",),
        contract_id=contract.id,
        key=withdrawal_key(document["fact"]),
        type=WITHDRAWN,
        milestone="",
        occurred_at=at,
        inbox_id=inbox_id,
        recorded_at=uow.clock(),
    )
    if not is_said:
        raise NothingToDo(f"This was taken back from the contract {ref} before.")
    return settle(uow, contract, at=at)
