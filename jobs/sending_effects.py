"""What Stripe tells about payouts: they reached the bank, came back, or an account changed. Repeatable."""

from __future__ import annotations

from collections.abc import Callable

from portal.gateways.payout_adapter import ProviderEvent
from portal.gateways.stripe_connect import KINDS, parse_event
from portal.kernel.errors import NothingToDo
from portal.models import Inbox
from portal.payouts.automatic import arrivals, banks
from portal.payouts.automatic.arrivals import AccountWord
from portal.payouts.automatic.banks import BankWord
from portal.store import UnitOfWork


def payout_event(uow: UnitOfWork, row: Inbox) -> None:
    """A believed event of Stripe takes effect. Raises `NothingToDo` where it changes nothing."""
    event = parse_event(row.body)
    change = _CHANGES.get(event.transition)
    if change is None:
        raise NothingToDo("This is not about a payout of ours.")
    if not change(uow, event):
        raise NothingToDo("Nothing changes: it is known already, or about nobody here.")


def _arrived(uow: UnitOfWork, event: ProviderEvent) -> object:
    assert event.created is not None, "a payout of Stripe has its moment"
    return arrivals.arrived(
        uow,
        account=event.account,
        arrival=event.ref,
        amount_cents=event.amount_cents,
        created=event.created,
    )


def _failed(uow: UnitOfWork, event: ProviderEvent) -> object:
    assert event.created is not None, "a payout of Stripe has its moment"
    return arrivals.bounced(
        uow,
        account=event.account,
        arrival=event.ref,
        amount_cents=event.amount_cents,
        created=event.created,
    )


def _reversed(uow: UnitOfWork, event: ProviderEvent) -> object:
    return arrivals.reversed_there(uow, ref=event.ref, group=event.group)


def _account(uow: UnitOfWork, event: ProviderEvent) -> object:
    assert event.created is not None, "an event has its moment"
    state = AccountWord(event.account, event.ready, event.reason, told_at=event.created)
    changed = 0
    if event.bank is not None:
        changed = banks.bank_told(uow, BankWord(event.account, event.bank, told_at=event.created))
    return arrivals.account_changed(uow, state) + changed


def _bank(uow: UnitOfWork, event: ProviderEvent) -> object:
    assert event.created is not None, "an event has its moment"
    mark, gone = event.bank or "", event.gone
    word = BankWord(event.account, mark, told_at=event.created, gone=gone, is_change=True)
    return banks.bank_told(uow, word)


_CHANGES: dict[str, Callable[[UnitOfWork, ProviderEvent], object]] = {
    "arrived": _arrived,
    "failed": _failed,
    "reversed": _reversed,
    "account": _account,
    "bank": _bank,
}
PAYOUT_EVENTS = frozenset(KINDS)
