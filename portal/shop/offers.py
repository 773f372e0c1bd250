"""What the services in the catalogue pay one consultant, and what stands against selling them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions import samples
from portal.commissions.samples import Pay, Sample
from portal.engine import Plan, Refused
from portal.kernel.errors import BadInput
from portal.leads.selling import may_sell
from portal.models import Consultant, Licence, Pack, Service, TermsVersion
from portal.payments.orders import is_sold_here
from portal.sales.worth import worth

Sold = tuple[Service, TermsVersion]
_EXAMPLES = {"kw": 8_000, "kwp": 8_000, "kwh": 10_000}
_ONE = 1_000


@dataclass(frozen=True)
class Step:
    """A milestone, or a month: hundredths of volume, cents of revenue, and what it pays."""

    name: str
    volume: int
    revenue: int
    pay: Pay


@dataclass(frozen=True)
class Offer:
    """A service as one consultant sees it; `barred` and `missing` say why not, at all or in some states."""

    service: Service
    terms: TermsVersion
    size: int
    steps: Sequence[Step]
    monthly: Step | None
    barred: str
    missing: Sequence[str]

    @property
    def by_size(self) -> bool:
        """Whether a larger size is worth more."""
        terms = self.terms
        per_unit = terms.volume_per_unit, terms.revenue_per_unit_cents
        return any((*per_unit, terms.residual_volume_per_unit, terms.residual_revenue_per_unit_cents))

    @property
    def own(self) -> int:
        """What all milestones together pay for an own sale, cents."""
        return sum(step.pay.own for step in self.steps)

    @property
    def volume(self) -> int:
        """The volume of all milestones together."""
        return sum(step.volume for step in self.steps)

    @property
    def is_sold_here(self) -> bool:
        return is_sold_here(self.service)


def example_size(service: Service) -> int:
    """A size to begin with, thousandths: what a home often has."""
    return _EXAMPLES.get(service.unit.lower(), _ONE)


def offers_for(
    session: Session, me: Consultant, sold: Sequence[Sold], *, sizes: Mapping[int, int], today: date
) -> list[Offer]:
    """Each service for one consultant, for a size by its id, else an example.

    Raises `BadInput` where a size is beyond what can be paid.
    """
    pack = session.get_one(Pack, me.pack)
    plan = samples.plan_of_today(session, sold, pack=pack.code)
    licences = _licensed_in(session, me, today=today)
    chosen = {service.id: sizes.get(service.id) or example_size(service) for service, _terms in sold}
    worths = [_worths(service, terms, chosen[service.id], today=today) for service, terms in sold]
    pays = _paid(plan, sold, worths, pack=pack.code)
    return [
        Offer(
            service=service,
            terms=terms,
            size=chosen[service.id],
            steps=[_step(row, pays) for row in found if not _is_month(row)],
            monthly=next((_step(row, pays) for row in found if _is_month(row)), None),
            barred=_barred(me, pack, service, terms),
            missing=[state for state in terms.licence_states if (terms.licence_kind, state) not in licences],
        )
        for (service, terms), found in zip(sold, worths, strict=True)
    ]


def _worths(service: Service, terms: TermsVersion, size: int, *, today: date) -> list[Sample]:
    """What each milestone is worth, and a month that is renewed."""
    names = [*terms.milestones, f"renewed-{today:%Y-%m}"]
    found = [(name, worth(terms, size_thousandths=size, milestone=name)) for name in names]
    return [
        Sample(f"{service.id} {name}", value.volume, value.revenue, None)
        for name, value in found
        if value is not None
    ]


def _paid(
    plan: Plan | None, sold: Sequence[Sold], worths: Sequence[Sequence[Sample]], *, pack: str
) -> dict[str, Pay]:
    """By the name of each sample; nothing where no cycle is open."""
    if plan is None:
        return {}
    rows = [
        Sample(row.name, row.volume, row.revenue, samples.called(plan, service, terms))
        for (service, terms), found in zip(sold, worths, strict=True)
        for row in found
    ]
    try:
        return samples.paid(plan, rows, pack=pack)
    except Refused:
        raise BadInput("This size is more than can be paid.", field="size") from None


def _step(row: Sample, pays: Mapping[str, Pay]) -> Step:
    return Step(row.name.partition(" ")[2], row.volume, row.revenue, pays.get(row.name, Pay(0, 0)))


def _is_month(row: Sample) -> bool:
    return row.name.partition(" ")[2].startswith("renewed-")


def _barred(me: Consultant, pack: Pack, service: Service, terms: TermsVersion) -> str:
    if me.status != "active":
        return _("You are suspended; the company tells you more.")
    if may_sell(pack, vendor=service.vendor, terms=terms):
        return ""
    if terms.packs and pack.code not in terms.packs:
        return _("Your plan does not sell it. A sale is held and earns nothing until it is settled.")
    return _("Your plan sells core vendors alone. A sale is held and earns nothing until it is settled.")


def _licensed_in(session: Session, me: Consultant, *, today: date) -> set[tuple[str | None, str]]:
    """Kind and state of each verified licence that counts today."""
    counts = (Licence.state == "verified", Licence.valid_from <= today, Licence.expires_on >= today)
    rows = session.execute(
        select(Licence.kind, Licence.region).where(Licence.consultant_id == me.id, *counts)
    )
    return {(row.kind, row.region) for row in rows}
