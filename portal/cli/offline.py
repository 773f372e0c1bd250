"""The command line where the settings do not allow a portal: what needs none works, the rest says why not."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from portal.cli.comp import comp
from portal.cli.vendors import simulate

vendor = AppGroup("vendor", help="The tool of a vendor's developer.")
vendor.add_command(simulate)
WITHOUT_SETTINGS = (comp, vendor)


class OfflineCommands(AppGroup):
    """What touches no database; every other command ends with the faults of the settings."""

    reason = ""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for command in WITHOUT_SETTINGS:
            if cmd_name == command.name:
                return command
        raise click.ClickException(self.reason)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [str(command.name) for command in WITHOUT_SETTINGS]


def offline_app(reason: str) -> Flask:
    """An application that has commands only."""
    app = Flask("canopy", static_folder=None)
    app.cli = OfflineCommands()
    app.cli.reason = reason
    return app
