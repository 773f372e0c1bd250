"""A sandbox on a local port, and a portal's webhook door that writes down what comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from portal.gateways.sandbox import SandboxSettings, build_sandbox
from tests.gateways.outside import SECRET, Door, Outside, serve


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    """The sandbox mounted under /sandbox, as the portal mounts it, beside the portal's webhook door."""
    door = Door()
    shift = [timedelta(0)]
    mount = DispatcherMiddleware(door)
    with serve(mount) as address:
        settings = SandboxSettings(
            database_path=tmp_path / "sandbox.sqlite",
            webhook_url=f"{address}/webhooks/stripe",
            webhook_secret=SECRET,
            public_base_url=f"{address}/sandbox",
            clock=lambda: datetime.now(UTC) + shift[0],
        )
        sandbox = build_sandbox(settings)
        mount.mounts["/sandbox"] = sandbox
        yield Outside(
            address=f"{address}/sandbox",
            door=door,
            app=sandbox,
            shift=shift,
            again=lambda: build_sandbox(settings),
        )
        door.answers = lambda: 200
        until(lambda: sandbox.extensions["sandbox"].courier.idle)


def until(true: Callable[[], bool], *, seconds: float = 6) -> None:
    """Wait for something that a thread does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.01)
