"""P1: random hostile statements, as every role that there is. None may pass and change anything."""

from __future__ import annotations

import random

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.ledger.sizes import SEED, TIMES
from tests.ledger.test_attacks import attacks_of

STATEMENTS = 10_000 * TIMES
AT_ONCE = 200
MOST = 1_000_000_000_000
COLUMNS = {
    "posting": ("id", "entry_id", "debit_id", "credit_id", "currency", "amount_cents"),
    "entry": ("id", "key", "kind", "period_id", "effective_on", "created_at", "actor_id", "reverses_id"),
    "account": (
        "id",
        "owner_type",
        "owner_id",
        "purpose",
        "currency",
        "normal",
        "tracked",
        "floor",
        "balance",
    ),
    "ledger_period": ("id", "starts", "ends"),
}
BAD_AMOUNTS = ("0", "-1", "NULL", "'many'", f"{MOST + 1}", "-9223372036854775808", "99999999999999999999")


def test_there_are_sixty_named_attacks():
    named = {
        (role, name)
        for engine in ("sqlite", "postgresql")
        for role in ("owner", "application")
        for name in attacks_of(role, engine)
    }

    assert len({name for _, name in named}) >= 60


def test_no_random_statement_changes_the_books(hands, database, broken):
    before = contents(hands[0])
    passed = []
    for hand in hands:
        chance = random.Random(f"{SEED} {hand.role}")
        wanted = [hostile(chance, hand) for _ in range(STATEMENTS // len(hands))]
        passed += [f"{hand.role}: {statement}" for statement in accepted(hand, wanted)]

    assert passed == []
    assert contents(hands[0]) == before
    assert broken() == []


def test_without_the_guards_the_same_statements_change_the_books(hands, database):
    """The control: the same statements pass as soon as the triggers are gone."""
    hand, chance = hands[0], random.Random(SEED)
    wanted = [hostile(chance, hand) for _ in range(400)]

    assert accepted(hand, wanted, first=_without_guards(hand)) != []


def hostile(chance, hand):
    """A statement that must not pass: a bad posting, or any change of what was written."""
    kinds = (bad_posting, bad_posting, change, change, removal, replacement, bad_entry, bad_account)
    return chance.choice(kinds)(chance, hand)


def bad_posting(chance, hand):
    """A posting with one thing wrong: amount, sides, currency, entry, or more than there is."""
    ids = sorted(value for name, value in hand.names.items() if name.startswith("ben_"))
    debit, credit = chance.sample(ids, 2)
    values = {
        "entry_id": hand.names["entry"],
        "debit_id": debit,
        "credit_id": credit,
        "currency": "'USD'",
        "amount_cents": chance.randint(1, MOST),
    }
    wrong = chance.choice(("amount", "itself", "currency", "entry", "account", "overdraft"))
    if wrong == "amount":
        values["amount_cents"] = chance.choice(BAD_AMOUNTS)
    elif wrong == "itself":
        values["credit_id"] = debit
    elif wrong == "currency":
        values["currency"] = chance.choice(("'EUR'", "'XXX'", "NULL", "''"))
    elif wrong == "entry":
        values["entry_id"] = chance.choice((-1, 0, 10**9 + chance.randint(0, 999)))
    elif wrong == "account":
        values[chance.choice(("debit_id", "credit_id"))] = chance.choice((-1, 0, 10**9, "NULL"))
    else:
        values["debit_id"] = hand.names[chance.choice(("ben_available", "ben_reserved", "ben_pending"))]
        values["credit_id"] = hand.names["ben_commission_expense"]
        values["amount_cents"] = chance.randint(1_000_00, MOST)
    return f"INSERT INTO posting ({', '.join(values)}) VALUES ({', '.join(map(str, values.values()))})"


def change(chance, hand):
    """Any column of any row set to something else."""
    table = chance.choice(sorted(COLUMNS))
    column = chance.choice(COLUMNS[table])
    if table == "ledger_period":
        return f"DELETE FROM ledger_period WHERE id = {hand.names['period']}"
    value = {"currency": "'EUR'", "normal": "'D'", "tracked": "FALSE", "key": f"'{chance.random()}'"}.get(
        column
    )
    value = value or {"effective_on": "'2001-01-01'", "created_at": "'2001-01-01'"}.get(column)
    value = value or ("'other'" if column in ("kind", "owner_type", "purpose") else f"{column} + 1")
    if column in ("floor", "actor_id", "reverses_id"):
        value = str(-chance.randint(1, 10**6)) if column == "floor" else "1"
    where = f" WHERE id = {_row(chance, hand, table)}" if chance.random() < 0.7 else ""
    return f"UPDATE {table} SET {column} = {value}{where}"


def removal(chance, hand):
    table = chance.choice(sorted(COLUMNS))
    where = f" WHERE id = {_row(chance, hand, table)}" if chance.random() < 0.7 else ""
    return f"DELETE FROM {table}{where}"


def replacement(chance, hand):
    """The row written anew under its id: as REPLACE, or as an insert that updates."""
    amount = chance.randint(1, 999)
    values = f"({hand.names['posting']}, {hand.names['entry']}, {hand.names['ben_available']},"
    values += f" {hand.names['ben_commission_expense']}, 'USD', {amount})"
    columns = "(id, entry_id, debit_id, credit_id, currency, amount_cents)"
    if hand.engine.dialect.name == "sqlite" and chance.random() < 0.5:
        return f"REPLACE INTO posting {columns} VALUES {values}"
    update = f" ON CONFLICT (id) DO UPDATE SET amount_cents = {amount}"
    return f"INSERT INTO posting {columns} VALUES {values}{update}"


def bad_entry(chance, hand):
    """An entry on a day outside its month, or under a key or a reversal that is taken."""
    day = f"{chance.randint(1950, 2020)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    return (
        "INSERT INTO entry (key, request_hash, kind, period_id, effective_on, created_at) VALUES"
        f" ('{chance.random()}', '', 'attack', {hand.names['period']}, '{day}', CURRENT_TIMESTAMP)"
    )


def bad_account(chance, hand):
    """A wallet that begins with money, or a second one for the same purpose."""
    owner, balance = chance.choice(((hand.names["ben"], 0), (10**6 + chance.randint(0, 999), 1)))
    sum_cents = balance * chance.randint(1, 10**9)
    return (
        "INSERT INTO account (owner_type, owner_id, purpose, currency, normal, tracked, floor, balance)"
        f" VALUES ('consultant', {owner}, 'available', 'USD', 'C', TRUE, 0, {sum_cents})"
    )


def accepted(hand, statements, *, first=()):
    """The statements that passed and touched a row; each one is tried by itself and rolled back."""
    found = []
    for start in range(0, len(statements), AT_ONCE):
        with hand.engine.connect() as connection:
            for statement in first:
                connection.execute(text(statement))
            for statement in statements[start : start + AT_ONCE]:
                if _passes(connection, statement):
                    found.append(statement)
            connection.rollback()
    return found


def contents(hand):
    with hand.engine.begin() as connection:
        return {name: connection.execute(text(f"SELECT * FROM {name} ORDER BY 1")).all() for name in COLUMNS}


def _passes(connection, statement):
    step = connection.begin_nested()
    try:
        return connection.exec_driver_sql(statement).rowcount != 0
    except DBAPIError as refusal:
        state = getattr(refusal.orig, "sqlstate", None) or ""
        mistaken = (state.startswith("42") and state != "42501") or "no such" in str(refusal.orig)
        assert not mistaken and "syntax error" not in str(refusal.orig), refusal
        return False
    finally:
        step.rollback()


def _row(chance, hand, table):
    names = {"posting": ("posting",), "entry": ("entry",), "ledger_period": ("period",)}.get(
        table, ("ben_available", "ben_pending", "ben_reserved")
    )
    return hand.names[chance.choice(names)]


def _without_guards(hand):
    if hand.engine.dialect.name == "sqlite":
        return ("DROP TRIGGER posting_update", "DROP TRIGGER posting_delete", "DROP TRIGGER entry_update")
    return (
        "ALTER TABLE posting DISABLE TRIGGER posting_stays",
        "ALTER TABLE entry DISABLE TRIGGER entry_stays",
    )
