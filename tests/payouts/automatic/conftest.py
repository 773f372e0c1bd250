"""The portal served on a port of its own, so that its jobs reach the played providers over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from portal.kernel import clock
from tests.conftest import Database
from tests.gateways.conftest import until
from tests.payouts.automatic.show import Show, served
from tests.servers import free_port
from tools.soak.people import play_of


@pytest.fixture
def app(
    database: Database, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    port = free_port()
    made = make_app(database, CANOPY_BASE_URL=f"http://127.0.0.1:{port}")
    with served(made, port):
        yield made
        until(lambda: play_of(made).courier.idle, seconds=20)


@pytest.fixture
def show(app: Flask) -> Show:
    return Show(app, app.config["SETTINGS"].instance / "sandbox.sqlite")
