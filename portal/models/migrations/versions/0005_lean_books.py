"""The same guards and look-ups of the books for fewer passes over what a close writes.

Only the indexes that a query uses; what an entry points to checked for each statement; balances moved by one
statement; an account's row looked at by a trigger only where more than its balance is written.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NAMED_ONCE = ("reverses_id", "resolves_id")
HELD = sa.text("released_at IS NULL")
HELD_BY = {"ix_release_held": ["consultant_id"], "ix_release_due": ["due_on", "id"]}

# What each column points to is checked for all rows of a statement at once; see portal/models/guards.py. The
# period is checked by the trigger that has to look at it anyway.
POINTS_TO = {"actor_id": "account_user", "reverses_id": "entry", "resolves_id": "entry"}

FUNCTIONS_UP = """
CREATE OR REPLACE FUNCTION entry_in_open_period() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE booked record; month ledger_period;
BEGIN
  FOR booked IN
    SELECT period_id, min(effective_on) AS first, max(effective_on) AS last, min(key) AS key
      FROM added GROUP BY period_id ORDER BY period_id
  LOOP
    SELECT * INTO month FROM ledger_period WHERE id = booked.period_id FOR SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'period_id of entry points to ledger_period %, which is not there', booked.period_id
        USING ERRCODE = 'foreign_key_violation';
    ELSIF month.closed_at IS NOT NULL THEN
      RAISE EXCEPTION 'period closed: entry %', booked.key USING ERRCODE = 'check_violation';
    ELSIF booked.first < month.starts OR booked.last > month.ends THEN
      RAISE EXCEPTION 'date outside period: of %, entry %', booked.period_id, booked.key
        USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- The postings of a close come nearly in the order of their accounts: sorting them costs less than hashing.
CREATE OR REPLACE FUNCTION posting_moves_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET enable_hashagg = off AS $$
BEGIN
  -- Locked in one order for everybody, and each changed once.
  WITH held AS MATERIALIZED (
         SELECT a.id, CASE a.normal WHEN 'C' THEN moved.credited ELSE -moved.credited END AS change
           FROM account a
           JOIN (SELECT account_id, sum(amount)::bigint AS credited
                   FROM (SELECT credit_id AS account_id, amount_cents AS amount FROM added
                         UNION ALL SELECT debit_id, -amount_cents FROM added) sides
                  GROUP BY account_id) moved ON moved.account_id = a.id
          WHERE a.tracked ORDER BY a.id FOR NO KEY UPDATE OF a)
  UPDATE account SET balance = account.balance + held.change FROM held WHERE account.id = held.id;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION points_to_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE first bigint; last bigint; lost bigint; known int;
BEGIN
  FOR i IN 0 .. TG_NARGS - 1 BY 2 LOOP
    EXECUTE format('SELECT min(%1$I), max(%1$I) FROM added', TG_ARGV[i]) INTO first, last;
    IF first = last THEN
      EXECUTE format('SELECT 1 FROM %I WHERE id = $1', TG_ARGV[i + 1]) INTO known USING first;
      lost := CASE WHEN known IS NULL THEN first END;
    ELSIF first IS NOT NULL THEN
      -- An aggregate looks at all rows, so the planner does not go for the first one; and of a table that
      -- grows for years only the part is read that is pointed to.
      EXECUTE format('SELECT min(a.%1$I) FROM added a WHERE a.%1$I IS NOT NULL AND NOT EXISTS'
                     ' (SELECT 1 FROM %2$I t WHERE t.id = a.%1$I AND t.id BETWEEN $1 AND $2)',
                     TG_ARGV[i], TG_ARGV[i + 1]) INTO lost USING first, last;
    END IF;
    IF lost IS NOT NULL THEN
      RAISE EXCEPTION '% of % points to % %, which is not there', TG_ARGV[i], TG_TABLE_NAME, TG_ARGV[i + 1], lost
        USING ERRCODE = 'foreign_key_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION balance_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a balance follows from postings' USING ERRCODE = 'restrict_violation';
END $$;
"""
COLUMNS = ("id", "currency", "normal", "owner_type", "owner_id", "purpose", "tracked", "floor")
CHANGED = "({}) IS DISTINCT FROM ({})".format(
    *(", ".join(f"{row}.{column}" for column in COLUMNS) for row in ("NEW", "OLD"))
)
# A column that a statement does not set cannot change: so a balance is set without a look at its row.
GUARDS_UP = f"""
DROP TRIGGER account_guard ON account;
CREATE TRIGGER account_guard BEFORE UPDATE OF {", ".join(COLUMNS)} ON account FOR EACH ROW
  WHEN ({CHANGED}) EXECUTE FUNCTION account_guard();
CREATE TRIGGER account_balance_follows BEFORE UPDATE OF balance ON account FOR EACH STATEMENT
  WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION balance_follows();
CREATE TRIGGER account_user_stays BEFORE DELETE OR TRUNCATE ON account_user
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
GUARDS_DOWN = f"""
DROP TRIGGER account_user_stays ON account_user;
DROP TRIGGER account_guard ON account;
DROP FUNCTION balance_follows() CASCADE;
CREATE TRIGGER account_guard BEFORE UPDATE ON account FOR EACH ROW
  WHEN (NEW.balance <> OLD.balance AND pg_trigger_depth() = 0 OR {CHANGED}) EXECUTE FUNCTION account_guard();
"""
POINTS_UP = """
DROP TRIGGER entry_points_to_rows ON entry;
CREATE TRIGGER entry_points_to_rows AFTER INSERT ON entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION points_to_rows({arguments});
"""


def upgrade() -> None:
    op.drop_index(op.f("ix_release_cycle_id"), table_name="release")
    op.drop_index(op.f("ix_release_consultant_id"), table_name="release")
    op.drop_index("ix_release_due", table_name="release")
    for name, columns in HELD_BY.items():
        op.create_index(name, "release", columns, postgresql_where=HELD, sqlite_where=HELD)
    if op.get_bind().dialect.name == "postgresql":
        index_what_is_named()
        for column, other in POINTS_TO.items():
            op.drop_constraint(op.f(f"fk_entry_{column}_{other}"), "entry", type_="foreignkey")
        check_what_entries_point_to(POINTS_TO)
        op.execute(FUNCTIONS_UP)
        op.execute(GUARDS_UP)


def downgrade() -> None:
    """The functions that did the same in more passes are not brought back."""
    for name in HELD_BY:
        op.drop_index(name, table_name="release")
    op.create_index("ix_release_due", "release", ["released_at", "due_on"])
    op.create_index(op.f("ix_release_consultant_id"), "release", ["consultant_id"])
    op.create_index(op.f("ix_release_cycle_id"), "release", ["cycle_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(GUARDS_DOWN)
        check_what_entries_point_to({"period_id": "ledger_period"})
        for column, other in POINTS_TO.items():
            op.create_foreign_key(op.f(f"fk_entry_{column}_{other}"), "entry", other, [column], ["id"])
        index_every_entry()


def check_what_entries_point_to(columns: dict[str, str]) -> None:
    arguments = ", ".join(f"'{column}', '{other}'" for column, other in columns.items())
    op.execute(POINTS_UP.format(arguments=arguments))


def index_what_is_named() -> None:
    """Hardly any entry names another one. SQLite keeps the constraint: there a table cannot lose one."""
    for column in NAMED_ONCE:
        name = f"uq_entry_{column}"
        op.drop_constraint(op.f(name), "entry", type_="unique")
        named = sa.text(f"{column} IS NOT NULL")
        op.create_index(op.f(name), "entry", [column], unique=True, postgresql_where=named)


def index_every_entry() -> None:
    for column in NAMED_ONCE:
        name = f"uq_entry_{column}"
        op.drop_index(op.f(name), table_name="entry")
        op.create_unique_constraint(op.f(name), "entry", [column])
