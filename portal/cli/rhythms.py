"""`flask cycle rhythm …`: how long cycles are, from a day on."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import click
from flask import current_app

from portal.cli.cycles import acting, as_option, cycle, one_line_errors
from portal.commissions.plans.starts import coming_versions
from portal.commissions.plans.versions import plan_at
from portal.commissions.rhythms import Wish, decide_rhythm, plan_disagrees
from portal.extensions import db
from portal.store import perform


@cycle.command()
@click.argument("length", metavar="day|week|month", type=click.Choice(("day", "week", "month")))
@click.option("--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day.")
@as_option
@click.option("--reason", required=True, help="Why; it is kept with the decision.")
def rhythm(length: str, first: datetime, email: str, reason: str) -> None:
    """Let cycles that start on a day or after it be days, weeks or months; those that have begun stay.

    A decision that is not in force yet is replaced.
    """
    zone = ZoneInfo(current_app.config["SETTINGS"].time_zone)
    with one_line_errors():
        decide = partial(decide_rhythm, zone=zone, actor_id=acting(email, "manage cycles"))
        starts = perform(lambda uow: decide(uow, Wish(length, first.date(), reason)))
        click.echo(f"Cycles that start on {first:%Y-%m-%d} or later last a {length}.")
        for one in coming_versions(db.session(), zone):
            if one.instead:
                took = f"{one.instead.id} begins with {one.cycle.name} too"
                click.echo(f"Plan version {one.version.id} never holds: {took}.")
            elif one.is_moved:
                click.echo(f"Plan version {one.version.id} begins with {one.cycle.name}.")
        if warning := plan_disagrees(dict(plan_at(db.session(), starts).document), length):
            click.echo(f"Warning: {warning}")
