"""The database itself keeps the books append-only, in open months, and balances in step with postings."""

from alembic import op

revision = "0002"
down_revision = "0001"

APPEND_ONLY = ("entry", "posting", "sale", "audit")

POSTGRESQL_UP = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'append-only: % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION entry_in_open_period() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE wrong record;
BEGIN
  PERFORM 1 FROM ledger_period WHERE id IN (SELECT period_id FROM added) ORDER BY id FOR SHARE;
  SELECT a.key, p.closed_at INTO wrong
    FROM added a JOIN ledger_period p ON p.id = a.period_id
   WHERE p.closed_at IS NOT NULL OR a.effective_on < p.starts OR a.effective_on > p.ends LIMIT 1;
  IF FOUND AND wrong.closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'period closed: entry %', wrong.key USING ERRCODE = 'check_violation';
  ELSIF FOUND THEN
    RAISE EXCEPTION 'date outside period: entry %', wrong.key USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION posting_moves_balances() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  PERFORM 1 FROM account
    WHERE tracked AND id IN (SELECT debit_id FROM added UNION SELECT credit_id FROM added)
    ORDER BY id FOR NO KEY UPDATE;
  UPDATE account SET balance = balance + CASE normal WHEN 'C' THEN moved.credited ELSE -moved.credited END
    FROM (SELECT account_id, sum(amount) AS credited
            FROM (SELECT credit_id AS account_id, amount_cents AS amount FROM added
                  UNION ALL SELECT debit_id, -amount_cents FROM added) sides
           GROUP BY account_id) moved
   WHERE account.id = moved.account_id AND account.tracked;
  RETURN NULL;
END $$;

CREATE FUNCTION account_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.balance <> 0 THEN
      RAISE EXCEPTION 'an opening balance needs an entry' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.balance <> OLD.balance AND pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'a balance follows from postings' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.id, NEW.currency, NEW.normal, NEW.owner_type, NEW.owner_id, NEW.purpose, NEW.tracked, NEW.floor)
     IS DISTINCT FROM
     (OLD.id, OLD.currency, OLD.normal, OLD.owner_type, OLD.owner_id, OLD.purpose, OLD.tracked, OLD.floor) THEN
    RAISE EXCEPTION 'what an account is never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION period_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'a closed period stays closed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER entry_in_open_period AFTER INSERT ON entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION entry_in_open_period();
CREATE TRIGGER posting_moves_balances AFTER INSERT ON posting REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION posting_moves_balances();
CREATE TRIGGER account_guard BEFORE INSERT OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION account_guard();
CREATE TRIGGER account_stays BEFORE DELETE OR TRUNCATE ON account FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_period_guard BEFORE UPDATE ON ledger_period FOR EACH ROW EXECUTE FUNCTION period_guard();
CREATE TRIGGER ledger_period_stays BEFORE DELETE OR TRUNCATE ON ledger_period
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

POSTGRESQL_APPEND_ONLY = """
CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

SQLITE_UP = [
    """CREATE TABLE posting_guard(inside INTEGER NOT NULL)""",
    """CREATE TRIGGER entry_in_open_period BEFORE INSERT ON entry BEGIN
      SELECT RAISE(ABORT, 'period closed')
       WHERE (SELECT closed_at FROM ledger_period WHERE id = NEW.period_id) IS NOT NULL;
      SELECT RAISE(ABORT, 'date outside period')
       WHERE NOT EXISTS (SELECT 1 FROM ledger_period
                          WHERE id = NEW.period_id AND NEW.effective_on BETWEEN starts AND ends);
    END""",
    """CREATE TRIGGER posting_is_whole BEFORE INSERT ON posting WHEN typeof(NEW.amount_cents) <> 'integer' BEGIN
      SELECT RAISE(ABORT, 'an amount is a whole number of cents');
    END""",
    """CREATE TRIGGER posting_moves_balances AFTER INSERT ON posting BEGIN
      INSERT INTO posting_guard VALUES (1);
      UPDATE account SET balance = balance + CASE normal WHEN 'C' THEN NEW.amount_cents ELSE -NEW.amount_cents END
       WHERE id = NEW.credit_id AND tracked;
      UPDATE account SET balance = balance + CASE normal WHEN 'D' THEN NEW.amount_cents ELSE -NEW.amount_cents END
       WHERE id = NEW.debit_id AND tracked;
      DELETE FROM posting_guard;
    END""",
    """CREATE TRIGGER account_balance_follows BEFORE UPDATE OF balance ON account
      WHEN NEW.balance <> OLD.balance AND NOT EXISTS (SELECT 1 FROM posting_guard) BEGIN
      SELECT RAISE(ABORT, 'a balance follows from postings');
    END""",
    """CREATE TRIGGER account_never_changes
      BEFORE UPDATE OF id, currency, normal, owner_type, owner_id, purpose, tracked, floor ON account BEGIN
      SELECT RAISE(ABORT, 'what an account is never changes');
    END""",
    """CREATE TRIGGER account_opens_empty BEFORE INSERT ON account WHEN NEW.balance <> 0 BEGIN
      SELECT RAISE(ABORT, 'an opening balance needs an entry');
    END""",
    """CREATE TRIGGER account_stays BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'append-only'); END""",
    """CREATE TRIGGER ledger_period_guard BEFORE UPDATE ON ledger_period WHEN OLD.closed_at IS NOT NULL BEGIN
      SELECT RAISE(ABORT, 'a closed period stays closed');
    END""",
    """CREATE TRIGGER ledger_period_stays BEFORE DELETE ON ledger_period BEGIN SELECT RAISE(ABORT, 'append-only'); END""",
]

FUNCTIONS = (
    "refuse_change",
    "entry_in_open_period",
    "posting_moves_balances",
    "account_guard",
    "period_guard",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL_UP)
        for table in APPEND_ONLY:
            op.execute(POSTGRESQL_APPEND_ONLY.format(table=table))
        return
    for statement in SQLITE_UP:
        op.execute(statement)
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table}"
                " BEGIN SELECT RAISE(ABORT, 'append-only'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for function in FUNCTIONS:
            op.execute(f"DROP FUNCTION {function}() CASCADE")
        return
    rows = op.get_bind().exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in rows:
        op.execute(f"DROP TRIGGER {name}")
    op.execute("DROP TABLE posting_guard")
