"""Automatic payouts: what is due is sent, asked for, or fetched back; every call outside a transaction.

Between two units of work: the attempt is committed, the provider is called, the answer is committed. Whoever
dies in between leaves an attempt without answer, and the next one asks the provider about it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic

from flask import current_app

from jobs import books
from jobs.providers import Provider, provider_of
from portal.extensions import db
from portal.gateways.http_payouts import BadDescription
from portal.gateways.payout_adapter import (
    Absent,
    Accepted,
    Answer,
    Finding,
    Found,
    Payout,
    Rejected,
    RetryLater,
    Unknown,
)
from portal.kernel.clock import Clock, utc_now
from portal.models import PayoutMethod
from portal.payouts.automatic import answers, arrivals, claiming, findings
from portal.payouts.automatic.answers import Delay
from portal.payouts.automatic.limits import Ability
from portal.payouts.automatic.orders import Order
from portal.payouts.automatic.patience import at_pace
from portal.store import perform

MOST_CALLS = 200
TURN_SECONDS = 120
FETCH_AGAIN_SECONDS = 300
FETCH_LATER_SECONDS = 24 * 3600

log = logging.getLogger(__name__)


@dataclass
class Turn:
    """One turn with one provider: what it can do, and what it has left of ours."""

    provider: Provider
    clock: Clock
    ability: Ability
    calls: int = 0

    def spend(self, cents: int) -> None:
        """Reckon with money that is on its way out."""
        if self.ability.funds_cents is not None:
            self.ability = replace(self.ability, funds_cents=self.ability.funds_cents - cents)


def drain(clock: Clock = utc_now) -> int:
    """Do what is due with every provider; how many calls were made."""
    patience = at_pace(current_app.config["SETTINGS"].payout_pace)
    if claiming.is_sending_due(db.session(), now=clock()):
        books.check_before_money_leaves()
    if lost := perform(lambda uow: claiming.recover(uow, patience=patience), clock):
        log.warning("%d attempts have no answer and are asked for", lost)
    methods = claiming.methods_due(db.session(), now=clock())
    calls = 0
    for method_id in [method.id for method in methods]:
        try:
            provider = provider_of(db.session.get_one(PayoutMethod, method_id))
            calls += take_turn(provider, clock)
        except BadDescription as fault:
            log.error("payout method %s: %s", method_id, fault)
        except Exception:
            # A fault with one provider must not keep the others from their turn.
            db.session.rollback()
            log.exception("payout method %s: its turn ended early", method_id)
    return calls


def take_turn(provider: Provider, clock: Clock = utc_now) -> int:
    """Do what is due with one provider; how many calls were made. People carry what goes by file."""
    if provider.adapter.capabilities.by_file:
        return 0
    # The connection goes back to the pool: a slow provider must not hold the database.
    db.session.rollback()
    turn = Turn(provider, clock, _ability(provider))
    steps: list[Callable[[Turn], bool]] = [look_next, fetch_next, send_next]
    # What is left is due at the next turn, so that a slow provider does not take it from the others.
    end = monotonic() + TURN_SECONDS
    for step in steps:
        while turn.calls < MOST_CALLS and monotonic() < end and step(turn):
            pass
    return turn.calls


def send_next(turn: Turn) -> bool:
    """Send one payout that is due; False when none is."""
    provider = turn.provider
    claim = perform(
        lambda uow: claiming.claim_send(
            uow, method_id=provider.method_id, ability=turn.ability, patience=provider.patience
        ),
        turn.clock,
    )
    if claim is None or claim.order is None:
        return claim is not None
    turn.calls += 1
    answer = provider.adapter.send(payout_of(claim.order), claim.order.key)
    keep_answer(turn, claim.order, answer)
    return True


def look_next(turn: Turn) -> bool:
    """Ask about one payout whose answer was lost; False when none is due."""
    provider = turn.provider
    order = perform(
        lambda uow: claiming.claim_look(uow, method_id=provider.method_id, patience=provider.patience),
        turn.clock,
    )
    if order is None:
        return False
    turn.calls += 1
    keep_finding(turn, order, provider.adapter.lookup(payout_of(order)))
    return True


def fetch_next(turn: Turn) -> bool:
    """Fetch one payout back that the bank refused; False when none is due."""
    provider = turn.provider
    order = perform(
        lambda uow: claiming.claim_return(uow, method_id=provider.method_id, patience=provider.patience),
        turn.clock,
    )
    if order is None:
        return False
    turn.calls += 1
    # A day's key: an answer that a key keeps must not stand in the way of the next day.
    key = f"{order.group}_back_{turn.clock():%Y%m%d}"
    answer = provider.adapter.reverse(payout_of(order), order.ref, key)
    if isinstance(answer, Accepted):
        reason = "The bank did not take the money."
        perform(
            lambda uow: arrivals.came_back(uow, withdrawal_id=order.withdrawal_id, reason=reason), turn.clock
        )
    else:
        _fetch_later(turn, order, answer)
    return True


def keep_answer(turn: Turn, order: Order, answer: Answer) -> None:
    """Write down what the provider answered to an attempt."""
    patience, account = turn.provider.patience, turn.provider.from_account
    if not isinstance(answer, Accepted):
        log.warning("%s, generation %d: %s", order.group, order.generation, answer)
    match answer:
        case Accepted(ref):
            turn.spend(order.amount_cents)
            perform(lambda uow: answers.accepted(uow, order, ref=ref, from_account=account), turn.clock)
        case Rejected(code):
            perform(lambda uow: answers.rejected(uow, order, code=code, patience=patience), turn.clock)
        case RetryLater():
            _put_off(turn, order, answer)
        case Unknown(reason, by_hand):
            turn.spend(order.amount_cents)
            by_hand = by_hand or not turn.ability.can_lookup
            perform(
                lambda uow: answers.lost(uow, order, reason=reason, by_hand=by_hand, patience=patience),
                turn.clock,
            )


def keep_finding(turn: Turn, order: Order, finding: Finding) -> None:
    """Write down what a look-up found; of a payout that is there twice the younger is fetched back."""
    patience, account = turn.provider.patience, turn.provider.from_account
    match finding:
        case Found(ref, state, others):
            if others:
                stop_and_reverse(turn.provider, order, (ref, *others), turn.clock)
            back = state == "returned"
            perform(
                lambda uow: findings.found(uow, order, ref=ref, came_back=back, from_account=account),
                turn.clock,
            )
        case Absent():
            keeps = turn.provider.adapter.capabilities.keeps_keys
            perform(lambda uow: findings.absent(uow, order, patience=patience, keeps_keys=keeps), turn.clock)
        case Unknown(reason, by_hand):
            perform(
                lambda uow: findings.not_told(uow, order, reason=reason, by_hand=by_hand, patience=patience),
                turn.clock,
            )


def stop_and_reverse(provider: Provider, order: Order, refs: tuple[str, ...], clock: Clock) -> None:
    """The same payout twice: stop everything first, then fetch all back but the booked one, or the oldest."""
    log.error("%s was carried out more than once: %s", order.group, ", ".join(refs))
    perform(lambda uow: findings.second_seen(uow, group=order.group, refs=refs), clock)
    kept = order.ref if order.ref in refs else refs[0]
    for ref in refs:
        if ref == kept:
            continue
        answer = provider.adapter.reverse(payout_of(order), ref, f"{order.group}_second_{ref}")
        log.error("%s: fetching %s back: %s", order.group, ref, answer)


def payout_of(order: Order) -> Payout:
    """An order in the words of the adapters."""
    return Payout(
        group=order.group,
        generation=order.generation,
        amount_cents=order.amount_cents,
        currency=order.currency,
        destination=order.destination,
        payee=order.payee,
        reference=order.reference,
        details=order.details,
    )


def _ability(provider: Provider) -> Ability:
    can = provider.adapter.capabilities
    return Ability(
        currencies=can.currencies,
        minimum_cents=can.minimum_cents,
        maximum_cents=can.maximum_cents,
        can_lookup=can.can_lookup,
        funds_cents=provider.adapter.balance_cents("USD"),
        tells_balance=can.tells_balance,
    )


def _put_off(turn: Turn, order: Order, answer: RetryLater) -> None:
    """Let one payout wait, or all of them where the fault is not the payout's."""
    provider = turn.provider
    delay = Delay(answer.after_seconds, answer.reason, answer.key_is_spent)
    perform(lambda uow: answers.put_off(uow, order, delay=delay, patience=provider.patience), turn.clock)
    if answer.for_all:
        log.error("method %d waits: %s", provider.method_id, answer.reason)
        until = turn.clock() + provider.patience.seconds(answer.after_seconds)
        perform(lambda uow: claiming.hold_method(uow, method_id=provider.method_id, until=until), turn.clock)


def _fetch_later(turn: Turn, order: Order, answer: Answer) -> None:
    log.warning("%s: the money is not back yet: %s", order.group, answer)
    seconds = FETCH_LATER_SECONDS if isinstance(answer, Rejected | RetryLater) else FETCH_AGAIN_SECONDS
    at = turn.clock() + max(turn.provider.patience.seconds(seconds), timedelta(seconds=1))
    patience, row_id = turn.provider.patience, order.withdrawal_id
    perform(lambda uow: arrivals.fetch_later(uow, withdrawal_id=row_id, at=at, patience=patience), turn.clock)
