"""The command line where the settings do not allow a portal: what needs none works, the rest says why not."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from portal.cli.comp import comp


class OfflineCommands(AppGroup):
    """`comp`, which touches no database; every other command ends with the faults of the settings."""

    reason = ""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == comp.name:
            return comp
        raise click.ClickException(self.reason)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [str(comp.name)]


def offline_app(reason: str) -> Flask:
    """An application that has commands only."""
    app = Flask("canopy", static_folder=None)
    app.cli = OfflineCommands()
    app.cli.reason = reason
    return app
