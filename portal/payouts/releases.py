"""Holds that are over: held money pays an open debt first, the rest becomes available."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select, update

from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import AccountKey, available, pending, receivable
from portal.ledger.book import Draft, Move
from portal.ledger.releases import held_wallets
from portal.ledger.undoing import maturing_waits
from portal.models import Release
from portal.store.unit_of_work import UnitOfWork


def release_due(uow: UnitOfWork, *, today: date, limit: int = 1_000) -> int:
    """Release up to `limit` credits that are due; how many, 0 when nothing is left to release.

    While a close can be undone nothing is released: it could not be taken back.
    """
    if maturing_waits(uow.session, uow.clock()):
        return 0
    found = uow.session.execute(
        select(Release.id, Release.consultant_id)
        .where(Release.released_at.is_(None), Release.due_on <= today)
        .order_by(Release.due_on, Release.id)
        .limit(limit)
    ).all()
    if not found:
        return 0
    balances = held_wallets(uow, [consultant_id for _, consultant_id in found])
    # Read again under the lock: another worker may have released some of them meanwhile.
    releases = _still_waiting(uow, [release_id for release_id, _ in found])
    drafts = [
        Draft(f"mature:{release.entry_id}", "release", moves, cause=("cycle", release.cycle_id))
        for release in releases
        if (moves := _freed(release, balances))
    ]
    uow.session.execute(
        update(Release)
        .where(Release.id.in_([release.id for release in releases]))
        .values(released_at=uow.clock())
        .execution_options(synchronize_session=False)
    )
    book.post_many(uow, drafts)
    return len(found)


def _still_waiting(uow: UnitOfWork, release_ids: Sequence[int]) -> Sequence[Release]:
    return uow.session.scalars(
        select(Release)
        .where(Release.id.in_(release_ids), Release.released_at.is_(None))
        .order_by(Release.due_on, Release.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _freed(release: Release, balances: dict[AccountKey, int]) -> list[Move]:
    """Moves out of the hold; `balances` follows, so that a debt is paid once."""
    source, debt = pending(release.consultant_id), receivable(release.consultant_id)
    rest = release.amount_cents - release.clawed_cents
    owed = min(rest, balances[debt])
    balances[debt] -= owed
    parts = ((debt, owed), (available(release.consultant_id), rest - owed))
    return [Move(source, target, Cents(part)) for target, part in parts if part > 0]
