"""What one sale of a service pays somebody: the engine's own answer for a network of two.

Somebody sells, and somebody whom they sponsor sells the same. Only what is paid for each sale is told: own
sales, sales of people sponsored, levels and revenue share. What depends on legs, ranks and the whole company
is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from portal.commissions.queries import open_cycle
from portal.commissions.service_terms import Shares, entry_name, extended
from portal.engine import EVENT_KINDS, Plan, calculate, case
from portal.models import Service, TermsVersion

_ME, _SPONSORED = "me", "sponsored"
# Whoever is asked about counts as active, whatever the plan asks for.
_ACTIVE: Final = "1000000000.00"


@dataclass(frozen=True)
class Sample:
    """A sale: hundredths of volume, cents of revenue, and what the plan calls its service."""

    name: str
    volume: int
    revenue: int
    service: str | None


@dataclass(frozen=True)
class Pay:
    """Cents for one's own sale, and for the same sale by somebody whom one sponsors."""

    own: int
    sponsored: int


def plan_of_today(
    session: Session, sold: Iterable[tuple[Service, TermsVersion]], *, pack: str
) -> Plan | None:
    """The plan of the open cycle with what these terms share; None where no cycle is open."""
    cycle = open_cycle(session)
    if cycle is None:
        return None
    plan = Plan.parse(dict(cycle.plan_version.document))
    entries = {}
    for service, terms in sold:
        shares = Shares.of(terms)
        if shares is not None:
            entries[entry_name(service, terms)] = shares.entry([pack])
    return extended(plan, entries)


def called(plan: Plan, service: Service, terms: TermsVersion) -> str | None:
    """What a plan calls sales of a service by these terms; None where it has nothing of its own for them."""
    name = service.code if terms.shares is None else entry_name(service, terms)
    return name if name in plan.services else None


def paid(plan: Plan, samples: Sequence[Sample], *, pack: str) -> dict[str, Pay]:
    """What each sample pays somebody with a pack. Raises `portal.engine.Refused` beyond what can be paid."""
    inputs, names = case.read(json.dumps(_case(plan, samples, pack)).encode())
    lines, me = calculate(inputs).lines, list(names.members).index(_ME)
    sums: dict[str, int] = {}
    for member, kind, amount, source in zip(
        *(column.tolist() for column in (lines.member, lines.kind, lines.amount, lines.source)), strict=True
    ):
        if member == me and kind in EVENT_KINDS:
            sums[names.events[source]] = sums.get(names.events[source], 0) + amount
    return {
        sample.name: Pay(sums.get(f"{_ME} {sample.name}", 0), sums.get(f"{_SPONSORED} {sample.name}", 0))
        for sample in samples
    }


def _case(plan: Plan, samples: Sequence[Sample], pack: str) -> dict[str, Any]:
    members = [
        {"id": _ME, "sponsor": None, "parent": None, "leg": None},
        {"id": _SPONSORED, "sponsor": _ME, "parent": None, "leg": None},
    ]
    sales = [
        {
            "id": f"{seller} {sample.name}",
            "member": seller,
            "at": "2026-01-01T00:00:00Z",
            "volume": _decimal(sample.volume),
            "revenue": _decimal(sample.revenue),
            "service": sample.service,
        }
        for seller in (_ME, _SPONSORED)
        for sample in samples
    ]
    everybody = [{**member, "pack": pack, "pv_prior": _ACTIVE} for member in members]
    return {"plan": plan.document, "members": everybody, "events": sales}


def _decimal(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"
