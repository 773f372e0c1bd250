"""What holds in the books at any moment: each invariant a query, for both engines, of what breaks it."""

from __future__ import annotations

from portal.models.payout import OPEN_STATES

_OPEN_STATES = ", ".join(f"'{state}'" for state in OPEN_STATES)

_BOOKS: dict[str, str] = {
    "the trial balance is 0 in each currency": """
        SELECT currency, SUM(credit) AS out_of_balance FROM (
                 SELECT currency, CASE normal WHEN 'C' THEN balance ELSE -balance END AS credit
                   FROM account WHERE tracked
                 UNION ALL
                 SELECT p.currency, CASE WHEN c.tracked THEN 0 ELSE p.amount_cents END
                                  - CASE WHEN d.tracked THEN 0 ELSE p.amount_cents END
                   FROM posting p
                   JOIN account d ON d.id = p.debit_id JOIN account c ON c.id = p.credit_id) sides
         GROUP BY currency HAVING SUM(credit) <> 0
    """,
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
    "a closed month is as it was when it was closed": """
        SELECT m.id, m.entry_count, COUNT(DISTINCT e.id) AS entries,
               m.posted_cents, COALESCE(SUM(p.amount_cents), 0) AS posted
          FROM ledger_period m
          LEFT JOIN entry e ON e.period_id = m.id
          LEFT JOIN posting p ON p.entry_id = e.id
         WHERE m.closed_at IS NOT NULL AND m.entry_count IS NOT NULL
         GROUP BY m.id, m.entry_count, m.posted_cents
        HAVING m.entry_count <> COUNT(DISTINCT e.id) OR m.posted_cents <> COALESCE(SUM(p.amount_cents), 0)
    """,
}
_WALLETS: dict[str, str] = {
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
    "each hold was released once, with what was left of it": """
        SELECT id, entry_id, freed, left_over FROM (
                 SELECT r.id, r.entry_id,
                        CASE WHEN r.released_at IS NULL THEN 0
                             ELSE r.amount_cents - r.clawed_cents END AS left_over,
                        (SELECT COALESCE(SUM(p.amount_cents), 0)
                           FROM entry e JOIN posting p ON p.entry_id = e.id
                          WHERE e.key = 'mature:' || r.entry_id) AS freed
                   FROM release r) holds
         WHERE freed <> left_over
    """,
    "nobody has money free and owes at the same time": """
        SELECT a.owner_id, a.balance AS available, d.balance AS debt
          FROM account a
          JOIN account d ON d.owner_type = a.owner_type AND d.owner_id = a.owner_id
                        AND d.currency = a.currency AND d.purpose = 'receivable'
         WHERE a.owner_type = 'consultant' AND a.purpose = 'available' AND a.balance > 0 AND d.balance > 0
    """,
    "each posted run booked its lines, no more and no less, an undone one nothing in the end": """
        SELECT r.id, l.total, COALESCE(b.booked, 0) AS booked
          FROM run r
          JOIN (SELECT run_id, SUM(amount_cents) AS total FROM commission_line
                 WHERE run_id IN (SELECT id FROM run WHERE posted_at IS NOT NULL) GROUP BY run_id) l
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
         WHERE r.posted_at IS NOT NULL
           AND COALESCE(b.booked, 0) <> CASE WHEN r.undone_at IS NULL THEN l.total ELSE 0 END
    """,
    "each adjustment was booked once, for its amount, by two people": """
        SELECT id, state, booked FROM (
                 SELECT j.*, e.id AS found,
                        (SELECT SUM(p.amount_cents) FROM posting p WHERE p.entry_id = e.id) AS booked
                   FROM adjustment j LEFT JOIN entry e ON e.key = 'adj:' || j.public_id) made
         WHERE (state = 'approved' AND (found IS NULL OR found <> entry_id OR booked <> ABS(amount_cents)
                                        OR decided_by IS NULL OR decided_by = proposed_by))
            OR (state <> 'approved' AND found IS NOT NULL)
    """,
}
_PAYOUTS: dict[str, str] = {
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
    "each paid withdrawal left by one entry with its whole amount, no other left": """
        SELECT id, state, paid FROM (
                 SELECT w.id, w.state, w.amount_cents, w.reserve_entry_id, e.id AS entry_id, e.resolves_id,
                        (SELECT SUM(p.amount_cents) FROM posting p JOIN account a ON a.id = p.debit_id
                          WHERE p.entry_id = e.id AND a.owner_id = w.consultant_id
                            AND a.purpose = 'reserved') AS paid
                   FROM withdrawal w LEFT JOIN entry e ON e.key = 'po:' || w.public_id || '\\:post') payments
         WHERE (state IN ('sent', 'paid')
                AND (paid IS NULL OR paid <> amount_cents OR COALESCE(resolves_id, 0) <> reserve_entry_id))
            OR (state NOT IN ('sent', 'paid', 'returned') AND entry_id IS NOT NULL)
    """,
    "each payment by a provider has the provider's reference": """
        SELECT w.id, w.state, m.code FROM withdrawal w JOIN payout_method m ON m.id = w.method_id
         WHERE m.kind IN ('stripe', 'http') AND w.state IN ('sent', 'paid') AND w.provider_ref IS NULL
    """,
    "no withdrawal is in two live batches or in a batch of another sum": """
        SELECT b.id, b.sum_cents, COALESCE(SUM(w.amount_cents - w.fee_cents - w.withheld_cents), 0) AS lines
          FROM payout_batch b LEFT JOIN withdrawal w ON w.batch_id = b.id
         WHERE b.state <> 'void' GROUP BY b.id, b.sum_cents
        HAVING b.sum_cents <> COALESCE(SUM(w.amount_cents - w.fee_cents - w.withheld_cents), 0)
    """,
    "nobody who owes had a withdrawal approved since": """
        WITH changes AS (
               SELECT a.owner_id, p.entry_id, e.created_at,
                      SUM(CASE WHEN p.debit_id = a.id THEN p.amount_cents ELSE -p.amount_cents END) AS cents
                 FROM account a
                 JOIN posting p ON p.debit_id = a.id OR p.credit_id = a.id
                 JOIN entry e ON e.id = p.entry_id
                WHERE a.owner_type = 'consultant' AND a.purpose = 'receivable' AND a.balance > 0
                GROUP BY a.owner_id, p.entry_id, e.created_at),
             debts AS (
               SELECT owner_id, entry_id, created_at,
                      SUM(cents) OVER (PARTITION BY owner_id ORDER BY entry_id) AS owed
                 FROM changes),
             opened AS (
               SELECT d.owner_id, MIN(d.created_at) AS since FROM debts d
                WHERE d.entry_id > (SELECT COALESCE(MAX(z.entry_id), 0) FROM debts z
                                     WHERE z.owner_id = d.owner_id AND z.owed = 0)
                GROUP BY d.owner_id)
        SELECT w.id, w.state, o.since FROM opened o JOIN withdrawal w ON w.consultant_id = o.owner_id
         WHERE w.decided_at > o.since AND w.state NOT IN ('requested', 'rejected', 'cancelled')
    """,
    "what Stripe kept of each payment is booked as it is known": """
        SELECT id, known, booked FROM (
                 SELECT p.id, COALESCE(p.fee_cents, 0) + COALESCE(r.fees, 0) AS known,
                        COALESCE(b.booked, 0) AS booked
                   FROM payment p
                   LEFT JOIN (SELECT payment_id, SUM(fee_cents) AS fees FROM payment_reversal
                               GROUP BY payment_id) r ON r.payment_id = p.id
                   LEFT JOIN (SELECT e.cause_id, SUM(s.cents) AS booked FROM (
                                SELECT p.entry_id, p.amount_cents AS cents FROM posting p
                                  JOIN account a ON a.id = p.debit_id AND a.purpose = 'provider_fees'
                                 UNION ALL
                                SELECT p.entry_id, -p.amount_cents FROM posting p
                                  JOIN account a ON a.id = p.credit_id AND a.purpose = 'provider_fees') s
                                JOIN entry e ON e.id = s.entry_id AND e.cause_type = 'payment'
                               GROUP BY e.cause_id) b ON b.cause_id = p.id) fees
         WHERE known <> booked
    """,
    "money at Stripe is what came in, less what went back, was kept and was sent": """
        SELECT booked, recorded FROM (
                 SELECT (SELECT COALESCE(SUM(p.amount_cents), 0) FROM posting p
                          JOIN account a ON a.id = p.debit_id AND a.purpose = 'stripe_balance')
                      - (SELECT COALESCE(SUM(p.amount_cents), 0) FROM posting p
                          JOIN account a ON a.id = p.credit_id AND a.purpose = 'stripe_balance') AS booked,
                        (SELECT COALESCE(SUM(amount_cents - COALESCE(fee_cents, 0)), 0) FROM payment)
                      - (SELECT COALESCE(SUM(amount_cents), 0) FROM payment_reversal
                          WHERE state IN ('open', 'done', 'lost'))
                      - (SELECT COALESCE(SUM(fee_cents), 0) FROM payment_reversal)
                      - (SELECT COALESCE(SUM(w.amount_cents - w.fee_cents - w.withheld_cents), 0)
                           FROM withdrawal w JOIN payout_method m ON m.id = w.method_id
                          WHERE m.kind = 'stripe' AND w.state IN ('sent', 'paid')) AS recorded) sums
         WHERE booked <> recorded
    """,
}
INVARIANTS: dict[str, str] = {
    name: query.replace("{open_states}", _OPEN_STATES)
    for name, query in {**_BOOKS, **_WALLETS, **_PAYOUTS}.items()
}

# Nobody loses money by these, so they stop nothing; a person should look. `:quarter` and `:week` are instants
# that long ago.
WARNINGS: dict[str, str] = {
    "a message from outside waits for more than 15 minutes": """
        SELECT id, source, kind FROM inbox
         WHERE state = 'new' AND received_at < :quarter AND next_at < :quarter
    """,
    "a fact waits for its reactions for more than 15 minutes": """
        SELECT id, name FROM outbox WHERE relayed_at IS NULL AND happened_at < :quarter
    """,
    "a reaction is due for more than 15 minutes": """
        SELECT id, handler FROM task WHERE state IN ('new', 'retry') AND next_at < :quarter
    """,
    "the outcome of a payout is unknown for more than 7 days": """
        SELECT w.id, w.state FROM withdrawal w
         WHERE w.state IN ('sending', 'resolving', 'review') AND w.decided_at < :week
    """,
    "money came in at Stripe for nothing that we know, and did not go back": """
        SELECT i.id, i.object_ref FROM inbox i
         WHERE i.source = 'stripe' AND i.kind = 'charge.succeeded' AND i.state = 'dead'
           AND NOT EXISTS (SELECT 1 FROM inbox r WHERE r.source = 'stripe' AND r.object_ref = i.object_ref
                                                   AND r.kind = 'charge.refunded')
    """,
    "what Stripe kept of a payment is unknown for more than 7 days": """
        SELECT id, public_id FROM payment
         WHERE fee_due_at IS NOT NULL AND fee_cents IS NULL AND received_at < :week
    """,
    "whether a mail was sent is unknown for more than 7 days": """
        SELECT id, template FROM message WHERE state = 'unknown' AND created_at < :week
    """,
}
