"""`flask ledger`: whether the books are in order, and the closing of months."""

from __future__ import annotations

import json
import sys

import click
from flask.cli import AppGroup

from portal.cli.cycles import acting, as_option, one_line_errors
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.money import format_money
from portal.ledger import months
from portal.ledger.audit import Broken, broken_invariants, warnings
from portal.ledger.invariants import INVARIANTS
from portal.store import perform

ledger = AppGroup("ledger", help="The books.")


@ledger.command("check")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def check(as_json: bool) -> None:
    """Check every invariant of the books; exit code 1 and each broken one where there is any.

    What waits for too long is named too, and changes nothing about the exit code.
    """
    broken = broken_invariants(db.session())
    late = warnings(db.session(), now=utc_now())
    if as_json:
        found = {"broken": _written(broken), "warnings": _written(late)}
        click.echo(json.dumps({"ok": not broken, "checked": len(INVARIANTS) + 1, **found}))
    else:
        if not broken:
            click.echo(f"The books are in order: {len(INVARIANTS) + 1} invariants hold.")
        _tell("Broken", broken)
        _tell("Look at", late)
    sys.exit(1 if broken else 0)


@ledger.command("months")
def list_months() -> None:
    """Every month with what is in it; of a closed one also whether it is still what it was."""
    changed = False
    for month in months.months(db.session()):
        state = "open"
        if month.period.closed_at is not None:
            same = months.is_unchanged(db.session(), month.period)
            changed = changed or not same
            state = f"closed, {'unchanged' if same else 'CHANGED SINCE'}"
        name = f"{month.period.starts:%Y-%m}"
        click.echo(f"{name}  {month.entries:>8} entries  {format_money(month.posted):>16}  {state}")
    sys.exit(1 if changed else 0)


@ledger.command("close-month")
@click.argument("month", metavar="YYYY-MM", type=click.DateTime(["%Y-%m"]))
@as_option
def close_month(month: click.DateTime, email: str) -> None:
    """Close a month that is over, for good: earlier ones have to be closed, and the books in order."""
    with one_line_errors():
        actor_id, period_id = acting(email, "manage payouts"), int(f"{month:%Y%m}")
        perform(lambda uow: months.close_month(uow, period_id=period_id, actor_id=actor_id) and None)
        (closed,) = months.months(db.session(), period_id=period_id)
        click.echo(
            f"{month:%Y-%m} is closed: {closed.entries} entries, {format_money(closed.posted)} moved,"
            f" fingerprint {str(closed.period.fingerprint)[:16]}."
        )


def _written(found: list[Broken]) -> list[dict[str, object]]:
    return [{"invariant": each.invariant, "rows": list(each.rows)} for each in found]


def _tell(word: str, found: list[Broken]) -> None:
    for each in found:
        click.echo(f"{word}: {each.invariant}")
        for row in each.rows:
            click.echo(f"  {row}")
