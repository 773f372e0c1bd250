"""The relay carries facts from the outbox to the queues: `python -m jobs.relay`, or a thread when embedded.

It is woken after each commit and looks by itself every few seconds, so a lost hint costs seconds. Several
relays may run; each row is carried by one of them.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Sequence

from flask import Flask
from redis.exceptions import RedisError
from rq.registry import StartedJobRegistry
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from jobs.handlers import HANDLERS, RECALCULATED_AFTER, queue_of
from jobs.schedule import duties_due
from jobs.starting import fit_settings
from jobs.work import QUEUES, poke, queue
from portal.arrival.comparing import service as comparisons
from portal.commissions import cycles, projection
from portal.commissions.plans.trials import WAITING as TRIALS_WAITING
from portal.integrations import deliveries, endpoints
from portal.kernel.clock import utc_now
from portal.models import Inbox, Message, Outbox, RefundRequest, Task, Trial, Withdrawal
from portal.payments import fees
from portal.payouts.automatic.claiming import ASKING
from portal.statements import several
from portal.store import UnitOfWork, perform
from portal.store.wake import wait_for_wake

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
MOST_FACTS = 500


def carry() -> int:
    """Turn waiting facts into tasks, at most `MOST_FACTS`; returns how many facts were carried."""
    return perform(_expand)


def look() -> None:
    """Poke every queue that has something due, whoever forgot to."""
    now = utc_now()
    for name in perform(lambda uow: _due(uow)):
        poke(name)
    if projection.is_behind():
        poke("recalculation")
    for name in duties_due(now):
        poke(name)


def rescue_lost_jobs() -> None:
    """Let RQ find jobs whose worker was killed; their rows are due again by themselves."""
    for name in QUEUES:
        StartedJobRegistry(queue=queue(name)).cleanup()


def run(app: Flask, stop: threading.Event) -> None:
    """Carry until `stop` is set; a database or Redis that is away is waited for."""
    while not stop.is_set():
        try:
            with app.app_context():
                while carry() == MOST_FACTS:
                    pass
                look()
                woken = wait_for_wake(LOOK_SECONDS)
                if not woken:
                    rescue_lost_jobs()
        except (RedisError, OperationalError) as away:
            log.warning("relay waits: %s", type(away).__name__)
            stop.wait(1)
        except Exception:
            log.exception("the relay goes on after a fault")
            stop.wait(1)


def main() -> None:
    """The relay as a process of its own."""
    from portal import create_app

    fit_settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(create_app(), stop)


def _expand(uow: UnitOfWork) -> int:
    waiting = select(Outbox).where(Outbox.relayed_at.is_(None)).order_by(Outbox.id).limit(MOST_FACTS)
    facts = uow.session.scalars(waiting.with_for_update(skip_locked=True)).all()
    now, told = uow.clock(), _kinds_told(uow, facts)
    for fact in facts:
        fact.relayed_at = now
        for handler in HANDLERS[fact.name]:
            if _tells_nobody(handler, fact.name, told):
                continue
            uow.session.add(
                Task(
                    outbox_id=fact.id,
                    handler=handler,
                    queue=queue_of(handler),
                    state="new",
                    attempts=0,
                    next_at=now,
                )
            )
    if any(fact.name in RECALCULATED_AFTER for fact in facts):
        # Before the commit: a fact that counts as carried must have had its recalculation asked for.
        projection.request()
    return len(facts)


def _kinds_told(uow: UnitOfWork, facts: Sequence[Outbox]) -> frozenset[str]:
    """What any address is told of, asked once a round and after its facts were read."""
    if not any(fact.name in endpoints.KINDS for fact in facts):
        return frozenset()
    return endpoints.kinds_told(uow.session)


def _tells_nobody(handler: str, fact_name: str, told: frozenset[str]) -> bool:
    """Whether a message would be written for no address: most companies have none, and many sales."""
    of_kind = handler.startswith("jobs.webhooks.") and fact_name in endpoints.KINDS
    return of_kind and fact_name not in told


def _due(uow: UnitOfWork) -> list[str]:
    now = uow.clock()
    tried = ("new", "retry")
    questions = {
        "inbox": select(Inbox.id).where(Inbox.state.in_(tried), Inbox.next_at <= now),
        "money-reactions": select(Task.id).where(
            Task.queue == "money", Task.state.in_(tried), Task.next_at <= now
        ),
        "mail-reactions": select(Task.id).where(
            Task.queue == "mail", Task.state.in_(tried), Task.next_at <= now
        ),
        "cycle-requests": cycles.requests(),
        "payout-sending": select(Withdrawal.id).where(
            Withdrawal.state.in_(ASKING), Withdrawal.next_at <= now
        ),
        "refunds": select(RefundRequest.id).where(
            RefundRequest.state == "asked", RefundRequest.next_at <= now
        ),
        "provider-fees": fees.due(now),
        "comparisons": comparisons.waiting(),
        "webhooks": deliveries.due(now),
        "statement-settling": several.waiting(),
        "trials": select(Trial.id).where(Trial.state.in_(TRIALS_WAITING)),
        "messages": select(Message.id).where(
            Message.state.in_(("queued", "sending")), Message.next_at <= now
        ),
    }
    return [name for name, question in questions.items() if uow.session.scalar(question.limit(1)) is not None]


if __name__ == "__main__":
    main()
