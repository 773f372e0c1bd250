"""The triggers that keep the books; start-up and the ledger check compare them with what is there."""

from __future__ import annotations

from sqlalchemy import Connection, text

# Foreign keys that PostgreSQL would check row by row, which makes a close ten times as long. There a trigger
# checks all rows of a statement at once, and what they point to refuses to be deleted.
CHECKED_FOR_EACH_STATEMENT = {
    "carry": {"run_id": "run", "consultant_id": "consultant"},
    "commission_line": {
        "run_id": "run",
        "consultant_id": "consultant",
        "sale_id": "sale",
        "source_consultant_id": "consultant",
    },
    "entry": {
        "period_id": "ledger_period",
        "actor_id": "account_user",
        "reverses_id": "entry",
        "resolves_id": "entry",
    },
    "loss": {"run_id": "run", "consultant_id": "consultant"},
    "paid_rank": {"run_id": "run", "consultant_id": "consultant"},
    "posting": {"entry_id": "entry", "debit_id": "account", "credit_id": "account"},
    "release": {"entry_id": "entry", "consultant_id": "consultant", "cycle_id": "cycle"},
}
_POSTGRESQL = {
    "account_balance_follows",
    "account_guard",
    "account_opens_empty",
    "account_stays",
    "account_user_stays",
    "audit_stays",
    "carry_points_to_rows",
    "commission_line_points_to_rows",
    "consultant_stays",
    "cycle_stays",
    "entry_in_open_period",
    "entry_points_to_rows",
    "entry_stays",
    "ledger_period_guard",
    "ledger_period_stays",
    "loss_points_to_rows",
    "paid_rank_points_to_rows",
    "posting_in_one_currency",
    "posting_moves_balances",
    "posting_points_to_rows",
    "posting_stays",
    "release_points_to_rows",
    "run_stays",
    "sale_stays",
}
_SQLITE = {
    "account_balance_follows",
    "account_never_changes",
    "account_opens_empty",
    "account_stays",
    "audit_delete",
    "audit_update",
    "entry_delete",
    "entry_in_open_period",
    "entry_update",
    "ledger_period_guard",
    "ledger_period_stays",
    "posting_delete",
    "posting_is_whole",
    "posting_moves_balances",
    "posting_update",
    "sale_delete",
    "sale_update",
}


def missing_guards(connection: Connection) -> list[str]:
    """The names of guards that should stand and do not, or are switched off; sorted."""
    if connection.dialect.name == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
        wanted = _POSTGRESQL
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        wanted = _SQLITE
    return sorted(wanted - {name for (name,) in connection.execute(text(query))})
