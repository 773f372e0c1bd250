"""A growing delay for each account whose password is being guessed. Kept in Redis, lost with it.

A browser that has signed in before carries a signed mark and is counted apart, so that strangers who guess
cannot keep the owner out.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import cast

from redis.exceptions import RedisError

from portal.extensions import redis

FREE_TRIES = 5
LONGEST_WAIT_SECONDS = 300
REMEMBERED_SECONDS = 24 * 3600

log = logging.getLogger(__name__)


def may_try(email: str, *, browser: str = "") -> bool:
    """Whether a password for this account may be looked at now; counts the try.

    After five failures a try opens only every 1, 2, 4 … 300 seconds. `browser` marks a known browser.
    """
    return _unless_lost(lambda: _count_try(_key(email, browser)), otherwise=True)


def forget(email: str, *, browser: str = "") -> None:
    """The password was right: start afresh."""
    key = _key(email, browser)
    _unless_lost(lambda: bool(redis.client.delete(key, f"{key}:wait")), otherwise=False)


def _count_try(key: str) -> bool:
    failures = int(cast("bytes | None", redis.client.get(key)) or 0)
    if failures >= FREE_TRIES:
        wait = min(2 ** (failures - FREE_TRIES), LONGEST_WAIT_SECONDS)
        if not redis.client.set(f"{key}:wait", "1", ex=wait, nx=True):
            return False
    redis.client.incr(key)
    redis.client.expire(key, REMEMBERED_SECONDS)
    return True


def _key(email: str, browser: str) -> str:
    return "canopy:tries:" + hashlib.sha256(f"{email}|{browser}".encode()).hexdigest()


def _unless_lost(ask: Callable[[], bool], *, otherwise: bool) -> bool:
    try:
        return ask()
    except RedisError as error:
        log.warning("tries not counted: %s", type(error).__name__)
        return otherwise
