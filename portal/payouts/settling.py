"""How a withdrawal ends in the books: paid, given back before it was paid, brought back afterwards. Once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import select

from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import PAYOUT_FEES, TAX_WITHHELD, AccountKey, available, receivable, reserved
from portal.ledger.book import Draft, Move
from portal.models import Account, Entry, Posting, Withdrawal
from portal.store.unit_of_work import UnitOfWork


def post_key(withdrawal: Withdrawal) -> str:
    """The key of the entry that pays a withdrawal."""
    return f"po:{withdrawal.public_id}:post"


def post_payment(
    uow: UnitOfWork, withdrawal: Withdrawal, *, from_account: AccountKey, actor_id: int | None
) -> Entry:
    """Book that a withdrawal was paid: what arrives leaves `from_account`, fee and tax stay with the company.

    The entry resolves the reserve, which can happen once. The state is the caller's business; a repetition
    gives back the entry that is there.
    """
    return book.post(uow, _payment(withdrawal, from_account, actor_id))


def post_payments(
    uow: UnitOfWork, withdrawals: Sequence[Withdrawal], *, from_account: AccountKey, actor_id: int | None
) -> None:
    """Book many payments in few statements; one that is booked already breaks the transaction."""
    book.post_many(uow, [_payment(withdrawal, from_account, actor_id) for withdrawal in withdrawals])


def give_back(
    uow: UnitOfWork, withdrawal: Withdrawal, *, state: str, actor_id: int | None, reason: str | None = None
) -> None:
    """Reserved money goes back to its owner, an open debt first; the withdrawal ends in `state`.

    `state` is cancelled, rejected, failed or returned; it stands in the entry's kind. The caller holds the
    row and has checked that nothing can still be paid. The entry resolves the reserve, which can happen once.
    """
    draft = Draft(
        f"wd:{withdrawal.public_id}:void",
        f"withdrawal {state}",
        (),
        actor_id=actor_id,
        resolves=withdrawal.reserve_entry_id,
    )
    source = (reserved(withdrawal.consultant_id), withdrawal.amount_cents)
    _move_back(uow, withdrawal, sources=[source], draft=draft)
    _end(uow, withdrawal, state=state, actor_id=actor_id, reason=reason)


def bring_back(
    uow: UnitOfWork, withdrawal: Withdrawal, *, actor_id: int | None, reason: str | None = None
) -> None:
    """Paid money came back: the whole payment is undone, fee and tax too, which can happen once.

    It goes to where it was paid from, and from there to the wallet, an open debt first.
    """
    paid = book.find(uow, post_key(withdrawal))
    assert paid is not None, "a paid withdrawal has its entry"
    key = f"po:{withdrawal.public_id}:ret"
    draft = Draft(key, "withdrawal returned", (), actor_id=actor_id, reverses=paid.id)
    _move_back(uow, withdrawal, sources=_paid_from(uow, paid.id), draft=draft)
    _end(uow, withdrawal, state="returned", actor_id=actor_id, reason=reason)


def _payment(withdrawal: Withdrawal, from_account: AccountKey, actor_id: int | None) -> Draft:
    parts = (
        (from_account, withdrawal.net_cents),
        (PAYOUT_FEES, withdrawal.fee_cents),
        (TAX_WITHHELD, withdrawal.withheld_cents),
    )
    owner = reserved(withdrawal.consultant_id)
    return Draft(
        post_key(withdrawal),
        "withdrawal paid",
        [Move(owner, target, Cents(part)) for target, part in parts if part > 0],
        actor_id=actor_id,
        cause=("withdrawal", withdrawal.id),
        resolves=withdrawal.reserve_entry_id,
    )


def _paid_from(uow: UnitOfWork, entry_id: int) -> list[tuple[AccountKey, int]]:
    columns = (Account.owner_type, Account.owner_id, Account.purpose, Posting.amount_cents)
    rows = uow.session.execute(
        select(*columns)
        .join(Account, Account.id == Posting.credit_id)
        .where(Posting.entry_id == entry_id)
        .order_by(Posting.id)
    )
    return [(AccountKey(kind, owner, purpose), amount) for kind, owner, purpose, amount in rows]


def _move_back(
    uow: UnitOfWork, withdrawal: Withdrawal, *, sources: Iterable[tuple[AccountKey, int]], draft: Draft
) -> None:
    """Post `draft` with the moves to the wallet: an open debt is paid first."""
    free, debt = available(withdrawal.consultant_id), receivable(withdrawal.consultant_id)
    owed = book.hold(uow, free, debt)[debt].balance
    moves = []
    for source, amount in sources:
        for_debt = min(owed, amount)
        owed -= for_debt
        parts = ((debt, for_debt), (free, amount - for_debt))
        moves += [Move(source, target, Cents(part)) for target, part in parts if part > 0]
    uow.session.flush()
    book.post(uow, replace(draft, moves=moves, cause=("withdrawal", withdrawal.id)))


def _end(
    uow: UnitOfWork, withdrawal: Withdrawal, *, state: str, actor_id: int | None, reason: str | None
) -> None:
    withdrawal.state, withdrawal.settled_at = state, uow.clock()
    if reason is not None:
        withdrawal.reason = reason
    uow.note(f"withdrawal.{state}", thing="withdrawal", thing_id=withdrawal.id, actor_id=actor_id)
    uow.session.flush()
