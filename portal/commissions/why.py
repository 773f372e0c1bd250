"""Why an amount is what it is, for one reader: from the line down to the customers' activations behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from portal.commissions.explained import Opened
from portal.commissions.service_terms import named
from portal.engine import EVENT_KINDS, KINDS, MATCHING
from portal.engine.explaining import (
    Branch,
    LegStory,
    LineStory,
    branches,
    leg_story,
    line_stories,
    line_story,
    sales_of,
    sums_by_kind,
)
from portal.kernel.errors import NotYours
from portal.models import CommissionLine, Consultant, Contract, Customer, Person, Sale, Service, Vendor

SALES_A_PAGE: Final = 20
NONE: Final = -1


@dataclass(frozen=True)
class Reader:
    """Who looks: whose customers have names for them, what they call people, how deep they see the tree.

    `top` is the consultant in whose tree they look; `levels` is None where nothing is hidden.
    """

    consultant_id: int | None
    name_of: Callable[[Consultant], str]
    top: int
    levels: int | None = None

    def sees(self, opened: Opened, member: int) -> bool:
        """Whether a member stands no more levels below the top than the reader sees."""
        if self.levels is None:
            return True
        parent, top, at = opened.result.inputs.network.parent, opened.member(self.top), member
        for _ in range(self.levels + 1):
            if at == top:
                return True
            at = int(parent[at])
            if at < 0:
                return False
        return False


@dataclass(frozen=True)
class SaleTold:
    """A customer's activation, or its taking back; names are empty where they are none of the reader's."""

    public_id: str
    at: datetime
    service: str
    vendor: str
    milestone: str
    volume: int
    revenue: int
    reversal: bool
    customer: str
    reference: str
    seller: str
    own: bool


@dataclass(frozen=True)
class BranchTold:
    """A branch of a leg; `public_id` and `name` are empty where the reader does not see so deep."""

    branch: Branch
    public_id: str
    name: str


@dataclass(frozen=True)
class LegTold:
    """One leg: what was carried in, what came, what became of it, and the branches it came from."""

    story: LegStory
    branches: Sequence[BranchTold]


@dataclass(frozen=True)
class LineTold:
    """A line with everything behind it; `source` is whose pay was matched, where that is the rule.

    `source_id` is their public id where the reader can open their part of a leg. `terms_from` is the first
    day of the service's terms where these share its revenue and not the plan.
    """

    story: LineStory
    currency: str
    plan_name: str
    plan_version: str
    pack: str
    sale: SaleTold | None
    source: str
    source_id: str
    legs: Sequence[LegTold]
    terms_from: date | None = None


@dataclass(frozen=True)
class TeamTold:
    """One person within a leg: their own sales, page by page, and the branches below them."""

    name: str
    public_id: str
    own_volume: int
    sales: Sequence[SaleTold]
    first: int
    more: bool
    sides: Sequence[tuple[str, int, Sequence[BranchTold]]]


class Which(NamedTuple):
    """Which line: its kind, the index of its event or of the member matched (-1 for none), its level."""

    kind: str
    source: int
    level: int


@dataclass(frozen=True)
class Row:
    """A line in a list, and where it came from: a sale, the person whose pay was matched, or nothing."""

    story: LineStory
    sale: SaleTold | None
    source_id: str
    source: str


def told_line(session: Session, opened: Opened, reader: Reader, which: Which) -> LineTold | None:
    """One line of the reader's top; None where the computation has no such line."""
    kind, source, level = which
    member, result = opened.member(reader.top), opened.result
    story = line_story(result, member, kind=KINDS.index(kind), source=source, level=level)
    if story is None:
        return None
    plan, network = result.inputs.plan, result.inputs.network
    matched = _people(session, opened, [source]).get(source) if kind == KINDS[MATCHING] else None
    can_open = matched is not None and is_inside(opened, reader, source)
    return LineTold(
        story=story,
        currency=plan.currency,
        plan_name=plan.name,
        plan_version=plan.version,
        pack=network.packs[int(network.pack[member])],
        sale=next(iter(_sales(session, opened, reader, [source])), None) if _of_event(kind) else None,
        source=reader.name_of(matched) if matched else "",
        source_id=matched.public_id if matched and can_open else "",
        legs=[_leg(session, opened, reader, side=side) for side in (0, 1)] if kind == "binary" else [],
        terms_from=_terms_from(opened, source) if kind in ("retail", "revenue_share") else None,
    )


def told_lines(session: Session, opened: Opened, reader: Reader, *, kind: str, most: int) -> list[Row]:
    """The largest lines of one kind of the reader's top, at most so many."""
    member, at = opened.member(reader.top), KINDS.index(kind)
    stories = line_stories(opened.result, member, kind=at, most=most)
    sales = {}
    if _of_event(kind):
        sources = [story.source for story in stories]
        told = _sales(session, opened, reader, sources)
        by_id = {sale.public_id: sale for sale in told}
        sales = {source: by_id[name] for source, name in _public_ids(session, opened, sources).items()}
    people = {}
    if kind == KINDS[MATCHING]:
        people = _people(session, opened, [story.source for story in stories])
    return [
        Row(
            story,
            sales.get(story.source),
            people[story.source].public_id if story.source in people else "",
            reader.name_of(people[story.source]) if story.source in people else "",
        )
        for story in stories
    ]


def told_team(session: Session, opened: Opened, reader: Reader, *, public_id: str, first: int) -> TeamTold:
    """A person of a leg of the reader's top. Raises `NotYours` for anybody else, and deeper than they see."""
    consultant = session.scalar(select(Consultant).where(Consultant.public_id == public_id))
    if consultant is None:
        raise NotYours("There is nothing here under this address.")
    member = opened.member(consultant.id)
    if not is_inside(opened, reader, member):
        raise NotYours("There is nothing here under this address.")
    events = sales_of(opened.result, member, first=first, most=SALES_A_PAGE + 1)
    members = opened.result.members
    below = [branches(opened.result, member, side) for side in (0, 1)]
    told = _branches(session, opened, reader, [branch for side in below for branch in side])
    left = told[: len(below[0])]
    return TeamTold(
        name=reader.name_of(consultant),
        public_id=consultant.public_id,
        own_volume=int(members.pv[member]),
        sales=_sales(session, opened, reader, events[:SALES_A_PAGE]),
        first=first,
        more=len(events) > SALES_A_PAGE,
        sides=[
            ("left", int(members.new_left[member]), left),
            ("right", int(members.new_right[member]), told[len(left) :]),
        ],
    )


def which_of(opened: Opened, line: CommissionLine) -> Which:
    """Which line of a computed run a stored one is."""
    if line.sale_id is not None:
        source = opened.event(line.sale_id)
    elif line.source_consultant_id is not None:
        source = opened.member(line.source_consultant_id)
    else:
        source = NONE
    return Which(line.kind, NONE if source is None else source, line.level)


def source_named(session: Session, opened: Opened, public_id: str) -> int:
    """The index of the sale or the consultant of a public id; -1 for neither."""
    sale_id = session.scalar(select(Sale.id).where(Sale.public_id == public_id))
    if sale_id is not None:
        event = opened.event(sale_id)
        return NONE if event is None else event
    who = session.scalar(select(Consultant.id).where(Consultant.public_id == public_id))
    return NONE if who is None else opened.member(who)


def sums_of(opened: Opened, reader: Reader) -> dict[str, int]:
    """What each kind comes to for the reader's top, in cents; kinds without a line are left out."""
    return sums_by_kind(opened.result, opened.member(reader.top))


def is_inside(opened: Opened, reader: Reader, member: int) -> bool:
    """Whether a member stands in the tree of the reader's top, no deeper than the reader sees."""
    network, top = opened.result.inputs.network, opened.member(reader.top)
    inside = bool(network.lo[top] < network.seat[member] < network.hi[top])
    return inside and member != top and reader.sees(opened, member)


def _terms_from(opened: Opened, event: int) -> date | None:
    inputs = opened.result.inputs
    service = int(inputs.events.service[event])
    terms = named(inputs.plan.services[service]) if service >= 0 else None
    return terms.valid_from if terms else None


def _of_event(kind: str) -> bool:
    return KINDS.index(kind) in EVENT_KINDS


def _leg(session: Session, opened: Opened, reader: Reader, *, side: int) -> LegTold:
    story = leg_story(opened.result, opened.member(reader.top), side)
    return LegTold(story, _branches(session, opened, reader, story.branches))


def _branches(session: Session, opened: Opened, reader: Reader, found: Sequence[Branch]) -> list[BranchTold]:
    shown = [branch for branch in found if reader.sees(opened, branch.top)]
    people = _people(session, opened, [branch.top for branch in shown])
    return [
        BranchTold(branch, people[branch.top].public_id, reader.name_of(people[branch.top]))
        if branch.top in people
        else BranchTold(branch, "", "")
        for branch in found
    ]


def _people(session: Session, opened: Opened, members: Iterable[int]) -> dict[int, Consultant]:
    ids = {int(opened.consultants[member]): member for member in members}
    found = session.scalars(select(Consultant).where(Consultant.id.in_(ids)))
    return {ids[consultant.id]: consultant for consultant in found}


def _public_ids(session: Session, opened: Opened, events: Iterable[int]) -> dict[int, str]:
    ids = {int(opened.sales[event]): event for event in events}
    rows = session.execute(select(Sale.id, Sale.public_id).where(Sale.id.in_(ids)))
    return {ids[sale_id]: public_id for sale_id, public_id in rows}


def _sales(session: Session, opened: Opened, reader: Reader, events: Sequence[int]) -> list[SaleTold]:
    """Sales in the order of their time, with the names that are the reader's to see."""
    seller, buyer = aliased(Consultant), aliased(Person)
    rows = session.execute(
        select(Sale, Service.name, Vendor.name, Customer.consultant_id, buyer.name, Contract.ref, seller)
        .join(Contract, Contract.id == Sale.contract_id)
        .join(Service, Service.id == Contract.service_id)
        .join(Vendor, Vendor.id == Service.vendor_id)
        .join(Customer, Customer.id == Contract.customer_id)
        .outerjoin(buyer, buyer.id == Customer.person_id)
        .join(seller, seller.id == Sale.consultant_id)
        .where(Sale.id.in_([int(opened.sales[event]) for event in events]))
        .order_by(Sale.occurred_at, Sale.id)
    )
    told = []
    for sale, service, vendor, whose, customer, reference, who in rows.unique():
        own = whose == reader.consultant_id
        told.append(
            SaleTold(
                public_id=sale.public_id,
                at=sale.occurred_at,
                service=service,
                vendor=vendor,
                milestone=sale.milestone,
                volume=sale.volume,
                revenue=sale.revenue_cents,
                reversal=sale.reverses_id is not None,
                customer=(customer or reference) if own else "",
                reference=reference if own or reader.consultant_id is None else "",
                seller=reader.name_of(who),
                own=own,
            )
        )
    return told
