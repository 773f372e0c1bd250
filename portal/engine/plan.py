"""The plan document: parsed, checked and frozen.

Volumes are hundredths of a point, money is cents, rates are ten-thousandths. Every part but `currency`,
`point_value` and `activity` may be missing, which switches it off.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from portal.engine.arithmetic import Ints
from portal.engine.binary_plan import Binary, read_binary
from portal.engine.fields import Fields
from portal.engine.parts import (
    Levels,
    Matching,
    Matrix,
    Rank,
    Rates,
    Table,
    rates_by_pack,
    read_levels,
    read_matching,
    read_matrix,
    read_pool,
    read_ranks,
)
from portal.engine.refusal import Refused, refuse_any

_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Activity:
    """A member is active with this much volume over this many cycles, the present one included."""

    personal_volume: int
    window_cycles: int


class Service(NamedTuple):
    """What a service pays instead of what the plan says; None where it says nothing of its own."""

    retail: Table | None
    revenue_share: Rates | None


@dataclass(frozen=True)
class Plan:
    """A plan that can be right; `services` are the codes with an entry, `service_rates` what they say."""

    document: dict[str, Any]
    name: str
    currency: str
    cycle: str
    point_value: int
    activity: Activity
    services: tuple[str, ...]
    service_rates: tuple[Service, ...]
    retail: Table | None
    direct: Table | None
    unilevel: Levels | None
    revenue_share: Levels | None
    matrix: Matrix | None
    binary: Binary | None
    matching: Matching | None
    ranks: tuple[Rank, ...]
    pool: int | None
    payout_limit: int | None

    @staticmethod
    def parse(document: object) -> Plan:
        """Read a plan document. Raises Refused with a line for each fault, each naming its field."""
        faults: list[str] = []
        if not isinstance(document, dict):
            raise Refused(["plan: must be an object"])
        plan = _plan(Fields(document, "plan", faults))
        refuse_any(faults)
        return replace(plan, document=copy.deepcopy(document))

    @property
    def packs(self) -> tuple[str, ...]:
        """Every pack that the plan names, in alphabetical order."""
        tables = [self.retail, self.direct, *(service.retail for service in self.service_rates)]
        tables.append(self.matching.depth if self.matching else None)
        named = {pack for table in tables for pack in table or {}}
        return tuple(sorted(named | (self.binary.packs if self.binary else set())))

    @property
    def version(self) -> str:
        """What tells one version of a plan from another: the SHA-256 of its document."""
        canonical = json.dumps(self.document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def share_levels(self) -> Levels:
        """`revenue_share`, or none but a service's own."""
        return self.revenue_share or Levels((), compress=True)


def by_pack(table: Table | None, packs: Sequence[str], *, missing: int = 0) -> Ints:
    """A table's values in the order of the packs."""
    return np.array([(table or {}).get(pack, missing) for pack in packs], np.int64)


def _plan(fields: Fields) -> Plan:
    services = _services(fields)
    plan = Plan(
        document=fields.value,
        name=fields.text("name", ""),
        currency=_currency(fields),
        cycle=fields.text("cycle", ""),
        point_value=_point_value(fields),
        activity=_activity(fields),
        services=tuple(services),
        service_rates=tuple(services.values()),
        retail=_rate_part(fields, "retail"),
        direct=_rate_part(fields, "direct"),
        unilevel=read_levels(fields, "unilevel"),
        revenue_share=read_levels(fields, "revenue_share"),
        matrix=read_matrix(fields),
        binary=read_binary(fields),
        matching=read_matching(fields),
        ranks=read_ranks(fields),
        pool=read_pool(fields),
        payout_limit=fields.rate("payout_limit") if "payout_limit" in fields.value else None,
    )
    fields.close()
    return plan


def _currency(fields: Fields) -> str:
    currency = fields.text("currency")
    if "currency" in fields.value and fields.sound and not _CURRENCY.fullmatch(currency):
        fields.fault("currency", 'must be three capital letters, like "USD"')
    return currency


def _point_value(fields: Fields) -> int:
    """Cents per point, from 0.01 to 100.00."""
    return fields.amount("point_value", least=1, most=10_000)


def _activity(fields: Fields) -> Activity:
    part = fields.part("activity")
    if part is None:
        return Activity(0, 1)
    activity = Activity(part.amount("personal_volume"), part.count("window_cycles", least=1))
    part.close()
    return activity


def _rate_part(fields: Fields, name: str) -> Table | None:
    """A part that has nothing but a rate for each pack."""
    part = fields.part(name, None)
    if part is None:
        return None
    rates = rates_by_pack(part, "rate")
    part.close()
    return rates


def _services(fields: Fields) -> dict[str, Service]:
    part = fields.part("services", None)
    services: dict[str, Service] = {}
    # In the order of their codes: a frozen document keeps no other.
    for code in sorted(part.value) if part else ():
        assert part is not None
        own = part.part(code)
        if own is None:
            continue
        retail = rates_by_pack(own, "retail") if "retail" in own.value else None
        shares = own.rates("revenue_share") if "revenue_share" in own.value else None
        services[code] = Service(retail, shares)
        own.close()
    return services
