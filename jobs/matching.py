"""The daily match with each provider: read its record first, then compare in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from jobs.providers import Provider, provider_of
from jobs.sending import payout_of, stop_and_reverse
from portal.extensions import db
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.http_payouts import BadDescription
from portal.gateways.payout_adapter import Found, Unknown
from portal.kernel.clock import Clock, utc_now
from portal.models import PayoutMethod
from portal.payouts.automatic import matching
from portal.payouts.automatic.matching import EARLIER, WINDOW, Line
from portal.payouts.automatic.orders import Order
from portal.store import UnitOfWork, perform

log = logging.getLogger(__name__)


def match_all(clock: Clock = utc_now) -> int:
    """Match the last days with every provider; how many differences there are."""
    found = 0
    for method_id in [method.id for method in matching.methods_to_match(db.session())]:
        try:
            found += match(provider_of(db.session.get_one(PayoutMethod, method_id)), clock)
        except (BadDescription, ProviderUnavailable) as fault:
            log.error("no match for payout method %s: %s", method_id, fault)
        except Exception:
            # A fault with one provider must not keep the others from being compared.
            db.session.rollback()
            log.exception("no match for payout method %s", method_id)
    for name in matching.overdue(db.session(), now=clock()):
        log.error("%s was not compared for two days", name)
    return found


def match(provider: Provider, clock: Clock = utc_now) -> int:
    """Match the last days with one provider; how many differences. Raises `ProviderUnavailable`."""
    until = clock()
    since = until - WINDOW
    db.session.rollback()
    lines = read_lines(provider, since, until)
    there = provider.adapter.balance_cents("USD", pending=True)
    for group, refs in matching.seconds_of(lines).items():
        order = matching.order_for(db.session(), group)
        db.session.rollback()
        if order is not None:
            stop_and_reverse(provider, order, refs, clock)

    def keep(uow: UnitOfWork) -> tuple[int, int]:
        kept = matching.keep_match(uow, lines, method_id=provider.method_id, since=since, until=until)
        moved = matching.note_balance(uow, kept, there_cents=there, account=provider.from_account)
        return len(kept.differences), moved

    kept, moved = perform(keep, clock)
    if moved:
        log.warning("payout method %s: %d cents moved there that nobody booked", provider.method_id, moved)
    if kept:
        log.error("payout method %s: %d differences; payouts are stopped", provider.method_id, kept)
    return kept


def read_lines(provider: Provider, since: datetime, until: datetime) -> list[Line]:
    """The provider's record of the window and the days before it, by its list or one by one."""
    found = provider.adapter.transfers(since - EARLIER, until)
    listed = [
        Line(each.ref, each.group, each.amount_cents, each.currency, each.state) for each in found or ()
    ]
    orders = matching.to_ask(db.session(), method_id=provider.method_id, since=since, until=until)
    db.session.rollback()
    can_ask = provider.adapter.capabilities.can_lookup
    if found is None and not can_ask:
        raise ProviderUnavailable("it has neither a list nor a way to ask")
    # What people found to be paid may be older than any window.
    there = {line.ref for line in listed}
    missing = [order for order in orders if order.ref not in there]
    told = ask_for(provider, missing) if can_ask else []
    return listed + [line for line in told if line.ref not in there]


def ask_for(provider: Provider, orders: Sequence[Order]) -> list[Line]:
    """What the provider tells of single payouts. Raises `ProviderUnavailable`."""
    lines = []
    for order in orders:
        finding = provider.adapter.lookup(payout_of(order))
        if isinstance(finding, Unknown) and finding.by_hand:
            continue
        if isinstance(finding, Unknown):
            raise ProviderUnavailable(finding.reason)
        if isinstance(finding, Found):
            for ref in (finding.ref, *finding.others):
                lines.append(Line(ref, order.group, order.amount_cents, order.currency, finding.state))
    return lines
