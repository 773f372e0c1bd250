"""Many entries of one move each, as columns: the books of a whole cycle in a few statements.

The same entries as `book.post_many` writes, under the same guards; only nobody makes an object for each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import TextClause, text

from portal.kernel.errors import Unbalanced
from portal.ledger import book
from portal.ledger.accounts import CURRENCY, AccountKey, behaviour
from portal.models import Entry, Posting
from portal.store.copying import Value, copy_rows, new_ids
from portal.store.unit_of_work import UnitOfWork

Ints = NDArray[np.int64]
Texts = NDArray[np.bytes_]

_OPEN = """
    INSERT INTO account (owner_type, owner_id, purpose, currency, normal, tracked, floor)
    SELECT 'consultant', owner, :purpose, :currency, :normal, :tracked, :floor FROM ({owners}) AS missing
     WHERE true
    ON CONFLICT DO NOTHING
"""
_KNOWN = """
    SELECT owner_id, id FROM account
     WHERE owner_type = 'consultant' AND purpose = :purpose AND currency = :currency
       AND owner_id {among}
     ORDER BY owner_id
"""


@dataclass(frozen=True)
class Wallets:
    """One account of each of many consultants: what for, and whose."""

    purpose: str
    owners: Ints


@dataclass(frozen=True)
class Table:
    """Entries of one move each; the columns are equally long.

    `amounts` in cents, above 0. `keys` can be used once each. `cause` is what made them, as (type, id).
    `reverses` names for each entry the one that it undoes.
    """

    keys: Texts
    kinds: Texts
    debit: AccountKey | Wallets
    credit: AccountKey | Wallets
    amounts: Ints
    cause: tuple[str, int]
    reverses: Ints | None = None
    actor_id: int | None = None

    def __len__(self) -> int:
        return len(self.amounts)


def post_table(uow: UnitOfWork, table: Table) -> Ints:
    """Write the entries of a table; their ids.

    A key that is taken breaks the transaction (`IntegrityError`). Raises `Unbalanced` when an amount is not
    above 0.
    """
    if not len(table):
        return np.zeros(0, np.int64)
    if (table.amounts <= 0).any() or table.debit == table.credit:
        raise Unbalanced("Every move needs two accounts and an amount above 0.")
    debit_ids, credit_ids = _accounts(uow, table.debit, len(table)), _accounts(uow, table.credit, len(table))
    entry_ids = new_ids(uow.session, Entry, len(table))
    _write_entries(uow, table, entry_ids)
    postings: dict[str, Value] = {
        "entry_id": entry_ids,
        "debit_id": debit_ids,
        "credit_id": credit_ids,
        "currency": CURRENCY,
        "amount_cents": table.amounts,
    }
    copy_rows(uow.session, Posting, postings, count=len(table))
    uow.session.expire_all()
    return entry_ids


def open_wallets(uow: UnitOfWork, wallets: Wallets) -> None:
    """Open the accounts that are missing, empty as every new one is."""
    _accounts(uow, wallets, len(wallets.owners))


def _write_entries(uow: UnitOfWork, table: Table, entry_ids: Ints) -> None:
    now = uow.clock()
    today = now.date()
    cause_type, cause_id = table.cause
    columns: dict[str, Value] = {
        "id": entry_ids,
        "key": table.keys,
        "request_hash": np.frombuffer(b"".join(_fingerprints(table)), "V32"),
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
    copy_rows(uow.session, Entry, columns, count=len(table))


def _fingerprints(table: Table) -> Iterator[bytes]:
    """What `Draft.fingerprint` gives for each entry, without making the draft."""
    debit, credit = _as_json(table.debit), _as_json(table.credit)
    whole = f'["%s", [{{"debit": {debit}, "credit": {credit}, "amount": %d}}], %s, null]'
    kinds = [kind.decode() for kind in table.kinds.tolist()]
    columns = [kinds, *_owners(table.debit), *_owners(table.credit), table.amounts.tolist()]
    reverses = repeat("null") if table.reverses is None else table.reverses.tolist()
    for row in zip(*columns, reverses, strict=False):
        yield hashlib.sha256((whole % row).encode()).digest()


def _as_json(side: AccountKey | Wallets) -> str:
    if isinstance(side, AccountKey):
        return json.dumps({"owner_type": side.owner_type, "owner_id": side.owner_id, "purpose": side.purpose})
    return f'{{"owner_type": "consultant", "owner_id": %d, "purpose": "{side.purpose}"}}'


def _owners(side: AccountKey | Wallets) -> list[list[int]]:
    return [side.owners.tolist()] if isinstance(side, Wallets) else []


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
    given = {"owners": _given(uow, owners), "purpose": purpose, "currency": CURRENCY}
    rows = uow.session.connection().execute(_for(uow, _KNOWN), given).cursor.fetchall()
    table = np.array(rows, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _open(uow: UnitOfWork, purpose: str, owners: Ints) -> None:
    rules = behaviour(AccountKey("consultant", 0, purpose))
    given = {
        "owners": _given(uow, owners),
        "purpose": purpose,
        "currency": CURRENCY,
        "normal": rules.normal,
        "tracked": rules.tracked,
        "floor": rules.floor,
    }
    uow.session.execute(_for(uow, _OPEN), given)


def _for(uow: UnitOfWork, statement: str) -> TextClause:
    if uow.session.get_bind().dialect.name == "postgresql":
        # A list is looked up by its hash; a join would be planned without the new rows.
        given = "CAST(:owners AS bigint[])"
        return text(statement.format(owners=f"SELECT unnest({given}) AS owner", among=f"= ANY ({given})"))
    owners = "SELECT value AS owner FROM json_each(:owners)"
    return text(statement.format(owners=owners, among=f"IN ({owners})"))


def _given(uow: UnitOfWork, owners: Ints) -> str:
    """The owners as one value: an array as PostgreSQL writes it, or JSON."""
    listed = json.dumps(owners.tolist())
    return f"{{{listed[1:-1]}}}" if uow.session.get_bind().dialect.name == "postgresql" else listed
