"""The stage on both engines, and on SQLite alone."""

from __future__ import annotations

import pytest

from tests.payments.stage import Stage, build


@pytest.fixture
def stage(app, tmp_path) -> Stage:
    return build(app, tmp_path)


@pytest.fixture
def small_stage(sqlite_app, tmp_path) -> Stage:
    return build(sqlite_app, tmp_path)
