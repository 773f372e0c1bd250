"""What Stripe keeps of each payment, refund and dispute: asked for until it says."""

from __future__ import annotations

import logging

from flask import current_app

from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe import StripeGateway, stripe_of
from portal.kernel.clock import Clock, utc_now
from portal.kernel.errors import DomainError
from portal.payments import fees
from portal.payments.fees import Question
from portal.store import perform

MOST_QUESTIONS = 200

log = logging.getLogger(__name__)


def drain(clock: Clock = utc_now) -> int:
    """Ask for what is due; how many were asked for. While Stripe is away the rest waits for the next turn."""
    gateway = stripe_of(current_app.config["SETTINGS"], retries=0)
    asked = 0
    while asked < MOST_QUESTIONS and (question := perform(fees.claim_next, clock)):
        asked += 1
        if not ask(gateway, question, clock):
            break
    return asked


def ask(gateway: StripeGateway, question: Question, clock: Clock = utc_now) -> bool:
    """Ask once and keep the answer; False where Stripe did not answer. The call is in no transaction."""
    try:
        moves = gateway.money_moves(question.kind, question.ref)
    except ProviderUnavailable as away:
        log.warning("the fee of %s is not known: %s", question.ref, away.message)
        perform(lambda uow: fees.ask_later(uow, question=question), clock)
        return False
    try:
        perform(lambda uow: fees.note_moves(uow, question=question, moves=moves), clock)
    except DomainError as fault:
        log.error("the fee of %s was not booked: %s", question.ref, fault.message)
        perform(lambda uow: fees.ask_later(uow, question=question), clock)
    return True
