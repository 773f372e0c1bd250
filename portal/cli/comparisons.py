"""`flask cycle compare`: another system's lines of a cycle beside ours."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from portal.arrival.comparing import queries
from portal.arrival.comparing.service import Upload
from portal.arrival.comparing.working import compare
from portal.cli.cycles import acting, as_json_option, cycle, one_line_errors
from portal.extensions import db
from portal.kernel.errors import BadInput, DomainError
from portal.kernel.money import format_money
from portal.models import Comparison, Cycle
from portal.store import UnitOfWork, perform

_SHOWN = 20


@cycle.command("compare")
@click.argument("name")
@click.argument("old", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--kind", "kinds", multiple=True, metavar="THEIRS=OURS", help="What a kind is called with us.")
@click.option("--as", "email", metavar="EMAIL", help="Who compares.")
@as_json_option
def compare_cycle(name: str, old: Path, kinds: tuple[str, ...], email: str | None, as_json: bool) -> None:
    """Compare cycle NAME with another system's lines of it in OLD (CSV: code, kind, amount).

    Exit code 1 where there is any difference; all of them are on /admin/comparisons.
    """
    with one_line_errors():
        actor_id = None if email is None else acting(email, "manage cycles")
        upload = Upload(old.name, _content(old), dict(_pair(kind) for kind in kinds))
        public_id, totals = perform(lambda uow: _compared(uow, upload, name=name, actor_id=actor_id))
        made, _ = queries.comparison_by_public_id(db.session(), public_id)
        if as_json:
            click.echo(json.dumps({"comparison": public_id, "cycle": name, **totals}))
        else:
            _tell(made, totals)
        sys.exit(1 if totals["differences"] else 0)


def _compared(
    uow: UnitOfWork, upload: Upload, *, name: str, actor_id: int | None
) -> tuple[str, dict[str, Any]]:
    found = uow.session.query(Cycle).filter(Cycle.name == name).one_or_none()
    if found is None:
        raise DomainError(f"There is no cycle {name}.")
    made = compare(uow, upload, cycle_id=found.id, actor_id=actor_id)
    return made.public_id, dict(made.totals)


def _content(old: Path) -> bytes:
    try:
        return old.read_bytes()
    except OSError as error:
        raise BadInput(f"{old}: {error.strerror}") from error


def _pair(text: str) -> tuple[str, str]:
    theirs, is_pair, ours = text.partition("=")
    if not is_pair:
        raise BadInput("A kind is written as THEIRS=OURS, such as “team bonus=binary”.")
    return " ".join(theirs.lower().split()), ours.strip()


def _tell(made: Comparison, totals: dict[str, Any]) -> None:
    click.echo(f"theirs      {format_money(totals['theirs_cents']):>16}")
    click.echo(f"differences {format_money(totals['difference_cents']):>16}  {totals['differences']:,}")
    click.echo(f"ours        {format_money(totals['ours_cents']):>16}")
    for reason, (count, cents) in sorted(totals["by_reason"].items(), key=lambda row: -row[1][0]):
        click.echo(f"  {reason:<20}{count:>9,}  {format_money(cents):>16}")
    for one in queries.differences(db.session(), made.id, queries.Wanted(), limit=_SHOWN):
        theirs, ours = (
            "" if cents is None else format_money(cents)
            for cents in (one.line.theirs_cents, one.line.ours_cents)
        )
        click.echo(f"{one.line.code:<18}{one.line.kind:<15}{theirs:>14}{ours:>14}  {one.line.reason}")
    click.echo(f"All of them: /admin/comparisons/{made.public_id}")
