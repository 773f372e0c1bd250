"""Whether the books are in order: each invariant a query that finds what breaks it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from portal.models.guards import missing_guards
from portal.models.payout import OPEN_STATES

_SHOWN = 5
_OPEN_STATES = ", ".join(f"'{state}'" for state in OPEN_STATES)


@dataclass(frozen=True)
class Broken:
    """An invariant that does not hold, and the first rows that show it."""

    invariant: str
    rows: tuple[str, ...]


INVARIANTS: dict[str, str] = {
    "each tracked balance equals the sum of its postings": """
        SELECT a.id, a.owner_type, a.owner_id, a.purpose, a.balance, COALESCE(s.total, 0) AS recomputed
          FROM account a
          LEFT JOIN (SELECT account_id, SUM(amount) AS total FROM (
                       SELECT p.credit_id AS account_id, p.amount_cents AS amount FROM posting p
                       UNION ALL SELECT p.debit_id, -p.amount_cents FROM posting p) sides
                      GROUP BY account_id) s ON s.account_id = a.id
         WHERE a.tracked
           AND a.balance <> CASE a.normal WHEN 'C' THEN COALESCE(s.total, 0) ELSE -COALESCE(s.total, 0) END
    """,
    "no tracked account is below its floor": """
        SELECT id, owner_type, owner_id, purpose, balance FROM account
         WHERE tracked AND floor IS NOT NULL AND balance < floor
    """,
    "each entry has at least one posting": """
        SELECT e.id, e.key FROM entry e WHERE NOT EXISTS (SELECT 1 FROM posting p WHERE p.entry_id = e.id)
    """,
    "each entry lies in its period": """
        SELECT e.id, e.key FROM entry e JOIN ledger_period p ON p.id = e.period_id
         WHERE e.effective_on < p.starts OR e.effective_on > p.ends OR p.closed_at < e.created_at
    """,
    "reserved money equals open withdrawals": """
        SELECT a.owner_id, a.balance, COALESCE(w.total, 0) AS open_withdrawals
          FROM account a
          LEFT JOIN (SELECT consultant_id, SUM(amount_cents) AS total FROM withdrawal
                      WHERE state IN ({open_states}) GROUP BY consultant_id) w
            ON w.consultant_id = a.owner_id
         WHERE a.owner_type = 'consultant' AND a.purpose = 'reserved' AND a.balance <> COALESCE(w.total, 0)
    """,
    "each settled withdrawal was settled by one entry, each open one by none": """
        SELECT w.id, w.state, COUNT(e.id) AS entries FROM withdrawal w
          LEFT JOIN entry e ON e.resolves_id = w.reserve_entry_id
         GROUP BY w.id, w.state
        HAVING COUNT(e.id) <> CASE WHEN w.state IN ({open_states}) THEN 0 ELSE 1 END
    """,
    "pending money equals what waits for its release": """
        SELECT a.owner_id, a.balance, COALESCE(r.waiting, 0) AS waiting
          FROM account a
          LEFT JOIN (SELECT consultant_id, SUM(amount_cents - clawed_cents) AS waiting FROM release
                      WHERE released_at IS NULL GROUP BY consultant_id) r ON r.consultant_id = a.owner_id
         WHERE a.owner_type = 'consultant' AND a.purpose = 'pending' AND a.balance <> COALESCE(r.waiting, 0)
    """,
    "each hold is as large as what its entry credited": """
        SELECT r.id, r.entry_id, r.amount_cents, COALESCE(c.credited, 0) AS credited
          FROM release r
          LEFT JOIN (SELECT p.entry_id, a.owner_id, SUM(p.amount_cents) AS credited
                       FROM posting p JOIN account a ON a.id = p.credit_id
                      WHERE a.owner_type = 'consultant' AND a.purpose = 'pending'
                      GROUP BY p.entry_id, a.owner_id) c
            ON c.entry_id = r.entry_id AND c.owner_id = r.consultant_id
         WHERE r.amount_cents <> COALESCE(c.credited, 0)
    """,
    "nobody has money free and owes at the same time": """
        SELECT a.owner_id, a.balance AS available, d.balance AS debt
          FROM account a
          JOIN account d ON d.owner_type = a.owner_type AND d.owner_id = a.owner_id
                        AND d.currency = a.currency AND d.purpose = 'receivable'
         WHERE a.owner_type = 'consultant' AND a.purpose = 'available' AND a.balance > 0 AND d.balance > 0
    """,
    "each posted run booked its lines, no more and no less": """
        SELECT r.id, l.total, COALESCE(b.booked, 0) AS booked
          FROM run r
          JOIN (SELECT run_id, SUM(amount_cents) AS total FROM commission_line GROUP BY run_id) l
            ON l.run_id = r.id
          LEFT JOIN (SELECT e.cause_id AS run_id,
                            SUM(CASE WHEN d.purpose = 'commission_expense' THEN p.amount_cents ELSE 0 END)
                          - SUM(CASE WHEN c.purpose = 'commission_expense' THEN p.amount_cents ELSE 0 END)
                            AS booked
                       FROM entry e
                       JOIN posting p ON p.entry_id = e.id
                       JOIN account d ON d.id = p.debit_id
                       JOIN account c ON c.id = p.credit_id
                      WHERE e.cause_type = 'run' GROUP BY e.cause_id) b ON b.run_id = r.id
         WHERE r.posted_at IS NOT NULL AND l.total <> COALESCE(b.booked, 0)
    """,
    "no withdrawal is in two live batches or in a batch of another sum": """
        SELECT b.id, b.sum_cents, COALESCE(SUM(w.amount_cents), 0) AS lines
          FROM payout_batch b LEFT JOIN withdrawal w ON w.batch_id = b.id
         WHERE b.state <> 'void' GROUP BY b.id, b.sum_cents
        HAVING b.sum_cents <> COALESCE(SUM(w.amount_cents), 0)
    """,
}


def broken_invariants(session: Session) -> list[Broken]:
    """Every invariant that does not hold; an empty list means the books are in order."""
    broken = []
    if missing := missing_guards(session.connection()):
        broken.append(Broken("the database guards the books", tuple(missing)))
    for invariant, query in INVARIANTS.items():
        rows = (
            session.execute(text(query.replace("{open_states}", _OPEN_STATES))).mappings().fetchmany(_SHOWN)
        )
        if rows:
            shown = tuple(", ".join(f"{name} {value}" for name, value in row.items()) for row in rows)
            broken.append(Broken(invariant, shown))
    return broken
