"""`flask cycle replay`, `flask cycle export`: a run can be computed again at any time, and by anyone."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from portal.cli.cycles import as_json_option, cycle, one_line_errors
from portal.commissions import queries
from portal.commissions.bundle import file_name, read_bundle
from portal.commissions.replay import Replay, replay
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.models import Run


@cycle.command("replay")
@click.argument("run_or_cycle", metavar="ID")
@as_json_option
def replay_run(run_or_cycle: str, as_json: bool) -> None:
    """Compute run ID, or that of cycle ID, again and compare it byte for byte; exit code 1 if it differs."""
    with one_line_errors():
        run = _run(run_or_cycle)
        try:
            found = replay(db.session(), run)
        except LookupError as missing:
            raise DomainError(str(missing)) from missing
    click.echo(json.dumps(_document(found)) if as_json else "\n".join(_in_words(found)))
    sys.exit(0 if found.is_same else 1)


@cycle.command("export")
@click.argument("run_or_cycle", metavar="ID")
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="Where the zip goes.")
@as_json_option
def export(run_or_cycle: str, target: Path | None, as_json: bool) -> None:
    """Write a zip of run ID, or of the run of cycle ID, that anyone verifies offline with `comp verify`."""
    with one_line_errors():
        run = _run(run_or_cycle)
        try:
            bundle = read_bundle(db.session(), run)
        except LookupError as missing:
            raise DomainError(str(missing)) from missing
        path = target or Path(file_name(run.id, bundle.manifest.cycle))
        # Writing may take a minute, and a database does not wait so long within a transaction.
        db.session.rollback()
        try:
            with path.open("wb") as file:
                file.writelines(bundle.pieces())
        except OSError as error:
            raise DomainError(f"{path}: {error.strerror}") from error
    facts = {"run": run.id, "file": str(path), "bytes": path.stat().st_size}
    click.echo(json.dumps(facts) if as_json else f"Run {run.id} is written to {path}.")


def _run(run_or_cycle: str) -> Run:
    """The run of this number, or the one that stands for the cycle of this name."""
    if run_or_cycle.isascii() and run_or_cycle.isdecimal() and len(run_or_cycle) <= 18:
        run = db.session.get(Run, int(run_or_cycle))
    else:
        found = queries.cycle_named(db.session(), run_or_cycle)
        run = queries.run_of(db.session(), found) if found else None
    if run is None:
        raise DomainError(f"There is no run {run_or_cycle}, and no cycle of this name that was worked out.")
    return run


def _document(found: Replay) -> dict[str, Any]:
    return {"same": found.is_same} | asdict(found)


def _in_words(found: Replay) -> list[str]:
    if not found.is_same:
        more = [f"and {found.more:,} more"] if found.more else []
        return [*map(str, found.differences), *more]
    rows = "its rows were dropped when a newer preview replaced it"
    if found.lines is not None:
        rows = f"{found.lines:,} lines and {found.carries:,} rows of carry"
    engine = "the same engine" if found.same_code else "another version of the engine"
    return [f"Run {found.run_id} is the same, computed by {engine}: inputs, plan, result; {rows}."]
