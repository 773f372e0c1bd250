"""The embedded default: workers and relay as threads of the one web process, on an in-process Redis.

Started after gunicorn's fork, never by importing `wsgi`, so that commands and tests start none.
"""

from __future__ import annotations

import logging
import threading

from flask import Flask

from jobs import relay
from jobs.work import QUEUES
from jobs.worker import ThreadWorker, make

log = logging.getLogger(__name__)


def start(app: Flask) -> threading.Event:
    """Start a worker thread for each queue and the relay; setting the returned event ends the relay."""
    stop = threading.Event()
    for name in QUEUES:
        threading.Thread(target=_work, args=(app, name), name=f"worker-{name}", daemon=True).start()
    threading.Thread(target=relay.run, args=(app, stop), name="relay", daemon=True).start()
    return stop


def _work(app: Flask, name: str) -> None:
    while True:
        try:
            make(ThreadWorker, app, name).work(logging_level="WARNING")
        except Exception:
            log.exception("the worker of %s begins again", name)
