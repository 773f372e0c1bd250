"""What happens by the clock: a duty and the seconds between two turns.

RQ's own cron speaks pickle to its queues; ours speak JSON, so the relay keeps this table.
"""

from __future__ import annotations

from datetime import datetime

from portal.extensions import redis

DUTIES: dict[str, int] = {
    "cycle-ends": 60,
    "releases": 3600,
    "paid-cycles": 600,
    "payout-sending": 60,
    "payout-match": 24 * 3600,
    "lead-offers": 60,
    "lead-stages": 20,
    "licence-reminders": 3600,
    "placements": 3600,
    "books": 60,
    "provider-fees": 300,
    "event-sweep": 3600,
    "account-sweep": 3600,
    "charge-sweep": 3600,
    "page-sweep": 86_400,
    "ended-subscriptions": 3600,
    "statements": 600,
}


def duties_due(now: datetime) -> list[str]:
    """The duties whose turn has come; each is named to one relay only."""
    stamp = int(now.timestamp())
    return [
        name
        for name, seconds in DUTIES.items()
        if redis.client.set(f"canopy:duty:{name}:{stamp // seconds}", 1, nx=True, ex=2 * seconds)
    ]
