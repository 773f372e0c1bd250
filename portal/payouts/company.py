"""The company pays out a closed cycle: a withdrawal for everybody who has enough, in one batch."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select

from portal.kernel.errors import Conflict
from portal.kernel.ids import new_id
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import CURRENCY, available, reserved
from portal.ledger.book import Draft, Move
from portal.ledger.releases import held_wallets
from portal.models import Account, AccountUser, Consultant, Cycle, PayoutBatch, Withdrawal
from portal.payouts.batches import export_batch, settle_cycle
from portal.payouts.limits import MINIMUM
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

_AT_ONCE = 1_000


def make_company_withdrawals(uow: UnitOfWork, *, cycle_id: int, actor_id: int) -> PayoutBatch | None:
    """Pay out what is available to all consultants, from the minimum on, in one batch of this cycle.

    Gives the batch that is there when it is asked again, None when nobody has enough: then the cycle is
    paid at once. The wallet of the person who acts is left out. Raises `Conflict` when the cycle is not
    closed.
    """
    cycle = lock_row(uow, Cycle, cycle_id)
    if cycle.payout_batch_id is not None:
        return uow.session.get(PayoutBatch, cycle.payout_batch_id)
    if cycle.state != "closed":
        raise Conflict(f"This cycle is {cycle.state}; only a closed one can be paid.")
    ids = _left_over(uow, cycle_id)
    for owners in _who_has_enough(uow, actor_id):
        ids += _withdraw_for(uow, owners, cycle_id=cycle_id, actor_id=actor_id)
    if not ids:
        settle_cycle(uow, cycle_id=cycle_id, actor_id=actor_id)
        return None
    batch = export_batch(uow, withdrawal_ids=ids, actor_id=actor_id, cycle_id=cycle_id)
    lock_row(uow, Cycle, cycle_id).payout_batch_id = batch.id
    uow.session.flush()
    return batch


def company_key(cycle_id: int) -> str:
    """How the keys of a cycle's company withdrawals begin."""
    return f"cycle-{cycle_id}-"


def _left_over(uow: UnitOfWork, cycle_id: int) -> list[int]:
    """What an earlier, void batch of this cycle left approved."""
    ours = Withdrawal.key.startswith(company_key(cycle_id), autoescape=True)
    statement = select(Withdrawal.id).where(ours, Withdrawal.state == "approved")
    return list(uow.session.scalars(statement.order_by(Withdrawal.id).with_for_update()))


def _who_has_enough(uow: UnitOfWork, actor_id: int) -> list[Sequence[int]]:
    """Consultants whose available balance reaches the minimum, a thousand at a time."""
    own = (
        select(Consultant.id)
        .join(AccountUser, AccountUser.person_id == Consultant.person_id)
        .where(AccountUser.id == actor_id)
    )
    owners = uow.session.scalars(
        select(Account.owner_id)
        .where(
            Account.owner_type == "consultant",
            Account.purpose == "available",
            Account.currency == CURRENCY,
            Account.balance >= MINIMUM,
            Account.owner_id.not_in(own),
        )
        .order_by(Account.owner_id)
    ).all()
    return [owners[start : start + _AT_ONCE] for start in range(0, len(owners), _AT_ONCE)]


def _withdraw_for(uow: UnitOfWork, owners: Sequence[int], *, cycle_id: int, actor_id: int) -> list[int]:
    """Reserve all that is available to `owners`; the ids of their approved withdrawals."""
    balances = held_wallets(uow, owners)
    amounts = {owner: balances[available(owner)] for owner in owners}
    rows = [
        _approved_row(uow, owner, amount, cycle_id=cycle_id, actor_id=actor_id)
        for owner, amount in amounts.items()
        if amount >= MINIMUM
    ]
    entry_ids = book.post_many(uow, [_reserve_draft(row, actor_id) for row in rows])
    if not rows:
        return []
    for row, entry_id in zip(rows, entry_ids, strict=True):
        row["reserve_entry_id"] = entry_id
    return list(uow.session.scalars(insert(Withdrawal).returning(Withdrawal.id), rows))


def _approved_row(
    uow: UnitOfWork, owner: int, amount: int, *, cycle_id: int, actor_id: int
) -> dict[str, object]:
    public_id, now = new_id(), uow.clock()
    return {
        "public_id": public_id,
        "key": f"{company_key(cycle_id)}{public_id}",
        "consultant_id": owner,
        "amount_cents": amount,
        "currency": CURRENCY,
        "state": "approved",
        "requested_by": actor_id,
        "requested_at": now,
        "decided_by": actor_id,
        "decided_at": now,
    }


def _reserve_draft(row: dict[str, object], actor_id: int) -> Draft:
    owner, amount = row["consultant_id"], row["amount_cents"]
    assert isinstance(owner, int) and isinstance(amount, int)
    move = Move(available(owner), reserved(owner), Cents(amount))
    return Draft(f"wd:{row['public_id']}", "withdrawal requested", [move], actor_id=actor_id)
