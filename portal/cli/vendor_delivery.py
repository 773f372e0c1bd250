"""Signs events and posts them, several at a time, as a vendor's own program would."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import urllib3

from portal.cli.vendor_feed import Event
from portal.gateways.vendor_sender import Key, Sender

MOST_TRIES = 8
LONGEST_WAIT_SECONDS = 60
_TRY_AGAIN = (429, 502, 503, 504)


@dataclass(frozen=True)
class Line:
    """Where events go: the portal's address, the key of each vendor and of all others (`""`)."""

    url: str
    keys: Mapping[str, Key]
    connections: int = 8
    rate: int = 0

    def key_of(self, vendor: str) -> Key | None:
        return self.keys.get(vendor) or self.keys.get("")


@dataclass
class Counts:
    """What became of what was sent; `unanswered` events got no answer in eight tries."""

    sent: int = 0
    accepted: int = 0
    repeated: int = 0
    unanswered: int = 0
    waited: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: str, *, waits: int = 0) -> None:
        with self._lock:
            self.sent += 1
            self.waited += waits
            if outcome in ("accepted", "repeated", "unanswered"):
                setattr(self, outcome, getattr(self, outcome) + 1)
            else:
                self.refused[outcome] += 1


def deliver(events: Iterable[Event], line: Line) -> Counts:
    """Post every event, in order as far as several connections allow; answers that ask to wait are obeyed."""
    counts = Counts()
    pool = urllib3.PoolManager(maxsize=line.connections, block=True, timeout=30, retries=False)
    turns = _Turns(events, rate=line.rate)

    def work() -> None:
        for event in turns:
            _deliver_one(pool, event, line, counts)

    with ThreadPoolExecutor(line.connections) as workers:
        for done in [workers.submit(work) for _ in range(line.connections)]:
            done.result()
    pool.clear()
    return counts


class _Turns:
    """Hands each event to one of several threads, no faster than `rate` a second (0: as fast as it goes)."""

    def __init__(self, events: Iterable[Event], *, rate: int) -> None:
        self._events = iter(events)
        self._pause = 1 / rate if rate else 0
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Event]:
        while True:
            with self._lock:
                event = next(self._events, None)
                wait = self._next - time.monotonic()
                self._next = max(self._next, time.monotonic()) + self._pause
            if event is None:
                return
            if wait > 0 and self._pause:
                time.sleep(wait)
            yield event


def _deliver_one(pool: urllib3.PoolManager, event: Event, line: Line, counts: Counts) -> None:
    key = line.key_of(event.vendor)
    if key is None:
        counts.add(f"no key for {event.vendor}")
        return
    sender = Sender(line.url, key, pool=pool)
    for attempt in range(MOST_TRIES):
        answer = sender.post("events", message_id=event.event_id, body=event.body)
        if answer is not None and answer.status not in _TRY_AGAIN:
            counts.add(_outcome(answer), waits=attempt)
            return
        time.sleep(_wait(answer, attempt))
    counts.add("unanswered", waits=MOST_TRIES)


def _outcome(answer: urllib3.BaseHTTPResponse) -> str:
    known = {202: "accepted", 200: "repeated"}
    return known.get(answer.status) or f"{answer.status} {reason(answer.data)}"


def reason(body: bytes) -> str:
    """Why something was refused, in one line."""
    try:
        document = json.loads(body)
        named = [f"{error['field']}: {error['message']}" for error in document.get("errors", [])]
        return "; ".join(named) or str(document["detail"])
    except (ValueError, KeyError, AttributeError, TypeError):
        return "without a reason"


def _wait(answer: urllib3.BaseHTTPResponse | None, attempt: int) -> float:
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    wait = int(asked) if asked.isdecimal() else 0.2 * 2**attempt
    return min(wait, LONGEST_WAIT_SECONDS)
