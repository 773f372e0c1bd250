"""The ledger check finds what it is there to find: a fault is planted for each invariant."""

from __future__ import annotations

import json

from sqlalchemy.orm import Session

from portal.ledger.audit import GUARDS, broken_invariants
from portal.ledger.invariants import INVARIANTS

_RUN = (
    "INSERT INTO run (cycle_id, purpose, plan_version_id, inputs, input_hash, frozen_at, posted_at)"
    " SELECT :cycle, 'close', plan_version_id, '', '', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP"
    " FROM cycle WHERE id = :cycle"
)
_LINE = (
    "INSERT INTO commission_line (run_id, consultant_id, kind, amount_cents, base, level)"
    " SELECT max(id), :ben, 'binary', 100, 0, 0 FROM run"
)
_DEBT = (
    "INSERT INTO posting (entry_id, debit_id, credit_id, currency, amount_cents)"
    " VALUES (:entry, :ben_receivable, :ben_commission_expense, 'USD', 1)"
)
_ADJUSTMENT = (
    "INSERT INTO adjustment (public_id, key, consultant_id, kind, amount_cents, reason, state, proposed_by,"
    " proposed_at, decided_by, decided_at, entry_id)"
    " SELECT 'planted', 'planted', :ben, 'correction', 100, 'none', 'approved', min(id), CURRENT_TIMESTAMP,"
    " max(id), CURRENT_TIMESTAMP, :entry FROM account_user"
)
_METHOD = (
    "INSERT INTO payout_method (code, name, kind, enabled, position, countries, minimum_cents, maximum_cents,"
    " daily_limit_cents, run_limit_cents, automatic_limit_cents, fee_cents, fee_rate, created_at)"
    " VALUES ('planted', 'Planted', 'stripe', TRUE, 9, '[]', 1, 2, 1, 1, 1, 0, 0, CURRENT_TIMESTAMP)"
)
_STRIPE = (
    "INSERT INTO account (owner_type, owner_id, purpose, currency, normal, tracked)"
    " VALUES ('company', 0, 'stripe_balance', 'USD', 'D', FALSE)"
)
_AT_STRIPE = (
    "INSERT INTO posting (entry_id, debit_id, credit_id, currency, amount_cents) SELECT :entry, id,"
    " :ben_commission_expense, 'USD', 1 FROM account WHERE purpose = 'stripe_balance'"
)
_PACK = (
    "INSERT INTO pack (code, name, summary, price_cents, monthly_cents, position, features)"
    " SELECT 'planted', '', '', 0, 0, 9, '{}'"
)
_REGISTRATION = (
    "INSERT INTO registration (public_id, person_id, password_hash, pack, state, started_at)"
    " SELECT 'planted', min(id), '', 'planted', 'started', CURRENT_TIMESTAMP FROM person"
)
_PAYMENT = (
    "INSERT INTO payment (public_id, kind, registration_id, provider_ref, amount_cents, refunded_cents,"
    " fee_cents, currency, state, received_at)"
    " SELECT 'planted', 'pack', max(id), 'pi_planted', 100, 0, 33, 'USD', 'paid', CURRENT_TIMESTAMP"
    " FROM registration"
)
PLANTS = {
    "each entry has at least one posting": [
        (
            "INSERT INTO entry (key, request_hash, kind, period_id, effective_on, created_at)"
            " VALUES ('empty', '', 'test', :period, CURRENT_DATE, CURRENT_TIMESTAMP)"
        )
    ],
    "each entry lies in its period": [
        "UPDATE ledger_period SET closed_at = '2001-01-01 00:00:00' WHERE id = :period"
    ],
    "reserved money equals open withdrawals": [
        "UPDATE withdrawal SET amount_cents = amount_cents + 1 WHERE id = :waiting"
    ],
    "each settled withdrawal was settled by one entry, each open one by none": [
        "UPDATE withdrawal SET state = 'paid' WHERE id = :waiting"
    ],
    "pending money equals what waits for its release": [
        "UPDATE release SET clawed_cents = 1 WHERE entry_id = :entry"
    ],
    "each hold is as large as what its entry credited": [
        "UPDATE release SET amount_cents = amount_cents + 1 WHERE entry_id = :entry"
    ],
    "nobody has money free and owes at the same time": [_DEBT],
    "nobody who owes had a withdrawal approved since": [_DEBT],
    "a closed month is as it was when it was closed": [
        (
            "UPDATE ledger_period SET entry_count = 1, posted_cents = 1, closed_at = '2999-01-01 00:00:00'"
            " WHERE id = :period"
        )
    ],
    "each hold was released once, with what was left of it": ["UPDATE release SET released_at = NULL"],
    "each adjustment was booked once, for its amount, by two people": [_ADJUSTMENT],
    "each paid withdrawal left by one entry with its whole amount, no other left": [
        "UPDATE withdrawal SET state = 'paid' WHERE id = :waiting"
    ],
    "each payment by a provider has the provider's reference": [
        _METHOD,
        (
            "UPDATE withdrawal SET state = 'sent', method_id = (SELECT max(id) FROM payout_method)"
            " WHERE id = :waiting"
        ),
    ],
    "money at Stripe is what came in, less what went back, was kept and was sent": [_STRIPE, _AT_STRIPE],
    "what Stripe kept of each payment is booked as it is known": [
        _PACK,
        _REGISTRATION,
        _PAYMENT,
    ],
    "each posted run booked its lines, no more and no less, an undone one nothing in the end": [_RUN, _LINE],
    "no withdrawal is in two live batches or in a batch of another sum": [
        "UPDATE payout_batch SET sum_cents = sum_cents + 1 WHERE id = :batch"
    ],
}
TRIAL = "the trial balance is 0 in each currency"
_OFF = "UPDATE account SET balance = balance + 1 WHERE id = :ben_available"
_BELOW = "UPDATE account SET balance = -1 WHERE id = :ben_receivable"
PAST_THE_GUARDS = {
    "sqlite": {
        "each tracked balance equals the sum of its postings": [
            "INSERT INTO posting_guard VALUES (1)",
            _OFF,
            "DELETE FROM posting_guard",
        ],
        TRIAL: ["INSERT INTO posting_guard VALUES (1)", _OFF, "DELETE FROM posting_guard"],
        "no tracked account is below its floor": [
            "PRAGMA ignore_check_constraints = ON",
            "INSERT INTO posting_guard VALUES (1)",
            _BELOW,
            "DELETE FROM posting_guard",
        ],
        GUARDS: ["DROP TRIGGER posting_update"],
    },
    "postgresql": {
        "each tracked balance equals the sum of its postings": [
            "SET LOCAL session_replication_role = replica",
            _OFF,
        ],
        TRIAL: ["SET LOCAL session_replication_role = replica", _OFF],
        "no tracked account is below its floor": [
            "ALTER TABLE account DROP CONSTRAINT ck_account_no_overdraft",
            "SET LOCAL session_replication_role = replica",
            _BELOW,
        ],
        GUARDS: ["ALTER TABLE posting DISABLE TRIGGER posting_stays"],
    },
}


def test_books_in_order_break_nothing(books, broken):
    assert broken() == []


def test_each_planted_fault_is_found(hands, database, broken):
    faults = {**PLANTS, **PAST_THE_GUARDS[database.engine]}

    found = {invariant: _found_after(hands[0], statements) for invariant, statements in faults.items()}

    assert set(faults) == {*INVARIANTS, GUARDS}
    assert [invariant for invariant, names in found.items() if invariant not in names] == []
    assert broken() == [], "the faults were rolled back"


def test_the_command_ends_with_1_and_names_the_broken_invariant(hands, app):
    runner = app.test_cli_runner()
    fine = runner.invoke(args=["ledger", "check"])
    assert (fine.exit_code, fine.output) == (
        0,
        f"The books are in order: {len(INVARIANTS) + 1} invariants hold.\n",
    )
    assert json.loads(runner.invoke(args=["ledger", "check", "--json"]).output)["ok"] is True

    hands[0].write(*PLANTS["pending money equals what waits for its release"])

    bad = runner.invoke(args=["ledger", "check", "--json"])
    (found,) = json.loads(bad.output)["broken"]
    assert bad.exit_code == 1
    assert found["invariant"] == "pending money equals what waits for its release"
    assert found["rows"] != []
    assert "Broken: pending money" in runner.invoke(args=["ledger", "check"]).output


def _found_after(hand, statements):
    """Plant a fault, check, and roll it back."""
    with hand.engine.connect() as connection:
        hand.run(connection, *statements)
        with Session(connection) as session:
            found = [each.invariant for each in broken_invariants(session)]
        connection.rollback()
        if hand.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
    return found
