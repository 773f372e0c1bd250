"""The workers: `python -m jobs.worker [QUEUE …]`; without a queue, one process for each kind of work."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import Any

from flask import Flask
from rq import SimpleWorker, Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from rq.worker import BaseWorker

from jobs.starting import fit_settings
from jobs.work import QUEUES, queue
from portal.extensions import db, redis

WORKER_TTL_SECONDS = 60
FORKING = ("money", "mail")
# Providers may be slow: what calls them keeps no other money waiting.
CALLING = ("payouts",)
WARM = ("recalculate",)
# Trials of plans take minutes and nobody's money waits for them.
TRYING = ("trials",)
# Addresses that people gave us may be slow: nothing of ours waits for them.
TELLING = ("webhooks",)

_app: list[Flask] = []


class InApp:
    """Every job gets an application context of its own, so a database session of its own."""

    def perform_job(self, job: Job, queue: Queue, *more: Any, **named: Any) -> bool:
        with _app[0].app_context():
            return bool(super().perform_job(job, queue, *more, **named))  # type: ignore[misc]


class ForkingWorker(InApp, Worker):
    """A process for each job; a job that dies takes nothing with it."""

    def perform_job(self, job: Job, queue: Queue, *more: Any, **named: Any) -> bool:
        with _app[0].app_context():
            db.engine.dispose(close=False)
        return super().perform_job(job, queue, *more, **named)


class WarmWorker(InApp, SimpleWorker):
    """One process for all jobs: recalculation keeps its arrays from one to the next."""


class ThreadWorker(InApp, SimpleWorker):
    """A worker in a thread of the embedded default: no signals there."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        pass


def make(kind: type[BaseWorker], app: Flask, *names: str) -> BaseWorker:
    """A worker of a kind for some queues."""
    _app[:] = [app]
    queues = [queue(name) for name in names]
    return kind(queues, connection=redis.client, serializer=JSONSerializer, worker_ttl=WORKER_TTL_SECONDS)


def main(names: list[str]) -> None:
    """Work on the named queues; on all of them, in a process for each kind, when none is named."""
    unknown = [name for name in names if name not in QUEUES]
    if unknown:
        sys.exit(f"There is no queue {unknown[0]}; the queues are {', '.join(QUEUES)}.")
    fit_settings()
    if not names:
        _keep_all_running()
        return
    from portal import create_app

    kind: type[BaseWorker] = WarmWorker if set(names) <= set(WARM) else ForkingWorker
    make(kind, create_app(), *names).work(logging_level="WARNING")


def _keep_all_running() -> None:
    """Start one worker for each kind and start it again when it dies, until a signal ends all."""
    commands = [
        [sys.executable, "-m", "jobs.worker", *names] for names in (FORKING, CALLING, WARM, TRYING, TELLING)
    ]
    running = [subprocess.Popen(command) for command in commands]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(1):
        for place, process in enumerate(running):
            if process.poll() is not None:
                running[place] = subprocess.Popen(commands[place])
    for process in running:
        process.terminate()
    for process in running:
        process.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
