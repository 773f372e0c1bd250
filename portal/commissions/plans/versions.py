"""Pay plan documents: the one that is shipped, and which one holds for a cycle."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.engine import Plan
from portal.models import Cycle, PlanVersion
from portal.store import UnitOfWork

# Equal rates for all packs: a higher fee buys tools and higher limits, never a higher rate.
SHIPPED: dict[str, Any] = {
    "name": "Canopy weekly",
    "currency": "USD",
    "cycle": "weekly",
    "point_value": "1.00",
    "activity": {"personal_volume": "100.00", "window_cycles": 4},
    "retail": {"rate": {"pack": "0.0500", "plus": "0.0500", "smart": "0.0500"}},
    "direct": {"rate": {"pack": "0.0400", "plus": "0.0400", "smart": "0.0400"}},
    "binary": {
        "mode": "percent",
        "rate": {"pack": "0.0800", "plus": "0.0800"},
        "qualify": {"active": True, "each_leg": 1},
        "cap": {"money": {"pack": "1000.00", "plus": "5000.00"}},
        "over_cap": "keep",
        "unqualified": "hold",
        "debt": "clawback",
        "after_match": "carry",
    },
}


def add_plan(uow: UnitOfWork, document: dict[str, Any], *, valid_from: datetime) -> PlanVersion:
    """Check a plan document and keep it as a version from an instant on.

    Raises `portal.engine.Refused` with every fault of the document.
    """
    Plan.parse(document)
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    version = PlanVersion(
        name=str(document.get("name", "Plan")),
        document=document,
        sha256=hashlib.sha256(canonical.encode()).hexdigest(),
        valid_from=valid_from,
        created_at=uow.clock(),
    )
    uow.session.add(version)
    uow.session.flush()
    return version


def plan_at(session: Session, instant: datetime) -> PlanVersion:
    """The version that holds for a cycle that starts at this instant.

    Raises `LookupError` when none holds yet.
    """
    version = session.scalar(
        select(PlanVersion)
        .where(PlanVersion.valid_from <= instant)
        .order_by(PlanVersion.valid_from.desc(), PlanVersion.id.desc())
        .limit(1)
    )
    if version is None:
        raise LookupError(f"No pay plan holds on {instant:%Y-%m-%d}.")
    return version


@dataclass(frozen=True)
class VersionRow:
    """A version of the pay plan, and the cycles that were opened with it, newest first.

    One that `is_passed` was never used, because another one began with the cycle that came after its day.
    """

    version: PlanVersion
    cycles: list[str]
    holds_now: bool
    is_passed: bool


def versions(session: Session) -> list[VersionRow]:
    """All versions, the latest start first."""
    used: dict[int, list[str]] = {}
    rows = session.execute(
        select(Cycle.plan_version_id, Cycle.name, Cycle.state, Cycle.starts_at).order_by(
            Cycle.starts_at.desc()
        )
    ).all()
    live = 0
    for version_id, name, state, _starts_at in rows:
        used.setdefault(version_id, []).append(name)
        live = version_id if state == "open" else live
    begun = rows[0].starts_at if rows else None
    found = session.scalars(
        select(PlanVersion).order_by(PlanVersion.valid_from.desc(), PlanVersion.id.desc())
    )
    return [
        VersionRow(
            version,
            used.get(version.id, []),
            version.id == live,
            version.id not in used and begun is not None and version.valid_from <= begun,
        )
        for version in found
    ]
