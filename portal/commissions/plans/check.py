"""What the company must not do with a plan, and what it should think of twice.

A plan pays on sales, and a sale is a milestone of a customer's contract with a vendor: a registration fee is
a payment and never becomes one. What the format still could do is refused here: rates for a service that is
in truth a registration, and pay for a head count without any sale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.commissions.plans.words import percent
from portal.engine import Plan
from portal.engine.binary_plan import Binary, Pairs, Percent
from portal.engine.parts import Table
from portal.models import Contract, Customer, Pack, Sale, Service

WHOLE: Final = 10_000
OWN_USE: Final = 3_000
MANY_GENERATIONS: Final = 3


@dataclass(frozen=True)
class Finding:
    """Something about a plan: `refused` cannot go live; the rest wants a reason."""

    code: str
    text: str
    refused: bool = False


@dataclass(frozen=True)
class Company:
    """What the check looks at beside the plan: a year's fees of the packs in cents, the services, and what
    part of all volume consultants sold to themselves, in ten-thousandths."""

    fees: Mapping[str, int]
    services: frozenset[str]
    own_use: int = 0


def company(session: Session) -> Company:
    """The company as it is now."""
    packs = session.execute(select(Pack.code, Pack.price_cents, Pack.monthly_cents)).all()
    return Company(
        fees={code: price + 12 * monthly for code, price, monthly in packs},
        services=frozenset(session.scalars(select(Service.code))),
        own_use=_own_use(session),
    )


def findings(plan: Plan, company: Company) -> list[Finding]:
    """Everything that is to be said about a plan that can be right."""
    checks = (_registration, _head_count, _rising, _ratio, _caps, _generations, _own, _unknown)
    return [finding for check in checks for finding in check(plan, company)]


def _registration(plan: Plan, company: Company) -> Iterator[Finding]:
    for code in sorted(set(company.fees) & (set(plan.services) | set(company.services))):
        text = (
            f"The service {code} has the code of a registration plan; nothing may be paid on a registration."
        )
        yield Finding("registration", text, refused=True)


def _head_count(plan: Plan, company: Company) -> Iterator[Finding]:
    """The pool is shared by ranks: one that asks for people alone would pay for recruiting."""
    if plan.activity.personal_volume or not plan.pool:
        return
    for rank in plan.ranks:
        if rank.personal_volume or rank.weak_leg_volume:
            return
        if rank.pool_shares:
            yield Finding(
                "head-count",
                f"The rank {rank.name} shares in the pool for people alone: it, activity and "
                "the ranks below ask for no volume of customers.",
                refused=True,
            )


def _rising(plan: Plan, company: Company) -> Iterator[Finding]:
    for name, table in _rate_tables(plan):
        paid = sorted(
            (company.fees[pack], rate, pack) for pack, rate in table.items() if rate and pack in company.fees
        )
        for (fee, rate, pack), (higher_fee, higher_rate, other) in pairwise(paid):
            if higher_fee > fee and higher_rate > rate:
                yield Finding(
                    "rising-rates",
                    f"{name}: {other} costs more than {pack} and gets a higher rate "
                    f"({percent(higher_rate)}, not {percent(rate)}). Nobody may buy a higher rate.",
                )
                break


def _rate_tables(plan: Plan) -> Iterator[tuple[str, Table]]:
    tables: list[tuple[str, Table | None]] = [
        ("Own sales", plan.retail),
        ("Sales of people sponsored", plan.direct),
    ]
    if plan.binary and isinstance(plan.binary.mode, Percent):
        tables.append(("Binary", plan.binary.mode.rate))
    for code, service in zip(plan.services, plan.service_rates, strict=True):
        tables.append((f"Service {code}", service.retail))
    yield from ((name, table) for name, table in tables if table)


def _ratio(plan: Plan, company: Company) -> Iterator[Finding]:
    volume, revenue = on_volume(plan), on_revenue(plan)
    if revenue > WHOLE:
        yield Finding(
            "ratio-on-revenue", f"Own sales and revenue share together can pay {percent(revenue)} of revenue."
        )
    if volume > WHOLE and plan.payout_limit is None:
        yield Finding("ratio-on-volume", f"All levels together can pay {percent(volume)} of volume.")
    if plan.payout_limit is not None and volume > plan.payout_limit:
        yield Finding(
            "ratio-over-limit",
            f"All levels together can pay {percent(volume)} of volume and the limit is "
            f"{percent(plan.payout_limit)}: matching, generations and pool will be scaled down.",
        )
    if plan.payout_limit is None and plan.binary:
        yield Finding(
            "no-limit",
            "No payout limit: everybody above matches the same volume once more, so that nothing bounds what "
            "a deep tree pays in all.",
        )


def on_volume(plan: Plan) -> int:
    """The most that is paid on a point, in ten-thousandths: every level, one match, all its generations."""
    levels = sum(sum(part.rates) for part in (plan.unilevel, plan.matrix) if part)
    match = _of_match(plan, plan.binary) if plan.binary else 0
    generations = sum(plan.matching.rates) if plan.matching else 0
    return (
        max([*(plan.direct or {}).values(), 0])
        + levels
        + (plan.pool or 0)
        + match
        + match * generations // WHOLE
    )


def on_revenue(plan: Plan) -> int:
    """The most that is paid on the revenue of a sale, in ten-thousandths."""
    general = max([*(plan.retail or {}).values(), 0]), sum(plan.share_levels.rates)
    sums = [sum(general)]
    for service in plan.service_rates:
        retail = general[0] if service.retail is None else max([*service.retail.values(), 0])
        sums.append(retail + (general[1] if service.revenue_share is None else sum(service.revenue_share)))
    return max(sums)


def _of_match(plan: Plan, binary: Binary) -> int:
    """What one match pays of the volume that it takes from both legs, in ten-thousandths."""
    mode = binary.mode
    if isinstance(mode, Percent):
        return max([*mode.rate.values(), 0]) // 2
    if isinstance(mode, Pairs):
        return mode.pay * WHOLE * 100 // ((mode.strong + mode.weak) * plan.point_value)
    return max(
        pay * WHOLE * 100 // (2 * volume * plan.point_value)
        for volume, pay in zip(mode.volumes, mode.pays, strict=True)
    )


def _caps(plan: Plan, company: Company) -> Iterator[Finding]:
    if plan.binary is None:
        return
    mode = plan.binary.mode
    earning = (
        {pack for pack, rate in mode.rate.items() if rate} if isinstance(mode, Percent) else set(company.fees)
    )
    capped = set(plan.binary.cap_money)
    capped |= set(mode.cap_volume) if isinstance(mode, Percent) else set()
    capped |= set(mode.cap_pairs) if isinstance(mode, Pairs) else set()
    if earning - capped:
        packs = ", ".join(sorted(earning - capped))
        yield Finding("no-cap", f"No cap on what matching pays a person with: {packs}.")


def _generations(plan: Plan, company: Company) -> Iterator[Finding]:
    if plan.matching is None:
        return
    paid, asked = (
        len(plan.matching.rates),
        [*plan.matching.depth.values(), *(rank.matching_depth for rank in plan.ranks)],
    )
    if max([*asked, 0]) > paid:
        yield Finding(
            "empty-generations", f"Some count {max(asked)} generations, but only {paid} have a rate."
        )
    if paid > MANY_GENERATIONS:
        yield Finding(
            "many-generations",
            f"Matching is paid for {paid} generations; what a match costs grows with each.",
        )


def _own(plan: Plan, company: Company) -> Iterator[Finding]:
    if company.own_use > OWN_USE:
        yield Finding(
            "own-use",
            f"{percent(company.own_use)} of all volume was sold by consultants to themselves; more "
            f"than {percent(OWN_USE)} looks like pay for joining.",
        )


def _unknown(plan: Plan, company: Company) -> Iterator[Finding]:
    packs, services = set(plan.packs) - set(company.fees), set(plan.services) - company.services
    if packs:
        yield Finding("unknown-packs", f"No registration plan has the code {', '.join(sorted(packs))}.")
    if services - set(company.fees):
        named = ", ".join(sorted(services - set(company.fees)))
        yield Finding("unknown-services", f"No vendor has a service with the code {named}.")


def _own_use(session: Session) -> int:
    """What part of all volume stands in contracts of consultants' own households."""
    sold = session.scalar(select(func.sum(Sale.volume))) or 0
    to_self = session.scalar(
        select(func.sum(Sale.volume))
        .join(Contract, Contract.id == Sale.contract_id)
        .join(Customer, Customer.id == Contract.customer_id)
        .where(Customer.own_use)
    )
    return int(to_self or 0) * WHOLE // int(sold) if sold > 0 else 0


def document_check(document: dict[str, Any], company: Company) -> list[Finding]:
    """The findings about a document. Raises `portal.engine.Refused` where it cannot be right."""
    return findings(Plan.parse(document), company)
