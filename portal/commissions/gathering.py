"""From tables to arrays: everything the engine needs to know about a cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, case, null, or_, select
from sqlalchemy.orm import Session

from portal.commissions.earlier import EarlierCycles, earlier_cycles
from portal.engine import Events, History, Inputs, Network, Plan
from portal.models import Consultant, Contract, Cycle, Pack, Placement, Sale, Service
from portal.store.columns import read_columns

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Gathered:
    """The inputs of a cycle, and which consultant and which sale stands behind each index."""

    inputs: Inputs
    consultants: Ints
    sales: Ints


def gather(session: Session, cycle: Cycle) -> Gathered:
    """Read a cycle: the network as it stood at its end (now, while it is open), its sales and its past."""
    plan = Plan.parse(dict(cycle.plan_version.document))
    consultants, network = _network(session, cycle)
    before = earlier_cycles(session, cycle, plan=plan, gather=gather)
    sales, events, history = _sales(session, cycle, plan=plan, consultants=consultants, before=before)
    state = before.state(consultants)
    return Gathered(Inputs(plan, network, events, history, state), consultants, sales)


def places(sorted_ids: Ints, wanted: Ints) -> Ints:
    """The index of each wanted id in `sorted_ids`; -1 where it is not there."""
    at = np.minimum(np.searchsorted(sorted_ids, wanted), max(len(sorted_ids) - 1, 0))
    if not len(sorted_ids):
        return np.full(len(wanted), -1, np.int64)
    return np.where(sorted_ids[at] == wanted, at, -1)


def _network(session: Session, cycle: Cycle) -> tuple[Ints, Network]:
    packs = tuple(session.scalars(select(Pack.code).order_by(Pack.code)))
    pack = case({code: index for index, code in enumerate(packs)}, value=Consultant.pack) if packs else null()
    status = case({"active": 0, "suspended": 1}, value=Consultant.status, else_=2)
    leg = case({"L": 0, "R": 1}, value=Placement.leg)
    statement = (
        select(Consultant.id, Consultant.sponsor_id, Placement.parent_id, leg, pack, status)
        .outerjoin(Placement, and_(Placement.consultant_id == Consultant.id, _placed_at(cycle.ended_at)))
        .where(_member_at(cycle))
        .order_by(Consultant.id)
    )
    ids, sponsor, parent, legs, pack_index, statuses = read_columns(session, statement, width=6)
    network = Network(
        sponsor=places(ids, sponsor),
        parent=places(ids, parent),
        leg=np.where(places(ids, parent) < 0, -1, legs).astype(np.int8),
        pack=pack_index.astype(np.int32),
        status=statuses.astype(np.int8),
        packs=packs,
    )
    return ids, network


def _member_at(cycle: Cycle) -> ColumnElement[bool]:
    if cycle.ended_at is None:
        return Consultant.id > 0
    sellers = select(Sale.consultant_id).where(Sale.cycle_id == cycle.id)
    return or_(Consultant.joined_at < cycle.ended_at, Consultant.id.in_(sellers))


def _placed_at(instant: datetime | None) -> ColumnElement[bool]:
    if instant is None:
        return Placement.valid_until.is_(None)
    began = Placement.valid_from < instant
    return and_(began, or_(Placement.valid_until.is_(None), Placement.valid_until > instant))


def _sales(
    session: Session, cycle: Cycle, *, plan: Plan, consultants: Ints, before: EarlierCycles
) -> tuple[Ints, Events, History]:
    columns = [Sale.id, Sale.consultant_id, Sale.volume, Sale.revenue_cents, Sale.reverses_id]
    statement = (
        select(*columns, _service_index(plan.services)).where(Sale.cycle_id == cycle.id).order_by(Sale.id)
    )
    if plan.services:
        statement = statement.join(Contract, Contract.id == Sale.contract_id)
        statement = statement.join(Service, Service.id == Contract.service_id)
    ids, sellers, volume, revenue, reverses, service = read_columns(session, statement, width=6)
    earlier = np.unique(reverses[(reverses >= 0) & (places(ids, reverses) < 0)])
    history = before.history(earlier, consultants)
    own, past = places(ids, reverses), places(earlier, reverses)
    target = np.where(own >= 0, own, np.where(past >= 0, past + len(ids), -1))
    # Sales are ordered by when they were recorded: a vendor's clock cannot put a reversal before its sale.
    events = Events(places(consultants, sellers), ids, volume, revenue, service, target, ids)
    return ids, events, history


def _service_index(services: Sequence[str]) -> ColumnElement[int]:
    if not services:
        return case((Sale.id < 0, 0), else_=-1)
    return case({code: index for index, code in enumerate(services)}, value=Service.code, else_=-1)
