"""How the web process runs; `gunicorn wsgi:app` reads this file by itself.

Without REDIS_URL the queue lives inside the one web process (the embedded default): its threads start after
the fork, and a second process is refused.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn, TextIO

from jobs import one_process
from portal.config import BadSettings, Settings, read_settings
from portal.store.readiness import database_faults

bind = os.environ.get("CANOPY_BIND", f"127.0.0.1:{os.environ.get('PORT', '8000')}")
worker_class = "gthread"
threads = 16
graceful_timeout = 10
control_socket_disable = True

_held: list[TextIO] = []


def on_starting(server: Any) -> None:
    """Refuse what cannot work, one line for each reason, before anything is forked."""
    settings = _settings()
    if settings.embedded:
        _keep_to_one_process(server.cfg.workers, settings)
    if faults := database_faults(settings):
        _refuse("\n".join(faults))


def nworkers_changed(server: Any, new_value: int, old_value: int | None) -> None:
    """Stay with one process when a signal asks for more and there is no Redis."""
    if old_value is not None and new_value > 1 and _settings().embedded:
        server.num_workers = 1


def post_worker_init(worker: Any) -> None:
    """Start the queue's threads in the embedded default, then say where the portal is."""
    if _settings().embedded:
        from jobs import embedded

        embedded.start(worker.wsgi)
    welcome = os.environ.pop("CANOPY_WELCOME", "")
    if welcome:
        print(welcome, flush=True)


def _keep_to_one_process(workers: int, settings: Settings) -> None:
    if workers > 1:
        _refuse(f"{workers} web processes need REDIS_URL: without it the queue lives in one process.")
    try:
        _held.append(one_process.hold(settings.instance))
    except one_process.AlreadyRunning as reason:
        _refuse(str(reason))


def _settings() -> Settings:
    try:
        return read_settings(os.environ)
    except BadSettings as faults:
        _refuse(str(faults))


def _refuse(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(1)
