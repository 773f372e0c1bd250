"""What there is to do in the background, and how the queues learn of it.

A job in a queue is a wake-up without arguments: it drains rows that are due in the database. Redis may forget
all of it; the relay looks again every few seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from rq import Queue
from rq.serializers import JSONSerializer

from portal.extensions import redis

QUEUES = ("money", "mail", "payouts", "recalculate", "trials", "webhooks")
_WAITING_SECONDS = 30


@dataclass(frozen=True)
class Work:
    """A kind of work: the queue it runs on, the function that drains it, the seconds it may take."""

    queue: str
    function: str
    seconds: int


WORKS: dict[str, Work] = {
    "inbox": Work("money", "jobs.inbox.drain", 300),
    "money-reactions": Work("money", "jobs.reactions.drain_money", 300),
    "mail-reactions": Work("mail", "jobs.reactions.drain_mail", 300),
    "messages": Work("mail", "jobs.mail.drain", 300),
    "recalculation": Work("recalculate", "jobs.commissions.recalculate", 600),
    "cycle-ends": Work("money", "jobs.commissions.end_due_cycles", 300),
    "cycle-requests": Work("money", "jobs.commissions.do_requested", 3600),
    "releases": Work("money", "jobs.payouts.release_due", 600),
    "paid-cycles": Work("money", "jobs.payouts.settle_cycles", 300),
    "payout-sending": Work("payouts", "jobs.sending.drain", 3600),
    "payout-match": Work("payouts", "jobs.matching.match_all", 3600),
    "lead-offers": Work("money", "jobs.leads.hand_over", 300),
    "lead-stages": Work("money", "jobs.leads.follow_contracts", 300),
    "licence-reminders": Work("money", "jobs.licences.remind", 300),
    "placements": Work("money", "jobs.members.place_waiting", 300),
    "refunds": Work("money", "jobs.refunds.drain", 300),
    "provider-fees": Work("money", "jobs.fees.drain", 600),
    "event-sweep": Work("money", "jobs.sweep.ask_for_events", 600),
    "account-sweep": Work("money", "jobs.sweep.ask_for_accounts", 600),
    "charge-sweep": Work("money", "jobs.sweep.ask_for_charges", 600),
    "page-sweep": Work("money", "jobs.sweep.ask_for_pages", 600),
    "ended-subscriptions": Work("money", "jobs.sweep.end_subscriptions", 300),
    "comparisons": Work("trials", "jobs.comparisons.drain", 3600),
    "webhooks": Work("webhooks", "jobs.webhooks.drain", 600),
    "trials": Work("trials", "jobs.trials.drain", 3600),
    "books": Work("money", "jobs.books.check", 300),
    "statement-settling": Work("money", "jobs.statements.settle_chosen", 1800),
    "statements": Work("money", "jobs.statements.compare_again", 600),
}


def poke(name: str) -> None:
    """Queue a wake-up for this work unless one is waiting already.

    The mark is taken away when the wake-up starts, before it looks at the database: whatever was committed
    while the mark stood is seen by it.
    """
    work = WORKS[name]
    if redis.client.set(_mark(name), 1, nx=True, ex=_WAITING_SECONDS):
        queue(work.queue).enqueue(
            run, name, job_timeout=work.seconds, result_ttl=0, failure_ttl=7 * 24 * 3600
        )


def run(name: str) -> None:
    """The one function that the queues call."""
    redis.client.delete(_mark(name))
    module, _, function = WORKS[name].function.rpartition(".")
    drain: Callable[[], object] = getattr(import_module(module), function)
    drain()


def queue(name: str) -> Queue:
    """A queue whose jobs are plain JSON, so that whoever writes to Redis cannot run code of their own."""
    return Queue(name, connection=redis.client, serializer=JSONSerializer)


def _mark(name: str) -> str:
    return f"canopy:waiting:{name}"
