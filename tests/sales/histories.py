"""Random lives of contracts, told in any order, late, twice, with corrections; and how they ended."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import func, select, update

from jobs import inbox
from portal.extensions import db
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, ContractFact, Inbox, Sale, TermsVersion
from portal.store import UnitOfWork, perform
from portal.store.inbox import Arrival, receive, vendor_source
from tests.vendors import NOON, Vera, activated, body_of

MONTHS = ("2026-06", "2026-07", "2026-08", "2026-09", "2026-10")
START = NOON - timedelta(days=200)
ROW = (
    "state",
    "size_thousandths",
    "signed_on",
    "terms_version_id",
    "activated_at",
    "cancelled_at",
    "refunded_share",
    "cooling_off_until",
    "sold_in",
)


LATER_DAY = START.date() + timedelta(days=40)
SHARES = {"vendor": 6000, "company": 3000, "consultant": 700, "upline": [300]}


def pay_by_steps_and_months(uow: UnitOfWork) -> None:
    """Terms that pay a part at each milestone and each renewed month by its size.

    Others share the revenue and are worth more; those of ten days after are worth even more and share alike.
    """
    terms = uow.session.scalars(select(TermsVersion)).one()
    terms.kind, terms.milestones = "recurring", {"signed": 1_000, "installed": 3_000, "activated": 6_000}
    terms.residual_volume_per_unit, terms.residual_revenue_flat_cents = 3_33, 7_77
    later = {
        column.name: getattr(terms, column.name)
        for column in TermsVersion.__table__.columns
        if column.name not in ("id", "valid_from", "volume_flat", "revenue_flat_cents", "shares")
    }
    for days, flat in ((0, 1), (10, 50_00)):
        day = LATER_DAY + timedelta(days=days)
        uow.session.add(
            TermsVersion(
                valid_from=day, volume_flat=flat, revenue_flat_cents=999, shares=dict(SHARES), **later
            )
        )
    uow.session.flush()


@dataclass
class Telling:
    """Events of one contract, one after the other."""

    vera: Vera
    chance: random.Random
    at: datetime
    told: list[VendorEvent] = field(default_factory=list)

    def tell(self, kind: str, *, milestone: str = "", size: int = 0, **more: Any) -> None:
        self.at += timedelta(hours=self.chance.choice([0, 1, 30, 300]))
        signed = self.chance.choice([None, None, self.at.date()]) if kind == "signed" else None
        event = activated(self.vera, type=f"service.{kind}", milestone=milestone, occurred_at=self.at)
        about = {"signed_on": signed, "size_thousandths": size, "customer_state": "UT", **more}
        event = replace(event, **about)
        self.told.append(event)

    def reach(self, milestone: str, *, is_sized: bool) -> None:
        self.tell(milestone, milestone=milestone, size=self.size() if is_sized else 0)

    def size(self) -> int:
        return self.chance.randint(1_000, 20_000)

    def renew(self, month: str) -> None:
        self.tell("renewed", milestone=f"renewed-{month}", period=month)

    def anything(self) -> None:
        chance = self.chance
        deeds: list[Callable[[], None]] = [
            lambda: self.tell("changed", size=self.size()),
            lambda: self.renew(chance.choice(MONTHS)),
            lambda: self.renew(chance.choice(MONTHS)),
            lambda: self.tell("suspended"),
            lambda: self.tell("signed", milestone="signed", signed_on=_about(LATER_DAY, chance)),
            lambda: self.tell("refunded", refund_share=chance.randint(1, 10_000)),
            lambda: self.tell(
                "refunded", refund_share=chance.randint(1, 10_000), period=chance.choice(MONTHS)
            ),
            lambda: self.reach("activated", is_sized=chance.random() < 0.5),
        ]
        chance.choice(deeds)()


def _about(day: date, chance: random.Random) -> date:
    return day + timedelta(days=chance.randint(-20, 20))


def life(vera: Vera, chance: random.Random) -> list[VendorEvent]:
    """What happens to one contract, in its order: seldom all of it, some of it with a correction."""
    at = START + timedelta(days=chance.randint(0, 80), seconds=chance.randint(0, 80_000))
    one = Telling(vera, chance, at)
    one.reach("signed", is_sized=chance.random() < 0.5)
    if chance.random() < 0.7:
        one.reach("installed", is_sized=chance.random() < 0.5)
    one.reach("activated", is_sized=True)
    for _ in range(chance.randint(0, 4)):
        one.anything()
    if chance.random() < 0.4:
        one.tell("cancelled")
        if chance.random() < 0.3:
            one.renew("2026-10")
    return one.told


def named(event: VendorEvent, name: str) -> VendorEvent:
    """The same told of a contract and a customer of this name."""
    return replace(event, contract_ref=f"K{name}", customer_ref=f"C{name}")


def arrive(vera: Vera, events: list[tuple[str, VendorEvent]], *, at: datetime) -> None:
    """Store events, each with its id, as the door does."""

    def write(uow: UnitOfWork) -> None:
        for event_id, event in events:
            receive(uow, arrival=_arrival(vera, event_id, event))

    perform(write, lambda: at)


def _arrival(vera: Vera, event_id: str, event: VendorEvent) -> Arrival:
    document = body_of(replace(event, milestone=""))
    document["customer"]["state"] = event.customer_state
    return Arrival(
        vendor_source(vera.vendor_id),
        event_id,
        kind=event.type,
        body=json.dumps(document).encode(),
        vendor_id=vera.vendor_id,
        object_ref=event.contract_ref,
    )


def work_off(app: Flask, *, at: datetime) -> None:
    """Drain the inbox with its waits passed, until nothing waits."""
    for _ in range(8):
        inbox.drain(lambda: at, most=100_000)
        waiting = select(func.count(Inbox.id)).where(Inbox.state.in_(("new", "retry")))
        if not db.session.scalar(waiting):
            return
        perform(partial(_hurry, at=at))


def _hurry(uow: UnitOfWork, *, at: datetime) -> None:
    uow.session.execute(update(Inbox).where(Inbox.state == "retry").values(next_at=at))


def end_of(name: str) -> dict[str, Any]:
    """How a contract ended: its row, and its net by milestone, consultant and how terms share the revenue."""
    db.session.rollback()
    contract = db.session.scalars(select(Contract).where(Contract.ref == f"K{name}")).unique().one()
    of_one = Sale.milestone, Sale.consultant_id, Sale.terms_version_id
    sums = select(*of_one, func.sum(Sale.volume), func.sum(Sale.revenue_cents)).group_by(*of_one)
    shares = {terms.id: json.dumps(terms.shares) for terms in db.session.scalars(select(TermsVersion))}
    net: dict[tuple[str, int, str], tuple[int, int]] = {}
    for milestone, consultant, terms_id, *sold in db.session.execute(
        sums.where(Sale.contract_id == contract.id)
    ):
        key = milestone, consultant, shares[terms_id]
        before = net.get(key, (0, 0))
        net[key] = before[0] + int(sold[0]), before[1] + int(sold[1])
    net = {key: value for key, value in net.items() if value != (0, 0)}
    return {name: getattr(contract, name) for name in ROW} | {"net": net}


def fact_of(event: VendorEvent, key: str) -> ContractFact:
    """The fact that an event is kept as."""
    return ContractFact(
        key=key,
        type=event.type,
        milestone=event.milestone,
        occurred_at=event.occurred_at,
        size_thousandths=event.size_thousandths or None,
        signed_on=event.signed_on,
        period=event.period or None,
        share=event.refund_share or None,
    )
