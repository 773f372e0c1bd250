"""`flask plan …`: the versions of the pay plan, one in words or as JSON, and the check of a document."""

from __future__ import annotations

import json
import sys
from typing import IO

import click
from flask.cli import AppGroup

from portal.commissions.plans.check import company, findings
from portal.commissions.plans.versions import versions
from portal.commissions.plans.words import in_words
from portal.engine import Plan, Refused
from portal.extensions import db
from portal.models import PlanVersion

plan = AppGroup("plan", help="Pay plans: list, show, check. A new one goes live by two people in the portal.")

as_json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@plan.command("list")
@as_json_option
def list_all(as_json: bool) -> None:
    """All versions, the latest start first, and the cycles that were opened with each."""
    rows = [
        {
            "version": row.version.id,
            "name": row.version.name,
            "valid_from": row.version.valid_from.isoformat(),
            "sha256": row.version.sha256,
            "cycles": row.cycles,
            "passed": row.is_passed,
        }
        for row in versions(db.session())
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        unused = "never used" if row["passed"] else "not used yet"
        used = f"{len(row['cycles'])} cycles" if row["cycles"] else unused  # type: ignore[arg-type]
        click.echo(f"{row['version']}  {row['name']}  from {row['valid_from']}  {used}")


@plan.command("show")
@click.argument("version", type=int)
@as_json_option
def show_one(version: int, as_json: bool) -> None:
    """What VERSION says, in words; its document with --json."""
    found = db.session.get(PlanVersion, version)
    if found is None:
        raise click.ClickException(f"There is no version {version}.")
    if as_json:
        click.echo(json.dumps(found.document))
        return
    for said in in_words(found.document):
        about = f" {said.about}" if said.about else ""
        click.echo(f"{said.part}: {said.label}{about}: {said.words}")


@plan.command("check")
@click.argument("file", type=click.File("rb"))
@as_json_option
def check(file: IO[bytes], as_json: bool) -> None:
    """Read the plan document FILE ("-": standard input).

    Exit code 2 with a line for each fault, 1 for what must not go live, 0 with a line for each warning.
    """
    try:
        found = findings(Plan.parse(json.loads(file.read())), company(db.session()))
    except (ValueError, RecursionError) as error:
        _refuse([f"this is not JSON ({error})"])
    except Refused as refused:
        _refuse(refused.faults)
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in found]))
    else:
        for finding in found:
            click.echo(f"{'REFUSED' if finding.refused else 'warning'}  {finding.code}: {finding.text}")
    sys.exit(1 if any(finding.refused for finding in found) else 0)


def _refuse(faults: list[str]) -> None:
    for fault in faults:
        click.echo(fault, err=True)
    sys.exit(2)
