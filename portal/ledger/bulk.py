"""Many entries of one move each, as columns: the books of a whole cycle in a few statements.

The same entries as `book.post_many` writes, under the same guards; only nobody makes an object for each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, text

from portal.kernel.errors import Unbalanced
from portal.ledger import book
from portal.ledger.accounts import CURRENCY, AccountKey, behaviour
from portal.models import Account, Entry, Posting
from portal.store.columns import read_columns
from portal.store.copying import Told, Value, copy_rows, new_ids
from portal.store.unit_of_work import UnitOfWork

Ints = NDArray[np.int64]
Texts = NDArray[np.bytes_]

_OPEN = """
    INSERT INTO account (owner_type, owner_id, purpose, currency, normal, tracked, floor)
    SELECT 'consultant', owner, :purpose, :currency, :normal, :tracked, :floor FROM ({owners}) AS missing
     WHERE true
    ON CONFLICT DO NOTHING
"""
_GIVEN = {
    "postgresql": "SELECT unnest(CAST(:owners AS bigint[])) AS owner",
    "sqlite": "SELECT value AS owner FROM json_each(:owners)",
}


@dataclass(frozen=True)
class Wallets:
    """One account of each of many consultants: what for, and whose."""

    purpose: str
    owners: Ints


@dataclass(frozen=True)
class Table:
    """Entries of one move each; the columns are equally long.

    `amounts` in cents, above 0. `keys` gives those of some rows when these are written; each can be used
    once. `cause` is what made them, as (type, id). `reverses` names for each entry the one that it undoes.
    """

    keys: Callable[[slice], Texts]
    kinds: Texts
    debit: AccountKey | Wallets
    credit: AccountKey | Wallets
    amounts: Ints
    cause: tuple[str, int]
    reverses: Ints | None = None
    actor_id: int | None = None

    def __len__(self) -> int:
        return len(self.amounts)


def post_table(uow: UnitOfWork, table: Table, *, told: Told | None = None) -> Ints:
    """Write the entries of a table; their ids. `told` hears how many entries and postings are handed over.

    A key that is taken breaks the transaction (`IntegrityError`). Raises `Unbalanced` when an amount is not
    above 0.
    """
    if not len(table):
        return np.zeros(0, np.int64)
    if (table.amounts <= 0).any() or table.debit == table.credit:
        raise Unbalanced("Every move needs two accounts and an amount above 0.")
    debit_ids, credit_ids = _accounts(uow, table.debit, len(table)), _accounts(uow, table.credit, len(table))
    entry_ids = new_ids(uow.session, Entry, len(table))
    _write_entries(uow, table, entry_ids, told)
    postings: dict[str, Value] = {
        "entry_id": entry_ids,
        "debit_id": debit_ids,
        "credit_id": credit_ids,
        "currency": CURRENCY,
        "amount_cents": table.amounts,
    }
    count = len(table)
    copy_rows(uow.session, Posting, postings, count=count, told=told and (lambda done: told(count + done)))
    uow.session.expire_all()
    return entry_ids


def open_wallets(uow: UnitOfWork, wallets: Wallets) -> None:
    """Open the accounts that are missing, empty as every new one is."""
    if len(wallets.owners):
        _accounts(uow, wallets, len(wallets.owners))


def _write_entries(uow: UnitOfWork, table: Table, entry_ids: Ints, told: Told | None) -> None:
    now = uow.clock()
    today = now.date()
    cause_type, cause_id = table.cause
    columns: dict[str, Value] = {
        "id": entry_ids,
        "key": table.keys,
        "request_hash": lambda some: _fingerprints(table, some),
        "kind": table.kinds,
        "period_id": book.period(uow, today),
        "effective_on": today,
        "created_at": now,
        "cause_type": cause_type,
        "cause_id": cause_id,
        "actor_id": -1 if table.actor_id is None else table.actor_id,
    }
    if table.reverses is not None:
        columns["reverses_id"] = table.reverses
    copy_rows(uow.session, Entry, columns, count=len(table), told=told)


def _fingerprints(table: Table, some: slice) -> NDArray[np.void]:
    """What `Draft.fingerprint` gives for each of some entries, without making the draft."""
    debit, credit = _as_json(table.debit), _as_json(table.credit)
    whole = f'["%s", [{{"debit": {debit}, "credit": {credit}, "amount": %d}}], %s, null]'
    kinds = [kind.decode() for kind in table.kinds[some].tolist()]
    amounts = table.amounts[some].tolist()
    columns = [kinds, *_owners(table.debit, some), *_owners(table.credit, some), amounts]
    reverses = repeat("null") if table.reverses is None else table.reverses[some].tolist()
    rows = zip(*columns, reverses, strict=False)
    return np.frombuffer(b"".join(hashlib.sha256((whole % row).encode()).digest() for row in rows), "V32")


def _as_json(side: AccountKey | Wallets) -> str:
    if isinstance(side, AccountKey):
        return json.dumps({"owner_type": side.owner_type, "owner_id": side.owner_id, "purpose": side.purpose})
    return f'{{"owner_type": "consultant", "owner_id": %d, "purpose": "{side.purpose}"}}'


def _owners(side: AccountKey | Wallets, some: slice) -> list[list[int]]:
    return [side.owners[some].tolist()] if isinstance(side, Wallets) else []


def _accounts(uow: UnitOfWork, side: AccountKey | Wallets, count: int) -> Ints:
    """The account of each row; what is missing is opened."""
    if isinstance(side, AccountKey):
        return np.broadcast_to(np.int64(book.account_ids(uow, [side])[side]), count)
    owners = np.unique(side.owners)
    known, ids = _known(uow, side.purpose, owners)
    missing = np.setdiff1d(owners, known, assume_unique=True)
    if len(missing):
        book.ensure_currency(uow)
        _open(uow, side.purpose, missing)
        known, ids = _known(uow, side.purpose, owners)
    accounts: Ints = ids[np.searchsorted(known, side.owners)]
    return accounts


def _known(uow: UnitOfWork, purpose: str, owners: Ints) -> tuple[Ints, Ints]:
    """The accounts that there are between the first and the last owner: whose, and their ids."""
    first, last = int(owners[0]), int(owners[-1])
    statement = (
        select(Account.owner_id, Account.id)
        .where(
            Account.owner_type == "consultant",
            Account.owner_id.between(first, last),
            Account.purpose == purpose,
            Account.currency == CURRENCY,
        )
        .order_by(Account.owner_id)
    )
    whose, ids = read_columns(uow.session, statement, width=2)
    return whose, ids


def _open(uow: UnitOfWork, purpose: str, owners: Ints) -> None:
    rules = behaviour(AccountKey("consultant", 0, purpose))
    engine = uow.session.get_bind().dialect.name
    listed = json.dumps(owners.tolist())
    given = {
        "owners": f"{{{listed[1:-1]}}}" if engine == "postgresql" else listed,
        "purpose": purpose,
        "currency": CURRENCY,
        "normal": rules.normal,
        "tracked": rules.tracked,
        "floor": rules.floor,
    }
    uow.session.execute(text(_OPEN.format(owners=_GIVEN[engine])), given)
