"""Waiting for a wake-up on a real Redis: longer than the client's patience with a silent server."""

from __future__ import annotations

import threading
import time

import pytest

from portal.extensions import redis
from portal.store.redis import connect
from portal.store.wake import wait_for_wake, wake
from tests.services import require_redis

pytestmark = pytest.mark.redis


@pytest.fixture(autouse=True)
def real_redis():
    before = redis.client if redis._client else None
    redis.use(connect(require_redis()))
    redis.client.flushdb()
    yield
    redis.client.close()
    if before is not None:
        redis.use(before)


def test_nobody_calls_and_the_wait_ends_without_a_complaint():
    started = time.monotonic()

    assert wait_for_wake(5.5) is False
    assert 5.4 < time.monotonic() - started < 8


def test_a_call_ends_the_wait_at_once_and_calls_in_between_are_one():
    caller = threading.Timer(0.2, lambda: [wake(), wake(), wake()])
    caller.start()
    started = time.monotonic()

    assert wait_for_wake(5) is True
    caller.join()
    assert time.monotonic() - started < 2
