"""`flask import`: a running company moves in from CSV files."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.arrival import (
    Arrived,
    Faults,
    Files,
    already_here,
    bring_in,
    demand_emptiness,
    known_here,
    read_files,
    write_templates,
)
from portal.cli.cycles import acting, as_json_option, one_line_errors
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput
from portal.store import perform
from portal.store.rows import learn_sizes


@click.command("import")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Read and check, write nothing.")
@click.option("--template", is_flag=True, help="Write empty files with an example line into FOLDER.")
@click.option("--as", "email", metavar="EMAIL", help="Who brings the company in.")
@as_json_option
@with_appcontext
def import_company(folder: Path, only_check: bool, template: bool, email: str | None, as_json: bool) -> None:
    """Bring a running company in from the CSV files in FOLDER, all of it or nothing.

    The company has to be empty. Every fault is named by file, line and column; then nothing is written. The
    same files again change nothing.
    """
    with one_line_errors():
        if template:
            _write_templates(folder)
            return
        files = _files(folder)
        arrived = already_here(db.session(), files.sha256) or _bring_in(
            files, email=email, only_check=only_check, as_json=as_json
        )
        if arrived is not None:
            _tell(arrived, as_json=as_json)


def _bring_in(files: Files, *, email: str | None, only_check: bool, as_json: bool) -> Arrived | None:
    if email is None and not only_check:
        raise BadInput("Say who brings the company in: --as EMAIL.")
    demand_emptiness(db.session())
    actor_id = None if email is None else acting(email, "manage cycles")
    zone, faults = ZoneInfo(current_app.config["SETTINGS"].time_zone), Faults()
    known = known_here(db.session(), zone=zone, now=utc_now())
    # Reading takes minutes, and a database does not wait so long within a transaction.
    db.session.rollback()
    arrival = read_files(files, known, faults)
    if faults.count or only_check:
        _tell_faults(faults, arrival.rows(), as_json=as_json)
        return None
    arrived = perform(lambda uow: bring_in(uow, arrival, zone=zone, actor_id=actor_id))
    learn_sizes(current_app.config["SETTINGS"].database_owner_url)
    return arrived


def _files(folder: Path) -> Files:
    try:
        return Files.in_folder(folder)
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror}") from error


def _write_templates(folder: Path) -> None:
    zone = ZoneInfo(current_app.config["SETTINGS"].time_zone)
    try:
        written = write_templates(folder, zone=zone)
    except OSError as error:
        raise BadInput(f"{error.filename}: {error.strerror}") from error
    click.echo(f"Written into {folder}: {', '.join(path.name for path in written)}.")


def _tell_faults(faults: Faults, rows: dict[str, int], *, as_json: bool) -> None:
    """Every fault on a line of its own; exit code 1 where there is any."""
    shown = faults.shown()
    if as_json:
        found = {"faults": [asdict(fault) for fault in shown], "count": faults.count}
        click.echo(json.dumps({"ok": not faults.count, "rows": rows, **found}))
    else:
        for fault in shown:
            click.echo(str(fault))
        if faults.rest:
            click.echo(f"… and {faults.rest:,} more.")
        if faults.count:
            click.echo(f"{faults.count:,} faults. Nothing was imported.")
        else:
            click.echo(f"No faults in {_listed(rows)}. Nothing was written: this was a check.")
    sys.exit(1 if faults.count else 0)


def _tell(arrived: Arrived, *, as_json: bool) -> None:
    if as_json:
        told = {"rows": arrived.rows, "cycle": arrived.cycle, "new": arrived.is_new}
        click.echo(json.dumps(told | {"at": arrived.at.isoformat()}))
    elif arrived.is_new:
        click.echo(f"Imported {_listed(arrived.rows)}. Cycle {arrived.cycle} is open.")
    else:
        click.echo(f"Exactly these files were imported on {_day(arrived.at)}. Nothing changed.")


def _listed(rows: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in rows.items() if count)


def _day(instant: datetime) -> str:
    return f"{instant.astimezone(ZoneInfo(current_app.config['SETTINGS'].time_zone)):%Y-%m-%d}"
