"""A share of the real installs goes through web, workers and relay, week by week, to the last cent paid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.conftest import environment
from tests.services import require_redis
from tools.replay import Plan, replay

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "solar_installs.csv"

pytestmark = [pytest.mark.postgres, pytest.mark.redis]


def test_three_hundred_real_installs_are_applied_once_and_paid_to_the_cent(
    postgresql_database: Any, tmp_path: Path
) -> None:
    if not FILE.exists():
        pytest.skip(f"the real installs are not here: {FILE}")
    port = servers.free_port()
    settings = environment(
        postgresql_database,
        tmp_path,
        REDIS_URL=require_redis().replace("/0", "/7"),
        CANOPY_BIND=f"127.0.0.1:{port}",
        CANOPY_BASE_URL=f"http://127.0.0.1:{port}",
    )
    plan = Plan(str(FILE), rows=300, weeks=2, consultants=200, cancel_share=0.1, duplicate_share=0.1)

    figures = replay(plan, settings, tmp_path)

    assert figures.faults == []
    assert figures.checked["sales"] >= 270
    assert figures.checked["reversals"] >= 15
    assert figures.checked["paid_cents"] > 0
    assert all(week["repeated"] > 0 and week["unanswered"] == 0 for week in figures.weeks)
