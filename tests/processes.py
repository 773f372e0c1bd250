"""Processes of the portal as they run in production: web, workers, relay; ended with the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import urllib3

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def running(environment: Mapping[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process and all its children; its words go to a log that is shown when it fails."""
    log = Path(environment["CANOPY_INSTANCE"]) / f"{command[-1].replace('/', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=words,
            stderr=words,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    """End a process and everything it started; at SIGKILL also what left its group, as jobs of workers do."""
    try:
        left = started_by(process.pid) if number == signal.SIGKILL else []
        os.killpg(process.pid, number)
        for one in left:
            with suppress(ProcessLookupError):
                os.kill(one, number)
        process.wait(timeout=10)
    except ProcessLookupError:
        pass
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def started_by(process_id: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    above = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            above[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found = [process_id]
    for parent in found:
        found += [one for one, up in above.items() if up == parent]
    return found[1:]


def wait_until(question: Callable[[], object], *, seconds: float = 15, what: str = "it") -> float:
    """Ask until the answer is yes; how long that took. Fails the test when it never is."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if question():
            return time.monotonic() - started
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def answers(url: str) -> bool:
    """Whether a web process is there."""
    try:
        return urllib3.request("GET", url, timeout=1, retries=False).status < 500
    except urllib3.exceptions.HTTPError:
        return False
