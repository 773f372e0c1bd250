"""The stage on both engines, and on SQLite alone; the real SDK that asks its Stripe over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from portal.gateways.sandbox import SandboxSettings, build_sandbox
from portal.gateways.stripe import StripeGateway
from tests.gateways.outside import Door, serve
from tests.payments.stage import FILE, Stage, build


@pytest.fixture
def stage(app, tmp_path) -> Stage:
    return build(app, tmp_path, file=FILE)


@pytest.fixture
def small_stage(sqlite_app, tmp_path) -> Stage:
    return build(sqlite_app, tmp_path, file=FILE)


@pytest.fixture
def stripe(tmp_path) -> Iterator[StripeGateway]:
    """Stripe as the stage plays it, asked through its SDK."""
    mount = DispatcherMiddleware(Door())
    with serve(mount) as address:
        mount.mounts["/sandbox"] = build_sandbox(
            SandboxSettings(
                database_path=tmp_path / FILE,
                webhook_url="",
                webhook_secret="",
                public_base_url=f"{address}/sandbox",
            )
        )
        yield StripeGateway("sk_test_sandbox", base_url=f"{address}/sandbox/stripe", retries=0)
