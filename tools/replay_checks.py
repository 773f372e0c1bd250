"""Counts a replay again: from the file what should be there, from the tables what is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from portal.cli.vendor_feed import Event, Feed, Schedule, read_events
from portal.commissions.gathering import gather
from portal.commissions.runs import is_reproducible
from portal.engine import KINDS, calculate, snapshot
from portal.extensions import db
from portal.kernel.money import round_half_away
from portal.models import Account, CommissionLine, Contract, Cycle, Inbox, Run, Sale, Withdrawal

VOLUME_PER_UNIT = 50_00

Books = dict[str, tuple[int, int, int, int]]


def check(app: Flask, plan: dict[str, Any], folder: Path, *names: str) -> dict[str, Any]:
    """All checks; `faults` names what does not fit."""
    events = expected_events(plan, folder)
    faults = [
        *_inbox_faults(events),
        *_sale_faults(events),
        *(fault for name in names for fault in _line_faults(name)),
        *_ledger_faults(app),
        *_money_faults(),
    ]
    return {"figures": _figures(events), "faults": faults}


def expected_events(plan: dict[str, Any], folder: Path) -> list[Event]:
    """Every event of the file, undisturbed."""
    from tools.replay import FIRST_MONDAY

    feed = Feed(
        columns={"size": "size_kw"},
        constants={"service": "solar"},
        schedule=Schedule(FIRST_MONDAY, 7 * plan["weeks"]),
        vendor_column="installer_company",
        consultants=tuple((folder / "codes.txt").read_text().split()),
        seed=plan["seed"],
        cancel_share=plan["cancel_share"],
        limit=plan["rows"],
    )
    return read_events(Path(plan["file"]), feed)[0]


def _inbox_faults(events: list[Event]) -> Iterator[str]:
    wanted = {event.event_id for event in events}
    stored = Counter(db.session.scalars(select(Inbox.event_id)))
    if stored.keys() != wanted:
        yield f"{len(wanted - stored.keys())} events are missing, {len(stored.keys() - wanted)} too many"
    if stored.total() != len(stored):
        yield "an event was stored twice"
    states = Counter(db.session.scalars(select(Inbox.state)))
    if states.keys() - {"done", "ignored"}:
        yield f"events without effect: {dict(states)}"
    effects = select(func.count()).where(Inbox.kind != "customer.registered", Inbox.state == "ignored")
    if ignored := db.session.scalar(effects):
        yield f"{ignored} activations or cancellations were ignored"


def _sale_faults(events: list[Event]) -> Iterator[str]:
    wanted, found = wanted_books(events), _found_books()
    # A cancellation that came first leaves no sale at all.
    never = {ref for ref, (_, _, _, net) in wanted.items() if not net and ref not in found}
    wrong = [ref for ref in (wanted.keys() | found.keys()) - never if wanted.get(ref) != found.get(ref)]
    for ref in sorted(wrong)[:5]:
        yield f"contract {ref}: {found.get(ref)} instead of {wanted.get(ref)} (sales, volume, reversals, net)"


def wanted_books(events: list[Event]) -> Books:
    """For each contract: one sale of its whole worth, taken back once where it was cancelled."""
    books: Books = {}
    cancelled = {ref for kind, ref, _ in _contracts(events) if kind == "service.cancelled"}
    for kind, ref, size in _contracts(events):
        if kind == "service.activated":
            volume = round_half_away(VOLUME_PER_UNIT * size, 1000)
            books[ref] = (1, volume, 1, 0) if ref in cancelled else (1, volume, 0, volume)
    return books


def _contracts(events: list[Event]) -> Iterator[tuple[str, str, int]]:
    for event in events:
        document = json.loads(event.body)
        if "contract" in document:
            whole, _, part = document["contract"]["size"].partition(".")
            yield document["type"], document["contract"]["ref"], int(whole) * 1000 + int(part.ljust(3, "0"))


def _found_books() -> Books:
    rows = db.session.execute(
        select(Contract.ref, Sale.volume, Sale.reverses_id).join(Contract, Contract.id == Sale.contract_id)
    )
    books: Books = {}
    for ref, volume, reverses in rows:
        sales, gross, reversals, net = books.get(ref, (0, 0, 0, 0))
        first = reverses is None
        books[ref] = (sales + first, gross + volume * first, reversals + (not first), net + volume)
    return books


def _line_faults(name: str) -> Iterator[str]:
    """Compute a closed week again from the tables, and once more from what its run had frozen."""
    cycle = db.session.scalars(select(Cycle).where(Cycle.name == name)).one()
    if cycle.state != "paid":
        yield f"{name} is {cycle.state}"
    run = db.session.get_one(Run, cycle.close_run_id)
    gathered = gather(db.session(), cycle)
    result = calculate(gathered.inputs)
    if snapshot.result_digest(result) != run.output_hash:
        yield f"{name}: a second computation from the tables gives another result"
    if not is_reproducible(run):
        yield f"{name}: what was frozen does not give what was stored"
    lines = result.lines
    again: Counter[Any] = Counter(
        zip(
            gathered.consultants[lines.member].tolist(),
            [KINDS[kind] for kind in lines.kind.tolist()],
            lines.amount.tolist(),
            strict=True,
        )
    )
    columns = (CommissionLine.consultant_id, CommissionLine.kind, CommissionLine.amount_cents)
    stored: Counter[Any] = Counter(
        tuple(row) for row in db.session.execute(select(*columns).where(CommissionLine.run_id == run.id))
    )
    if again != stored:
        yield f"{name}: {(again - stored).total()} lines are missing, {(stored - again).total()} too many"


def _ledger_faults(app: Flask) -> Iterator[str]:
    done = app.test_cli_runner().invoke(args=["ledger", "check"])
    if done.exit_code:
        yield f"ledger check: {done.output}"


def _money_faults() -> Iterator[str]:
    lines, wallets, paid = _lines(), _wallets(), _paid()
    if wallets + paid != lines:
        yield f"wallets {wallets} and payouts {paid} are not the {lines} of all lines"


def _lines() -> int:
    closed = select(Cycle.close_run_id).where(Cycle.closed_at.is_not(None))
    return _sum(select(func.sum(CommissionLine.amount_cents)).where(CommissionLine.run_id.in_(closed)))


def _wallets() -> int:
    owned = select(func.sum(Account.balance)).where(Account.owner_type == "consultant")
    return _sum(owned.where(Account.purpose != "receivable")) - _sum(
        owned.where(Account.purpose == "receivable")
    )


def _paid() -> int:
    return _sum(select(func.sum(Withdrawal.amount_cents)).where(Withdrawal.state == "paid"))


def _sum(statement: Any) -> int:
    return int(db.session.scalar(statement) or 0)


def _figures(events: list[Event]) -> dict[str, Any]:
    kinds = Counter(
        json.loads(event.body)["type"] for event in {event.event_id: event for event in events}.values()
    )
    return {
        "events": dict(kinds),
        "deliveries": _sum(select(func.sum(Inbox.deliveries))),
        "sales": _sum(select(func.count(Sale.id)).where(Sale.reverses_id.is_(None))),
        "reversals": _sum(select(func.count(Sale.reverses_id))),
        "volume": _sum(select(func.sum(Sale.volume))),
        "lines": _sum(select(func.count(CommissionLine.id))),
        "lines_cents": _lines(),
        "paid_cents": _paid(),
        "wallets_cents": _wallets(),
        "paid_people": _sum(select(func.count(func.distinct(Withdrawal.consultant_id)))),
    }
