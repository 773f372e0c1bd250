"""The plan document: parsed, checked and frozen.

Volumes are hundredths of a point, money is cents, rates are ten-thousandths. Every part but `currency`,
`point_value` and `activity` may be missing, which switches it off.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from portal.engine.arithmetic import MAX, Ints
from portal.engine.fields import Fields
from portal.engine.refusal import Refused, refuse_any

Table = Mapping[str, int]
"""A number for each pack, by the pack's code."""

NOT_THERE_YET: Final = ("unilevel", "revenue_share", "matrix", "matching", "ranks", "pool", "payout_limit")
MODES: Final = ("percent", "pairs", "tiers")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Activity:
    """A member is active with this much volume over this many cycles, the present one included."""

    personal_volume: int
    window_cycles: int


@dataclass(frozen=True)
class Binary:
    """How the two legs are matched, paid, capped and carried."""

    rate: Table
    must_be_active: bool
    each_leg: int
    min_match: int
    cap_volume: Table
    cap_money: Table
    over_cap: str
    unqualified: str
    debt: str
    after_match: str
    carry_limit: int
    carry_cycles: int


@dataclass(frozen=True)
class Plan:
    """A plan that can be right; `services` are the codes with an entry, `service_retail` their own rates."""

    document: dict[str, Any]
    name: str
    currency: str
    cycle: str
    point_value: int
    activity: Activity
    retail: Table | None
    direct: Table | None
    services: tuple[str, ...]
    service_retail: tuple[Table | None, ...]
    binary: Binary | None

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
        tables = [self.retail, self.direct, *self.service_retail]
        if self.binary:
            tables += [self.binary.rate, self.binary.cap_volume, self.binary.cap_money]
        return tuple(sorted({pack for table in tables for pack in table or {}}))


def by_pack(table: Table | None, packs: Sequence[str], *, missing: int = 0) -> Ints:
    """A table's values in the order of the packs."""
    return np.array([(table or {}).get(pack, missing) for pack in packs], np.int64)


def _plan(fields: Fields) -> Plan:
    for name in NOT_THERE_YET:
        if fields.take(name, None) is not None or name in fields.value:
            fields.fault(name, "this part of a plan is not supported yet")
    service_fields = _services(fields)
    plan = Plan(
        document=fields.value,
        name=fields.text("name", ""),
        currency=_currency(fields),
        cycle=fields.text("cycle", ""),
        point_value=_point_value(fields),
        activity=_activity(fields),
        retail=_rate_part(fields, "retail"),
        direct=_rate_part(fields, "direct"),
        services=tuple(service_fields),
        service_retail=tuple(service_fields.values()),
        binary=_binary(fields),
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
    rates = _rates(part, "rate")
    part.close()
    return rates


def _rates(fields: Fields, name: str) -> Table:
    table = fields.part(name)
    return {pack: table.rate(pack) for pack in table.value} if table else {}


def _amounts(fields: Fields | None, name: str) -> Table:
    table = fields.part(name, None) if fields else None
    return {pack: table.amount(pack) for pack in table.value} if table else {}


def _services(fields: Fields) -> dict[str, Table | None]:
    part = fields.part("services", None)
    services: dict[str, Table | None] = {}
    for code in part.value if part else ():
        assert part is not None
        service = part.part(code)
        if service is None:
            continue
        if "revenue_share" in service.value:
            service.asked.add("revenue_share")
            service.fault("revenue_share", "this part of a plan is not supported yet")
        services[code] = _rates(service, "retail") if "retail" in service.value else None
        service.close()
    return services


def _binary(fields: Fields) -> Binary | None:
    part = fields.part("binary", None)
    if part is None:
        return None
    mode = part.choice("mode", MODES)
    if mode != "percent":
        part.fault("mode", f"{mode} is not supported yet")
        return None
    qualify, cap = part.part("qualify", None), part.part("cap", None)
    binary = Binary(
        rate=_rates(part, "rate"),
        must_be_active=qualify.flag("active", True) if qualify else True,
        each_leg=qualify.count("each_leg", 1) if qualify else 1,
        min_match=part.amount("min_match", 0),
        cap_volume=_amounts(cap, "volume"),
        cap_money=_amounts(cap, "money"),
        over_cap=part.choice("over_cap", ("keep", "consume", "flush"), "keep"),
        unqualified=part.choice("unqualified", ("hold", "flush"), "hold"),
        debt=part.choice("debt", ("carry", "clawback"), "carry"),
        after_match=part.choice("after_match", ("carry", "flush"), "carry"),
        carry_limit=part.amount("carry_limit", MAX),
        carry_cycles=part.count("carry_cycles", MAX, least=1),
    )
    for read in (qualify, cap, part):
        if read:
            read.close()
    return binary
