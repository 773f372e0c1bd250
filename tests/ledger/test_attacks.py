"""The database itself keeps the books: hostile SQL as their owner and as the application's role."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from portal.models import Posting
from portal.store import perform

ENTRY = (
    "INSERT INTO entry (key, request_hash, kind, period_id, effective_on, created_at{more}) VALUES"
    " ('{key}', '', 'attack', :period, {day}, CURRENT_TIMESTAMP{values})"
)
CLOSE = "UPDATE ledger_period SET closed_at = CURRENT_TIMESTAMP WHERE id = :period"
LAST = "(SELECT max(id) FROM entry)"


def posting(debit=":ben_available", credit=":ben_commission_expense", cents="100", currency="'USD'"):
    columns = "entry_id, debit_id, credit_id, currency, amount_cents"
    return f"INSERT INTO posting ({columns}) VALUES (:entry, {debit}, {credit}, {currency}, {cents})"


def entry(key="attack", day="CURRENT_DATE", more="", values=""):
    return ENTRY.format(key=key, day=day, more=more, values=values)


BOTH = {
    "overdraft": [posting(cents="38001")],
    "overdraft in two steps": [posting(cents="20000"), posting(cents="18001")],
    "overdraft of reserved": [posting(debit=":ben_reserved", cents="12001")],
    "debt paid twice": [posting(debit=":ben_available", credit=":ben_receivable", cents="1")],
    "negative": [posting(cents="-1")],
    "zero": [posting(cents="0")],
    "to itself": [posting(credit=":ben_available")],
    "huge": [posting(debit=":ben_commission_expense", credit=":ben_available", cents="1000000000001")],
    "beyond 64 bits": [posting(cents="92233720368547758080")],
    "one-sided, no credit": [posting(credit="NULL")],
    "one-sided, no debit": [posting(debit="NULL")],
    "no amount": [posting(cents="NULL")],
    "a word for an amount": [posting(cents="'ten'")],
    "no such account": [posting(credit="424242")],
    "another currency": ["INSERT INTO currency VALUES ('EUR', 2)", posting(currency="'EUR'")],
    "no such entry": [posting().replace(":entry", "424242")],
    "change a posting": ["UPDATE posting SET amount_cents = 1 WHERE id = :posting"],
    "change all postings": ["UPDATE posting SET amount_cents = amount_cents"],
    "move a posting": ["UPDATE posting SET credit_id = :ben_pending WHERE id = :posting"],
    "take a posting away": ["DELETE FROM posting WHERE id = :posting"],
    "take all postings away": ["DELETE FROM posting"],
    "change an entry": ["UPDATE entry SET kind = 'other' WHERE id = :entry"],
    "take an entry away": ["DELETE FROM entry WHERE id = :entry"],
    "set a balance": ["UPDATE account SET balance = 99999 WHERE id = :ben_available"],
    "add to all balances": ["UPDATE account SET balance = balance + 1"],
    "open with a balance": [
        (
            "INSERT INTO account (owner_type, owner_id, purpose, currency, normal, tracked, floor, balance)"
            " VALUES ('consultant', 424242, 'available', 'USD', 'C', TRUE, 0, 1)"
        )
    ],
    "a second wallet": [
        (
            "INSERT INTO account (owner_type, owner_id, purpose, currency, normal, tracked, floor)"
            " VALUES ('consultant', :ben, 'available', 'USD', 'C', TRUE, 0)"
        )
    ],
    "give a wallet away": ["UPDATE account SET owner_id = 424242 WHERE id = :ben_available"],
    "take the floor away": ["UPDATE account SET floor = NULL WHERE id = :ben_available"],
    "stop tracking": ["UPDATE account SET tracked = FALSE WHERE id = :ben_available"],
    "turn a side": ["UPDATE account SET normal = 'D' WHERE id = :ben_available"],
    "take an account away": ["DELETE FROM account WHERE id = :ben_available"],
    "post into a closed month": [
        "UPDATE ledger_period SET closed_at = CURRENT_TIMESTAMP WHERE id = :period",
        entry(),
    ],
    "open a closed month": [
        "UPDATE ledger_period SET closed_at = CURRENT_TIMESTAMP WHERE id = :period",
        "UPDATE ledger_period SET closed_at = NULL WHERE id = :period",
    ],
    "change what a closed month was": [
        CLOSE,
        "UPDATE ledger_period SET fingerprint = 'x' WHERE id = :period",
    ],
    "make a closed month longer": [CLOSE, "UPDATE ledger_period SET ends = '2999-12-31' WHERE id = :period"],
    "move an entry to another month": ["UPDATE entry SET period_id = 200101 WHERE id = :entry"],
    "give an entry another key": ["UPDATE entry SET key = 'other' WHERE id = :entry"],
    "turn a wallet into another": ["UPDATE account SET purpose = 'bonus' WHERE id = :ben_available"],
    "take a month away": ["DELETE FROM ledger_period WHERE id = :period"],
    "a date outside its month": [entry(day="'2001-01-01'")],
    "the same key": [entry(), entry()],
    "undo twice": [
        entry(key="first", more=", reverses_id", values=", :entry"),
        entry(key="second", more=", reverses_id", values=", :entry"),
    ],
    "undo what is not there yet": [entry(more=", reverses_id", values=f", {LAST} + 1")],
    "undo what was never there": [entry(more=", reverses_id", values=", -5")],
    "settle what was never there": [entry(more=", resolves_id", values=", -5")],
    "in the name of nobody": [entry(more=", actor_id", values=", 424242")],
    "in no month": [entry().replace(":period", "190001")],
    "settle twice": [
        entry(key="first", more=", resolves_id", values=", :entry"),
        entry(key="second", more=", resolves_id", values=", :entry"),
    ],
}
POSTGRESQL = {
    "half a cent as text": [posting(cents="'1.5'")],
    "empty the postings": ["TRUNCATE posting"],
    "empty the entries": ["TRUNCATE entry CASCADE"],
    "empty the accounts": ["TRUNCATE account CASCADE"],
    "take a person's name from what they did": ["DELETE FROM account_user"],
    "take back on conflict": [
        (
            "INSERT INTO posting (id, entry_id, debit_id, credit_id, currency, amount_cents)"
            " VALUES (:posting, :entry, :ben_available, :ben_commission_expense, 'USD', 1)"
            " ON CONFLICT (id) DO UPDATE SET amount_cents = 1"
        )
    ],
}
SQLITE = {
    "half a cent": [posting(cents="1.5")],
    "half a cent as text": [posting(cents="'1.5'")],
    "replace a posting": [
        (
            "REPLACE INTO posting (id, entry_id, debit_id, credit_id, currency, amount_cents)"
            " VALUES (:posting, :entry, :ben_available, :ben_commission_expense, 'USD', 1)"
        )
    ],
    "replace an entry": [
        (
            "REPLACE INTO entry (id, key, request_hash, kind, period_id, effective_on, created_at)"
            " VALUES (:entry, 'other', '', 'attack', :period, CURRENT_DATE, CURRENT_TIMESTAMP)"
        )
    ],
    "replace a wallet": [
        (
            "REPLACE INTO account"
            " (id, owner_type, owner_id, purpose, currency, normal, tracked, floor, balance)"
            " VALUES (:ben_available, 'consultant', :ben, 'available', 'USD', 'C', TRUE, 0, 0)"
        )
    ],
    "replace a month": [
        "REPLACE INTO ledger_period (id, starts, ends) VALUES (:period, '2001-01-01', '2999-12-31')"
    ],
}
AS_APPLICATION = {
    "take a guard away": ["DROP TRIGGER posting_stays ON posting"],
    "switch a guard off": ["ALTER TABLE posting DISABLE TRIGGER ALL"],
    "switch all guards off": ["SET session_replication_role = replica"],
    "replace a guard": [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'"
    ],
    "take a rule away": ["ALTER TABLE account DROP CONSTRAINT ck_account_no_overdraft"],
    "take the table away": ["DROP TABLE posting"],
    "change a sale": ["UPDATE sale SET volume = 1"],
    "change what was written down": ["UPDATE audit SET action = 'nothing'"],
    "forget what was written down": ["DELETE FROM audit"],
}


def attacks_of(role, engine):
    more = POSTGRESQL if engine == "postgresql" else SQLITE
    return {**BOTH, **more, **(AS_APPLICATION if role == "application" else {})}


def test_every_attack_is_refused_and_leaves_no_trace(hands, database, broken):
    before = _state(hands[0])

    passed = [
        f"{hand.role}: {name}"
        for hand in hands
        for name, statements in attacks_of(hand.role, database.engine).items()
        if not _is_refused(hand, statements)
    ]

    assert passed == []
    assert _state(hands[0]) == before
    assert broken() == []


def test_what_is_right_passes(hands, broken):
    """The control: the same hands may do what is allowed."""
    for hand in hands:
        for name, statements in {
            "a posting": [posting(cents="1")],
            "an entry": [entry(key=f"right {hand.role}"), posting(cents="1").replace(":entry", LAST)],
        }.items():
            assert not _is_refused(hand, statements), f"{hand.role}: {name}"

    assert broken() == []


def test_the_application_does_not_even_send_what_is_not_whole(app, books):
    for amount in (1.5, "100", True, None):
        with app.app_context(), pytest.raises(SQLAlchemyError, match=r"whole number|NOT NULL|not-null"):
            perform(lambda uow, amount=amount: uow.session.execute(insert(Posting), [_row(books, amount)]))


def _is_refused(hand, statements):
    """Refused by a guard or a missing right; a mistake in our own SQL is no refusal."""
    try:
        hand.write(*statements)
    except DBAPIError as refusal:
        state = getattr(refusal.orig, "sqlstate", None) or ""
        mistaken = state.startswith("42") and state != "42501"
        assert not mistaken and "syntax error" not in str(refusal) and "no such" not in str(refusal), refusal
        return True
    return False


def _state(hand):
    tables = ("account", "ledger_period", "entry", "posting", "currency")
    with hand.engine.begin() as connection:
        return {name: connection.execute(text(f"SELECT * FROM {name} ORDER BY 1")).all() for name in tables}


def _row(books, amount):
    return {
        "entry_id": books["entry"],
        "debit_id": books["ben_commission_expense"],
        "credit_id": books["ben_available"],
        "currency": "USD",
        "amount_cents": amount,
    }
