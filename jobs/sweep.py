"""What Stripe would have told us and did not, by asking; and packs whose paid time is over."""

from __future__ import annotations

import logging
from functools import partial

from flask import current_app

from portal.extensions import db
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe import stripe_of
from portal.kernel.clock import utc_now
from portal.members.standing import settle_pack
from portal.payments import subscriptions, sweeping
from portal.payouts.automatic import accounts
from portal.store import UnitOfWork, perform

# So many accounts in a row without an answer, and Stripe is away.
MOST_SILENT = 3

log = logging.getLogger(__name__)


def ask_for_events() -> None:
    """Every hour: store the events that no webhook brought."""
    settings = current_app.config["SETTINGS"]
    try:
        swept = sweeping.sweep_events(stripe_of(settings, retries=0), live_only=settings.production)
    except ProviderUnavailable as away:
        log.warning("events were not swept: %s", away.message)
        return
    if swept.found:
        log.warning("%s of %s events had not been told", swept.found, swept.listed)


def ask_for_accounts() -> None:
    """Every hour: store what no webhook brought about the accounts of consultants."""
    settings, silent = current_app.config["SETTINGS"], 0
    gateway = stripe_of(settings, retries=0)
    for account in accounts.to_ask(db.session(), now=utc_now()):
        try:
            swept = sweeping.sweep_events(gateway, live_only=settings.production, account=account)
        except ProviderUnavailable as away:
            log.warning("events of %s were not swept: %s", account, away.message)
            perform(partial(sweeping.put_behind, account=account))
            silent += 1
            if silent == MOST_SILENT:
                return
            continue
        silent = 0
        if swept.found:
            log.warning("%s of %s events of %s had not been told", swept.found, swept.listed, account)


def ask_for_charges() -> None:
    """Every hour: look for money that came in for nothing of ours."""
    settings = current_app.config["SETTINGS"]
    try:
        found = sweeping.sweep_charges(stripe_of(settings, retries=0), live_only=settings.production)
    except ProviderUnavailable as away:
        log.warning("charges were not swept: %s", away.message)
        return
    if found:
        log.error("%s charges are paid for nothing that we know", found)


def ask_for_pages() -> None:
    """Every day: ask for the payment pages of which nothing was heard."""
    settings = current_app.config["SETTINGS"]
    try:
        sweeping.sweep_pages(stripe_of(settings, retries=0), live_only=settings.production)
    except ProviderUnavailable as away:
        log.warning("pages were not swept: %s", away.message)


def end_subscriptions() -> None:
    """Let packs fall back whose subscription has ended and whose paid time is over."""
    while perform(_end_some):
        pass


def _end_some(uow: UnitOfWork) -> int:
    due = subscriptions.over(uow.session, now=uow.clock())
    return sum(settle_pack(uow, registration=registration) for registration in due)
