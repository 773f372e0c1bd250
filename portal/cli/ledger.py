"""`flask ledger check`: whether the books are in order."""

from __future__ import annotations

import json
import sys

import click
from flask.cli import AppGroup

from portal.extensions import db
from portal.ledger.audit import broken_invariants
from portal.ledger.invariants import INVARIANTS

ledger = AppGroup("ledger", help="The books.")


@ledger.command("check")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def check(as_json: bool) -> None:
    """Check every invariant of the books; exit code 1 and each broken one where there is any."""
    broken = broken_invariants(db.session())
    if as_json:
        found = [{"invariant": each.invariant, "rows": list(each.rows)} for each in broken]
        click.echo(json.dumps({"ok": not broken, "checked": len(INVARIANTS) + 1, "broken": found}))
    elif not broken:
        click.echo(f"The books are in order: {len(INVARIANTS) + 1} invariants hold.")
    else:
        for each in broken:
            click.echo(f"Broken: {each.invariant}")
            for row in each.rows:
                click.echo(f"  {row}")
    sys.exit(1 if broken else 0)
