"""The only hand that moves money. Entries are added, never changed; a mistake is reversed."""

from __future__ import annotations

import calendar
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import insert, select, tuple_

from portal.kernel.errors import KeyReused, Unbalanced
from portal.kernel.money import Cents
from portal.ledger.accounts import CURRENCY, AccountKey, behaviour
from portal.models import Account, Currency, Entry, LedgerPeriod, Posting
from portal.store.insert import insert_missing
from portal.store.unit_of_work import UnitOfWork

_KEYS_AT_ONCE = 400


@dataclass(frozen=True)
class Move:
    """An amount in cents, more than 0, from the debited to the credited account."""

    debit: AccountKey
    credit: AccountKey
    amount: Cents


@dataclass(frozen=True)
class Draft:
    """An entry to be posted.

    `key` can be used once. `reverses` names an entry that this one undoes, `resolves` one whose reserved
    money this one settles; either can happen once to an entry. `cause` is what made it, as (type, id).
    """

    key: str
    kind: str
    moves: Sequence[Move]
    actor_id: int | None = None
    cause: tuple[str, int] | None = None
    reverses: int | None = None
    resolves: int | None = None

    def fingerprint(self) -> bytes:
        """SHA-256 of the content, to tell a repetition from a key used for something else."""
        content = json.dumps([self.kind, [asdict(move) for move in self.moves], self.reverses, self.resolves])
        return hashlib.sha256(content.encode()).digest()


def find(uow: UnitOfWork, key: str) -> Entry | None:
    """The entry under `key`, if there is one."""
    return uow.session.scalar(select(Entry).where(Entry.key == key))


def hold(uow: UnitOfWork, *keys: AccountKey) -> dict[AccountKey, Account]:
    """Open what is missing and lock these accounts until the commit, in one order for everybody.

    Their balances are fresh: what is decided on them stays true.
    """
    ids = account_ids(uow, keys)
    locked = uow.session.scalars(
        select(Account)
        .where(Account.id.in_(ids.values()))
        .order_by(Account.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    by_id = {account.id: account for account in locked}
    return {key: by_id[ids[key]] for key in keys}


def post(uow: UnitOfWork, draft: Draft) -> Entry:
    """Write one entry; the same key with the same content gives back the entry that is there.

    Raises `KeyReused` when the key was used for other content, `Unbalanced` when nothing moves.
    """
    if known := find(uow, draft.key):
        if known.request_hash != draft.fingerprint():
            raise KeyReused("This was asked before with other content.")
        return known
    (entry_id,) = post_many(uow, [draft])
    entry = uow.session.get(Entry, entry_id)
    assert entry is not None
    return entry


def post_many(uow: UnitOfWork, drafts: Sequence[Draft]) -> list[int]:
    """Write many new entries in few statements; ids in the order of `drafts`.

    A key that is taken breaks the transaction (`IntegrityError`). Raises `Unbalanced` when nothing moves.
    """
    for draft in drafts:
        if not draft.moves or any(move.amount <= 0 or move.debit == move.credit for move in draft.moves):
            raise Unbalanced(f"{draft.kind}: every move needs two accounts and an amount above 0.")
    if not drafts:
        return []
    accounts = account_ids(
        uow, {key for draft in drafts for move in draft.moves for key in (move.debit, move.credit)}
    )
    entry_ids = _insert_entries(uow, drafts)
    postings = [
        {
            "entry_id": entry_id,
            "debit_id": accounts[move.debit],
            "credit_id": accounts[move.credit],
            "currency": CURRENCY,
            "amount_cents": int(move.amount),
        }
        for entry_id, draft in zip(entry_ids, drafts, strict=True)
        for move in draft.moves
    ]
    # RETURNING puts many rows into a statement; else PostgreSQL's guards would run for each row alone.
    uow.session.execute(insert(Posting).returning(Posting.id), postings)
    uow.session.expire_all()
    return entry_ids


def balance(uow: UnitOfWork, key: AccountKey) -> Cents:
    """The balance of one tracked account, locked until the commit."""
    return Cents(hold(uow, key)[key].balance)


def _insert_entries(uow: UnitOfWork, drafts: Sequence[Draft]) -> list[int]:
    now = uow.clock()
    today = now.date()
    period_id = period(uow, today)
    rows = [
        {
            "key": draft.key,
            "request_hash": draft.fingerprint(),
            "kind": draft.kind,
            "period_id": period_id,
            "effective_on": today,
            "created_at": now,
            "actor_id": draft.actor_id,
            "cause_type": draft.cause[0] if draft.cause else None,
            "cause_id": draft.cause[1] if draft.cause else None,
            "reverses_id": draft.reverses,
            "resolves_id": draft.resolves,
        }
        for draft in drafts
    ]
    # Matched by key: asked for in order, the ids would cost SQLite a statement for each row.
    inserted = uow.session.execute(insert(Entry).returning(Entry.key, Entry.id), rows)
    ids = {row.key: row.id for row in inserted}
    return [ids[draft.key] for draft in drafts]


def period(uow: UnitOfWork, day: date) -> int:
    """The id of the month of the books in which a day lies, opened when it is new."""
    period_id = day.year * 100 + day.month
    last = calendar.monthrange(day.year, day.month)[1]
    row = {"id": period_id, "starts": day.replace(day=1), "ends": day.replace(day=last)}
    insert_missing(uow.session, LedgerPeriod, [row])
    return period_id


def account_ids(uow: UnitOfWork, keys: Iterable[AccountKey]) -> dict[AccountKey, int]:
    """The accounts behind these keys, those that are missing opened."""
    wanted = sorted(set(keys))
    found = _known_accounts(uow, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        ensure_currency(uow)
        insert_missing(uow.session, Account, [_account_row(key) for key in missing])
        found |= _known_accounts(uow, missing)
    return found


def ensure_currency(uow: UnitOfWork) -> None:
    """The one currency of the books is known before its first account is opened."""
    insert_missing(uow.session, Currency, [{"code": CURRENCY, "exponent": 2}])


def _known_accounts(uow: UnitOfWork, keys: Sequence[AccountKey]) -> dict[AccountKey, int]:
    found: dict[AccountKey, int] = {}
    columns = (Account.owner_type, Account.owner_id, Account.purpose)
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = [(key.owner_type, key.owner_id, key.purpose) for key in keys[start : start + _KEYS_AT_ONCE]]
        statement = select(Account.id, *columns).where(
            tuple_(*columns).in_(some), Account.currency == CURRENCY
        )
        for account_id, owner_type, owner_id, purpose in uow.session.execute(statement):
            found[AccountKey(owner_type, owner_id, purpose)] = account_id
    return found


def _account_row(key: AccountKey) -> dict[str, object]:
    rules = behaviour(key)
    return {
        "owner_type": key.owner_type,
        "owner_id": key.owner_id,
        "purpose": key.purpose,
        "currency": CURRENCY,
        "normal": rules.normal,
        "tracked": rules.tracked,
        "floor": rules.floor,
    }
