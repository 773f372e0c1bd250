"""The bank account behind a consultant's account at a provider: where it changes, payouts there rest.

The provider keeps the number; we keep its mark, and tell a change by that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.kernel.facts import PayeeChanged
from portal.models import Destination
from portal.payouts.payees.destinations import PAUSE
from portal.store.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class BankWord:
    """What a provider said at a moment: `account` is paid out to the bank account `mark`, empty for none.

    `gone` names one that was taken away, instead. `is_change`: it was said because something changed.
    """

    account: str
    mark: str
    told_at: datetime
    gone: str = ""
    is_change: bool = False


def bank_told(uow: UnitOfWork, word: BankWord) -> int:
    """Let payouts to a changed bank account rest for 72 hours, and tell its owner; how many destinations.

    The same account again, and a word that is older than what is known, change nothing. Of an account that is
    paid already, the first look at its bank is no change.
    """
    found = uow.session.scalars(
        select(Destination)
        .where(Destination.provider_account == word.account, Destination.replaced_at.is_(None))
        .order_by(Destination.id)
        .with_for_update(of=Destination)
        .execution_options(populate_existing=True)
    ).all()
    return sum(_note(uow, destination, word) for destination in found if _is_news(destination, word))


def _is_news(destination: Destination, word: BankWord) -> bool:
    if destination.bank_told_at is not None and destination.bank_told_at > word.told_at:
        return False
    if word.gone:
        return destination.bank_mark == word.gone
    return destination.bank_mark != word.mark


def _note(uow: UnitOfWork, destination: Destination, word: BankWord) -> bool:
    """Keep what was told; True where it is a change."""
    first = destination.bank_mark is None
    destination.bank_mark, destination.bank_told_at = word.mark, word.told_at
    if first and not word.is_change and (destination.ready or not word.mark):
        uow.session.flush()
        return True
    destination.usable_at = max(destination.usable_at, word.told_at + PAUSE)
    uow.session.flush()
    what = "gone" if not word.mark else "first" if first else "other"
    uow.note(
        "destination.bank", thing="payout_destination", thing_id=destination.id, actor_id=None, what=what
    )
    uow.publish(PayeeChanged(destination.id, change=int(word.told_at.timestamp())))
    return True
