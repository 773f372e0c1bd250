"""Did each event count once? Reads the database and the played provider's record, nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from portal.ledger.audit import broken_invariants
from tools.soak.judge import documents

STATES = {"active": "active", "past_due": "past_due", "canceled": "ended"}
REFUNDS = {"succeeded": "done", "failed": "failed"}
DISPUTES = {"needs_response": "open", "lost": "lost", "won": "won"}


def judged(engine: Engine, file: Path, *, taken: int) -> dict[str, Any]:
    """Counts of what was told and what came of it; `faults` names each that is not as it must be."""
    with Session(engine) as session:
        faults = [
            *_inbox(session, file, taken),
            *_payments(session, file),
            *_reversals(session, file),
            *_subscriptions(session, file),
            *_orders(session),
            *_balance(session, file),
            *(f"the books: {broken}" for broken in broken_invariants(session)),
        ]
        states = Counter(row[0] for row in session.execute(text("SELECT state FROM inbox")))
    return {
        "inbox": dict(states),
        "taken": taken,
        "charges": len(documents(file, "charge")),
        "refunds": len(documents(file, "refund")),
        "disputes": len(documents(file, "dispute")),
        "subscriptions": len(documents(file, "subscription")),
        "faults": faults,
    }


def _inbox(session: Session, file: Path, taken: int) -> list[str]:
    told = {event["id"] for event in documents(file, "event")}
    rows = session.execute(text("SELECT event_id, state, deliveries FROM inbox")).all()
    faults = [f"{row[0]} is {row[1]}" for row in rows if row[1] not in ("done", "ignored")]
    faults += [f"{name} was told and is not there" for name in told - {row[0] for row in rows}]
    stored = sum(row[2] for row in rows)
    return faults + ([f"{taken} deliveries were taken, {stored} are counted"] if stored < taken else [])


def _payments(session: Session, file: Path) -> list[str]:
    """One payment for each charge, of its amount, with what was refunded of it."""
    rows = session.execute(
        text("SELECT coalesce(charge_ref, provider_ref), amount_cents, refunded_cents FROM payment")
    )
    booked = Counter((row[0], int(row[1]), int(row[2])) for row in rows)
    charged = Counter(
        (each["payment_intent"], each["amount"], each["amount_refunded"])
        for each in documents(file, "charge")
    )
    return [
        f"payment {what} x {number}" for what, number in ((booked - charged) + (charged - booked)).items()
    ]


def _reversals(session: Session, file: Path) -> list[str]:
    rows = session.execute(text("SELECT provider_ref, state, amount_cents FROM payment_reversal"))
    kept = Counter((row[0], row[1], int(row[2])) for row in rows)
    told = Counter(
        (each["id"], REFUNDS[each["status"]], each["amount"]) for each in documents(file, "refund")
    )
    told += Counter(
        (each["id"], DISPUTES[each["status"]], each["amount"]) for each in documents(file, "dispute")
    )
    return [f"reversal {what} x {number}" for what, number in ((kept - told) + (told - kept)).items()]


def _subscriptions(session: Session, file: Path) -> list[str]:
    rows = session.execute(text("SELECT provider_ref, state FROM subscription"))
    kept = {(row[0], row[1]) for row in rows}
    told = {(each["id"], STATES[each["status"]]) for each in documents(file, "subscription")}
    return [f"subscription {what}" for what in kept ^ told]


def _orders(session: Session) -> list[str]:
    """A contract stands exactly while its order is paid, and then its volume counts exactly once."""
    rows = session.execute(
        text(
            "SELECT o.public_id, o.state, c.state, coalesce(sum(s.volume), 0),"
            " coalesce(max(CASE WHEN s.reverses_id IS NULL THEN s.volume END), 0)"
            " FROM marketplace_order o LEFT JOIN contract c ON c.id = o.contract_id"
            " LEFT JOIN sale s ON s.contract_id = c.id GROUP BY o.public_id, o.state, c.state"
        )
    )
    wanted = {True: "signed", False: "cancelled"}
    return [
        f"order {row[0]} is {row[1]}, its contract {row[2]}, its volume {row[3]}"
        for row in rows
        if row[2] != wanted[row[1] == "paid"] or int(row[3]) != (int(row[4]) if row[1] == "paid" else 0)
    ]


def _balance(session: Session, file: Path) -> list[str]:
    """Money at Stripe by the books and by Stripe."""
    sides: dict[str, int] = defaultdict(int)
    for side in ("debit", "credit"):
        query = (
            f"SELECT coalesce(sum(p.amount_cents), 0) FROM posting p JOIN account a ON a.id = p.{side}_id"  # noqa: S608
            " WHERE a.purpose = 'stripe_balance'"
        )
        sides[side] = int(session.execute(text(query)).scalar_one())
    there = sum(each["amount"] for each in documents(file, "charge"))
    there -= sum(each["amount"] for each in documents(file, "refund") if each["status"] != "failed")
    there -= sum(each["amount"] for each in documents(file, "dispute") if each["status"] != "won")
    by_books = sides["debit"] - sides["credit"]
    return [] if by_books == there else [f"the books say {by_books} cents at Stripe, Stripe says {there}"]
