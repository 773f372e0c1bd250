"""Other people's servers, which are told: calm ones, failing ones, and dead ones that never answer."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Longer than a sender waits.
SILENCE = 7.0
# Of the calls that fail, so many are met with silence.
SILENT_PERCENT = 10
# Seconds that an answer takes.
ANSWERING = 0.01


@dataclass(frozen=True)
class Call:
    """One message that came: to whom, when (seconds since 1970), and whether it was taken."""

    address: str
    at: float
    headers: dict[str, str]
    body: bytes
    taken: bool


@dataclass
class Receiver:
    """Addresses are named `calm-0`, `failing-1`, `dead-0`; failing ones fail at `percent` of the calls.

    `together` is how many messages an address answered at the same moment, at most.
    """

    chance: random.Random
    percent: int
    silence: float = SILENCE
    port: int = 0
    secrets: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    together: Counter[str] = field(default_factory=Counter)
    _answering: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url_of(self, name: str) -> str:
        """Where an address of this name is called."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def answer(self, address: str, headers: dict[str, str], body: bytes) -> int | None:
        """The status of the answer, None for none."""
        fails = address.startswith("failing") and self.chance.randrange(100) < self.percent
        dead = address.startswith("dead")
        self.calls.append(Call(address, time.time(), headers, body, taken=not (fails or dead)))
        if dead or (fails and self.chance.randrange(100) < SILENT_PERCENT):
            return None
        self._answer_slowly(address)
        return 500 if fails else 204

    def _answer_slowly(self, address: str) -> None:
        with self._lock:
            self._answering[address] += 1
            self.together[address] = max(self.together[address], self._answering[address])
        time.sleep(ANSWERING)
        with self._lock:
            self._answering[address] -= 1


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    """The addresses on this machine, until the end of the block."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            named = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.answer(self.path.strip("/"), named, body)
            if status is None:
                receiver.closing.wait(receiver.silence)
                return
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    receiver.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()
