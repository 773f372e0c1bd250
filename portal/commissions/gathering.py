"""From tables to arrays: everything the engine needs to know about a cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, case, null, or_, select
from sqlalchemy.orm import Session

from portal.commissions.earlier import earlier_cycles
from portal.commissions.service_terms import has_shares, service_index, with_terms
from portal.engine import Events, Inputs, Network, Plan
from portal.models import Consultant, Cycle, Pack, Placement, Sale, Service, TermsVersion
from portal.store.columns import read_columns

Ints = NDArray[np.int64]

ROOM: Final = 16  # numbers for which a table may have room, to each that is looked up or added up in it


@dataclass(frozen=True)
class Gathered:
    """The inputs of a cycle, and which consultant and which sale stands behind each index."""

    inputs: Inputs
    consultants: Ints
    sales: Ints


@dataclass(frozen=True)
class People:
    """The consultants of a cycle by id, a column each: ids of whom they stand below, indices of packs."""

    pack_codes: tuple[str, ...]
    ids: Ints
    sponsors: Ints
    parents: Ints
    legs: Ints
    packs: Ints
    statuses: Ints

    def columns(self) -> list[Ints]:
        """What differs from one consultant to the next, the ids first."""
        return [self.ids, self.sponsors, self.parents, self.legs, self.packs, self.statuses]

    def network(self) -> Network:
        """The same as the engine takes it. Raises Refused where trees are none."""
        parent = places(self.ids, self.parents)
        return Network(
            sponsor=places(self.ids, self.sponsors),
            parent=parent,
            leg=np.where(parent < 0, -1, self.legs).astype(np.int8),
            pack=self.packs.astype(np.int32),
            status=self.statuses.astype(np.int8),
            packs=self.pack_codes,
        )


class Sold(NamedTuple):
    """The sales of a cycle in the order of their ids, a column each; services as `service_index` says."""

    ids: Ints
    sellers: Ints
    volume: Ints
    revenue: Ints
    reverses: Ints
    services: Ints

    def reversed_earlier(self) -> Ints:
        """The sales of earlier cycles that are reversed here."""
        named = self.reverses[self.reverses >= 0]
        return np.unique(named[places(self.ids, named) < 0]) if len(named) else named


def gather(session: Session, cycle: Cycle) -> Gathered:
    """Read a cycle: the network as it stood at its end (now, while it is open), its sales and its past."""
    plan = Plan.parse(dict(cycle.plan_version.document))
    people = read_people(session, cycle)
    before = earlier_cycles(session, cycle, plan=plan, gather=gather)
    sold = read_sold(session, cycle, plan=plan)
    history = before.history(sold.reversed_earlier(), people.ids)
    state = before.state(people.ids)
    whole, services = with_terms(session, plan, sold.services, packs=people.pack_codes)
    events = events_of(sold._replace(services=services), people.ids)
    return Gathered(Inputs(whole, people.network(), events, history, state), people.ids, sold.ids)


def events_of(sold: Sold, consultants: Ints) -> Events:
    """Sales as the engine takes them; those of earlier cycles that are reversed follow on theirs.

    Sales are ordered by when they were recorded: a vendor's clock cannot put a reversal before its sale.
    """
    target = np.full(len(sold.ids), -1, np.int64)
    reversing = np.nonzero(sold.reverses >= 0)[0]
    named = sold.reverses[reversing]
    own, past = places(sold.ids, named), places(sold.reversed_earlier(), named)
    target[reversing] = np.where(own >= 0, own, past + len(sold.ids))
    sellers = places(consultants, sold.sellers)
    return Events(sellers, sold.ids, sold.volume, sold.revenue, sold.services, target, sold.ids)


def places(sorted_ids: Ints, wanted: Ints) -> Ints:
    """The index of each wanted id in `sorted_ids`; -1 where it is not there."""
    if not len(sorted_ids) or not len(wanted):
        return np.full(len(wanted), -1, np.int64)
    first, last = int(sorted_ids[0]), int(sorted_ids[-1])
    if last - first < ROOM * len(wanted):
        # Ids that lie close together, as ours do: each costs the same in a company of any size.
        place = np.full(last - first + 2, -1, np.int64)
        place[sorted_ids - first] = np.arange(len(sorted_ids))
        return place[np.where((first <= wanted) & (wanted <= last), wanted - first, -1)]
    at = np.minimum(np.searchsorted(sorted_ids, wanted), len(sorted_ids) - 1)
    return np.where(sorted_ids[at] == wanted, at, -1)


def read_people(session: Session, cycle: Cycle, *chosen: ColumnElement[bool]) -> People:
    """The consultants of a cycle and where they stood in it; of them those that `chosen` names."""
    packs = tuple(session.scalars(select(Pack.code).order_by(Pack.code)))
    pack = case({code: index for index, code in enumerate(packs)}, value=Consultant.pack) if packs else null()
    status = case({"active": 0, "suspended": 1}, value=Consultant.status, else_=2)
    leg = case({"L": 0, "R": 1}, value=Placement.leg)
    statement = (
        select(Consultant.id, Consultant.sponsor_id, Placement.parent_id, leg, pack, status)
        .outerjoin(Placement, and_(Placement.consultant_id == Consultant.id, _placed_at(cycle.ended_at)))
        .where(_member_at(cycle), *chosen)
        .order_by(Consultant.id)
    )
    return People(packs, *read_columns(session, statement, width=6))


def _member_at(cycle: Cycle) -> ColumnElement[bool]:
    if cycle.ended_at is None:
        return Consultant.id > 0
    sellers = select(Sale.consultant_id).where(Sale.cycle_id == cycle.id)
    return or_(Consultant.joined_at < cycle.ended_at, Consultant.id.in_(sellers))


def _placed_at(instant: datetime | None) -> ColumnElement[bool]:
    if instant is None:
        return Placement.valid_until.is_(None)
    # Where somebody was moved at this very moment, the old place still counts.
    began = Placement.valid_from < instant
    return and_(began, or_(Placement.valid_until.is_(None), Placement.valid_until >= instant))


def read_sold(session: Session, cycle: Cycle, *, plan: Plan, after: int = 0) -> Sold:
    """The sales of a cycle; those with ids above `after`."""
    columns = [Sale.id, Sale.consultant_id, Sale.volume, Sale.revenue_cents, Sale.reverses_id]
    statement = _with_services(select(*columns), plan.services, shares=has_shares(session))
    statement = statement.where(Sale.cycle_id == cycle.id, Sale.id > after).order_by(Sale.id)
    return Sold(*read_columns(session, statement, width=6))


def read_services_by_code(session: Session, cycle: Cycle, *, plan: Plan) -> tuple[Ints, Ints]:
    """Ids and services of the sales of a cycle by the codes of the plan, whatever terms share."""
    statement = _with_services(select(Sale.id), plan.services, shares=False)
    statement = statement.where(Sale.cycle_id == cycle.id).order_by(Sale.id)
    ids, services = read_columns(session, statement, width=2)
    return ids, services


def _with_services(statement: Any, codes: Sequence[str], *, shares: bool) -> Any:
    """The statement with the service of each sale as its last column: that of the terms it was sold by."""
    if not codes and not shares:
        return statement.add_columns(case((Sale.id < 0, 0), else_=-1))
    statement = statement.add_columns(service_index(codes, shares=shares))
    statement = statement.join(TermsVersion, TermsVersion.id == Sale.terms_version_id)
    return statement.join(Service, Service.id == TermsVersion.service_id) if codes else statement
