"""Tell the relay that there is something to carry. A hint only: it looks by itself every few seconds."""

from __future__ import annotations

import logging
import time

from redis.exceptions import RedisError

from portal.extensions import redis

WAKE_LIST = "canopy:wake"
TURN_SECONDS = 3.0

log = logging.getLogger(__name__)


def wake() -> None:
    """Nudge the relay; losing the nudge costs seconds, never work."""
    try:
        with redis.client.pipeline(transaction=False) as both:
            both.lpush(WAKE_LIST, "1")
            both.ltrim(WAKE_LIST, 0, 9)
            both.execute()
    except RedisError as error:
        log.warning("relay not woken: %s", type(error).__name__)


def wait_for_wake(seconds: float) -> bool:
    """Sleep until somebody calls `wake` or the time is over; True when woken.

    Asks in short turns: the client takes a server that is silent for five seconds for lost.
    """
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if redis.client.blpop([WAKE_LIST], timeout=min(left, TURN_SECONDS)) is not None:
            redis.client.delete(WAKE_LIST)
            return True
    return False
