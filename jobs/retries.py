"""When something is tried again, and when no more."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

MOST_TRIES = 8
FIRST_WAIT_SECONDS = 10


def next_try(now: datetime, *, attempts: int) -> datetime:
    """10 s, 30 s, 90 s, … with a fifth of jitter, by the number of failures so far."""
    return now + timedelta(seconds=FIRST_WAIT_SECONDS * 3 ** (attempts - 1) * random.uniform(0.8, 1.2))
