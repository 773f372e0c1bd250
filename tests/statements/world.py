"""A vendor's days as they truly were, and as its events told of them: lost, twice, wrong, and never true."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import func, select

from jobs import inbox, reactions, relay, statements
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, Sale, Statement, StatementDifference
from portal.statements.lines import Line
from portal.statements.service import receive_statement
from portal.statements.settling import REVERSE, THEIRS, settle
from portal.store import perform
from portal.store.inbox import Arrival, receive, vendor_source
from portal.store.statement_days import is_open
from tests.vendors import Vera, activated, body_of

ZONE = ZoneInfo("America/Denver")
MILESTONES = {"service.signed": "signed", "service.installed": "installed", "service.activated": "activated"}
NEVER_TRUE = ("service.cancelled", "service.refunded", "service.suspended")
Net = dict[tuple[str, str, int], tuple[int, int]]


def truth(rng: Random, vera: Vera, *, contracts: int = 6) -> list[VendorEvent]:
    """What happened in the last days: contracts signed, installed, activated, changed, some cancelled."""
    noon = utc_now().astimezone(ZONE).replace(hour=12, minute=0, second=0, microsecond=0)
    told: list[VendorEvent] = []
    for number in range(contracts):
        at = noon - timedelta(days=5) + timedelta(minutes=number)
        size = rng.randrange(4_000, 12_000, 100)
        seller = rng.choice((vera.ana, vera.ben))
        lives = ["service.signed", "service.installed", "service.activated"]
        lives += rng.sample(["service.changed", "service.changed"], rng.randint(0, 2))
        lives += ["service.cancelled"] if rng.random() < 0.25 else []
        for kind in lives:
            at += timedelta(hours=rng.choice((1, 7, 23)))
            size = rng.randrange(4_000, 12_000, 100) if kind == "service.changed" else size
            told.append(
                activated(
                    vera,
                    type=kind,
                    occurred_at=at.astimezone(ZoneInfo("UTC")),
                    consultant_code=seller,
                    customer_ref=f"C{number}",
                    contract_ref=f"K{number}",
                    size_thousandths=size,
                    signed_on=noon.date() - timedelta(days=5),
                    milestone=MILESTONES.get(kind, ""),
                )
            )
    now = utc_now()
    return [event for event in told if event.occurred_at < now]


def disturbed(rng: Random, events: Sequence[VendorEvent], vera: Vera) -> list[VendorEvent]:
    """What came instead: some lost, some with another size, some twice, in any order, and some never true.

    A contract that never was is told of, and of those that are a suspension, a refund and a cancellation.
    """
    came: list[VendorEvent] = []
    for event in events:
        luck = rng.random()
        if luck < 0.3:
            continue
        wrong = luck < 0.5 and event.type != "service.cancelled"
        came.append(replace(event, size_thousandths=event.size_thousandths + 700) if wrong else event)
        if luck > 0.8:
            came.append(came[-1])
    yesterday = utc_now() - timedelta(days=1)
    for kind in ("service.signed", "service.activated"):
        ghost = activated(
            vera, type=kind, occurred_at=yesterday, contract_ref="K-ghost", customer_ref="C-ghost"
        )
        came.append(replace(ghost, milestone=MILESTONES[kind]))
    over = {event.contract_ref for event in events if event.type == "service.cancelled"} | {"K-ghost"}
    going_on = [event for event in came if event.type == "service.signed" and event.contract_ref not in over]
    for kind, event in zip(NEVER_TRUE, going_on, strict=False):
        share = 5_000 if kind == "service.refunded" else 0
        more = {"type": kind, "occurred_at": yesterday, "size_thousandths": 0, "milestone": ""}
        came.append(replace(event, signed_on=None, refund_share=share, **more))
    rng.shuffle(came)
    return came


def tell(app: Flask, vera: Vera, events: Iterable[VendorEvent]) -> None:
    """Deliver events, each under an id of its own, and let them take effect."""
    with app.app_context():
        for number, event in enumerate(events):
            arrival = Arrival(
                source=vendor_source(vera.vendor_id),
                event_id=f"e{number}",
                kind=event.type,
                body=json.dumps(body_of(event)).encode(),
                vendor_id=vera.vendor_id,
                object_ref=event.contract_ref,
            )
            perform(partial(receive, arrival=arrival))
        inbox.drain()


def send_statements(app: Flask, vera: Vera, events: Iterable[VendorEvent]) -> None:
    """A statement of every day of the last week, made of what truly happened."""
    days: dict[Any, list[Line]] = {
        utc_now().astimezone(ZONE).date() - timedelta(days=ago): [] for ago in range(7)
    }
    for event in events:
        lines = days[event.occurred_at.astimezone(ZONE).date()]
        lines.append(line_of(event, len(lines) + 1))
    with app.app_context():
        for day, lines in days.items():
            sent = {"source": "api", "content": repr(lines).encode()}
            perform(partial(receive_statement, vendor_id=vera.vendor_id, day=day, lines=lines, **sent))
        relay.carry()
        reactions.drain_money()


def line_of(event: VendorEvent, number: int) -> Line:
    """An event as a statement lists it."""
    return Line(
        line=number,
        type=event.type,
        contract_ref=event.contract_ref,
        occurred_at=event.occurred_at,
        customer_ref=event.customer_ref,
        consultant_code=event.consultant_code,
        service_code=event.service_code or None,
        size_thousandths=event.size_thousandths or None,
        signed_on=event.signed_on,
        period=event.period or None,
        share=event.refund_share or None,
    )


def open_ones(app: Flask) -> list[tuple[int, str]]:
    """The differences that are open, with their kind."""
    with app.app_context():
        rows = select(StatementDifference.id, StatementDifference.kind).join(
            Statement, Statement.id == StatementDifference.statement_id
        )
        rows = rows.where(is_open(), Statement.replaced_at.is_(None))
        return [(row.id, row.kind) for row in db.session.execute(rows)]


def believe(app: Flask, rng: Random, actor_id: int) -> int:
    """Settle everything that is open as the statements say, in any order; how many."""
    waiting = open_ones(app)
    rng.shuffle(waiting)
    with app.app_context():
        for difference_id, kind in waiting:
            choice = REVERSE if kind == "extra" else THEIRS
            # Two events of a contract that never was are taken back by one cancellation.
            perform(partial(settle, difference_id=difference_id, choice=choice, note="", actor_id=actor_id))
        inbox.drain()
        statements.compare_again()
    return len(waiting)


def net(app: Flask, vera: Vera) -> Net:
    """What each milestone of each contract came to: volume and revenue by seller, without what is nothing."""
    with app.app_context():
        rows = db.session.execute(
            select(
                Contract.ref,
                Sale.milestone,
                Sale.consultant_id,
                func.sum(Sale.volume),
                func.sum(Sale.revenue_cents),
            )
            .join(Contract, Contract.id == Sale.contract_id)
            .where(Contract.vendor_id == vera.vendor_id)
            .group_by(Contract.ref, Sale.milestone, Sale.consultant_id)
        )
        return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows if row[3] or row[4]}
