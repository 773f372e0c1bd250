"""The triggers that keep the books; start-up and the ledger check compare them with what is there."""

from __future__ import annotations

from sqlalchemy import Connection, text

_POSTGRESQL = {
    "account_guard",
    "account_stays",
    "audit_stays",
    "entry_in_open_period",
    "entry_stays",
    "ledger_period_guard",
    "ledger_period_stays",
    "posting_moves_balances",
    "posting_stays",
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
