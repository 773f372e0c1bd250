"""The daily match with each provider: read its record first, then compare in one transaction."""

from __future__ import annotations

import logging
from datetime import datetime

from jobs.providers import Provider, provider_of
from jobs.sending import payout_of, stop_and_reverse
from portal.extensions import db
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.http_payouts import BadDescription
from portal.gateways.payout_adapter import Found, Unknown
from portal.kernel.clock import Clock, utc_now
from portal.payouts.automatic import matching
from portal.payouts.automatic.matching import EARLIER, WINDOW, Line
from portal.store import perform

log = logging.getLogger(__name__)


def match_all(clock: Clock = utc_now) -> int:
    """Match the last days with every provider; how many differences there are."""
    found = 0
    for method in matching.methods_to_match(db.session()):
        try:
            found += match(provider_of(method), clock)
        except (BadDescription, ProviderUnavailable) as fault:
            log.error("no match for payout method %s: %s", method.id, fault)
    return found


def match(provider: Provider, clock: Clock = utc_now) -> int:
    """Match the last days with one provider; how many differences. Raises `ProviderUnavailable`."""
    until = clock()
    since = until - WINDOW
    db.session.rollback()
    lines = read_lines(provider, since, until)
    for group, refs in matching.seconds_of(lines).items():
        order = matching.order_for(db.session(), group)
        db.session.rollback()
        if order is not None:
            stop_and_reverse(provider, order, refs, clock)
    kept = perform(
        lambda uow: len(
            matching.keep_match(
                uow, lines, method_id=provider.method_id, since=since, until=until
            ).differences
        ),
        clock,
    )
    if kept:
        log.error("payout method %s: %d differences; payouts are stopped", provider.method_id, kept)
    return kept


def read_lines(provider: Provider, since: datetime, until: datetime) -> list[Line]:
    """The provider's record of the window and the days before it, by its list or one by one."""
    found = provider.adapter.transfers(since - EARLIER, until)
    if found is not None:
        return [Line(each.ref, each.group, each.amount_cents, each.currency, each.state) for each in found]
    orders = matching.to_ask(db.session(), method_id=provider.method_id, since=since, until=until)
    db.session.rollback()
    lines = []
    for order in orders:
        finding = provider.adapter.lookup(payout_of(order))
        if isinstance(finding, Unknown):
            raise ProviderUnavailable(finding.reason)
        if isinstance(finding, Found):
            for ref in (finding.ref, *finding.others):
                lines.append(Line(ref, order.group, order.amount_cents, order.currency, finding.state))
    return lines
