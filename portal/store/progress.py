"""How far a background job is. Kept in Redis: losing it loses nothing but the bar on a page."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError

from portal.extensions import redis
from portal.kernel.clock import utc_now

_KEPT_SECONDS = 3600
_SURE_AFTER_SECONDS = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """The step that a job is at, how many of `total` things of it are done, and when the job began."""

    step: str
    steps: tuple[str, ...]
    done: int
    total: int
    started_at: datetime

    @property
    def percent(self) -> int:
        """How much of the whole is done, 0 to 99; each step counts the same."""
        part = min(self.done / self.total, 1) if self.total else 0
        return min(int(100 * (self.steps.index(self.step) + part) / len(self.steps)), 99)

    @property
    def seconds_left(self) -> int | None:
        """An estimate by the speed so far; None in the first five seconds."""
        elapsed = (utc_now() - self.started_at).total_seconds()
        if elapsed < _SURE_AFTER_SECONDS or not self.percent:
            return None
        return int(elapsed * (100 - self.percent) / self.percent)


def report(subject: str, *, step: str, steps: tuple[str, ...], done: int = 0, total: int = 0) -> None:
    """Say how far the job about `subject` is; its first step starts it anew."""
    if step not in steps:
        raise ValueError(f"{step} is none of {steps}")
    before = None if step == steps[0] and not done else read(subject)
    started_at = before.started_at if before else utc_now()
    state = {
        "step": step,
        "steps": steps,
        "done": done,
        "total": total,
        "started_at": started_at.isoformat(),
    }
    try:
        redis.client.set(_key(subject), json.dumps(state), ex=_KEPT_SECONDS)
    except RedisError as error:
        log.warning("progress not kept: %s", type(error).__name__)


def read(subject: str) -> Progress | None:
    """How far the job is; None when nothing is known about one."""
    try:
        stored: Any = redis.client.get(_key(subject))
    except RedisError:
        return None
    if stored is None:
        return None
    state = json.loads(stored)
    started_at = datetime.fromisoformat(state["started_at"])
    return Progress(state["step"], tuple(state["steps"]), state["done"], state["total"], started_at)


def clear(subject: str) -> None:
    """The job is over."""
    try:
        redis.client.delete(_key(subject))
    except RedisError as error:
        log.warning("progress not cleared: %s", type(error).__name__)


def _key(subject: str) -> str:
    return f"canopy:progress:{subject}"
