"""Tell the relay that there is something to carry. A hint only: it looks by itself every few seconds."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError

from portal.extensions import redis

WAKE_LIST = "canopy:wake"

log = logging.getLogger(__name__)


def wake() -> None:
    """Nudge the relay; losing the nudge costs seconds, never work."""
    try:
        redis.client.lpush(WAKE_LIST, "1")
        redis.client.ltrim(WAKE_LIST, 0, 9)
    except RedisError as error:
        log.warning("relay not woken: %s", type(error).__name__)


def wait_for_wake(seconds: float) -> bool:
    """Sleep until somebody calls `wake` or the time is over; True when woken."""
    if redis.client.blpop([WAKE_LIST], timeout=seconds) is None:
        return False
    redis.client.delete(WAKE_LIST)
    return True
