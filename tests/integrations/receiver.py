"""Somebody else's server, which is told: it keeps what comes and answers as it likes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log_request(self, *args: Any, **kwargs: Any) -> None:
        pass


@dataclass
class Receiver:
    """`calls` are pairs of headers and body; `answer` gives the status of the next ones."""

    url: str = ""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[], str] = lambda: "204 NO CONTENT"

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        names = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name[:5] == "HTTP_"
        }
        self.calls.append((names, environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))))
        start(self.answer(), [("Content-Type", "text/plain"), ("Location", f"{self.url}/elsewhere")])
        return [b"heard"]


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver on this machine."""
    receiver = Receiver()
    server = make_server("127.0.0.1", 0, receiver, threaded=True, request_handler=_Quiet)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
