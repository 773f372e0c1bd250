"""Refunds that the company asked for go to Stripe, each once; the webhook tells what came of it."""

from __future__ import annotations

import logging
from datetime import timedelta

from flask import current_app

from jobs.retries import next_try
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe import Refunding, RefundRejected, StripeGateway, stripe_of
from portal.kernel.clock import utc_now
from portal.payments import requests
from portal.payments.requests import Sending
from portal.store import perform

MOST_REFUNDS = 100
# Before another key is used, an earlier refund must have had the time to show in Stripe's list.
BEFORE_ANOTHER_KEY = timedelta(minutes=10)

log = logging.getLogger(__name__)


def drain() -> int:
    """Send what is due; how many were tried. The call stands outside both transactions."""
    gateway = stripe_of(current_app.config["SETTINGS"], retries=0)
    tried = 0
    while tried < MOST_REFUNDS and (sending := perform(requests.claim_next)):
        send(gateway, sending)
        tried += 1
    return tried


def send(gateway: StripeGateway, sending: Sending) -> None:
    """Send one refund, after a look whether an earlier try made it."""
    row = sending.request_row
    try:
        ref = _found(gateway, sending)
    except ProviderUnavailable as away:
        # A look carries no key, so that its failure is kept under none.
        _later(sending, away, key_is_spent=False)
        return
    try:
        ref = ref or gateway.refund(_refunding(sending))
    except RefundRejected as refusal:
        reason = refusal.reason
        perform(lambda uow: requests.mark_refused(uow, request_row=row, error=reason))
    except ProviderUnavailable as away:
        _later(sending, away, key_is_spent=away.key_is_spent)
    else:
        perform(lambda uow: requests.mark_sent(uow, request_row=row, provider_ref=ref))


def _found(gateway: StripeGateway, sending: Sending) -> str:
    if not sending.intent_ref:
        raise ProviderUnavailable("Stripe has not told yet which payment intent this was.")
    if not sending.look_up:
        return ""
    return gateway.find_refund(intent_ref=sending.intent_ref, request_id=sending.public_id)


def _refunding(sending: Sending) -> Refunding:
    return Refunding(
        intent_ref=sending.intent_ref,
        amount_cents=sending.amount_cents,
        request_id=sending.public_id,
        idempotency_key=sending.key,
    )


def _later(sending: Sending, away: ProviderUnavailable, *, key_is_spent: bool) -> None:
    log.warning("refund %s, try %s: %s", sending.public_id, sending.attempts, away.message)
    now, row = utc_now(), sending.request_row
    at = next_try(now, attempts=min(sending.attempts, 8))
    if key_is_spent:
        at = max(at, now + BEFORE_ANOTHER_KEY)
    perform(
        lambda uow: requests.mark_retry(
            uow, request_row=row, error=away.message, next_at=at, key_is_spent=key_is_spent
        )
    )
