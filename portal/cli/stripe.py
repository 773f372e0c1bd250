"""`flask stripe`: ask Stripe for what no webhook brought."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe import stripe_of
from portal.payments import sweeping

stripe = AppGroup("stripe", help="Payments at Stripe.")


@stripe.command("sweep")
def sweep() -> None:
    """Store the events of the last sweep until now that are missing, and those of pages open too long.

    What is found takes effect as any webhook does.
    """
    settings = current_app.config["SETTINGS"]
    gateway = stripe_of(settings)
    try:
        swept = sweeping.sweep_events(gateway, live_only=settings.production)
        pages = sweeping.sweep_pages(gateway, live_only=settings.production)
    except ProviderUnavailable as away:
        raise click.ClickException(away.message) from away
    click.echo(
        f"{swept.listed} events listed since {swept.since:%Y-%m-%d %H:%M} UTC, {swept.found} were missing."
    )
    click.echo(f"{pages} payment pages had news.")
