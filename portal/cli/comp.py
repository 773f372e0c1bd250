"""`flask comp run CASE.json`: compute a case file and print the result. No database is touched."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from portal.engine import Refused, calculate, case

comp = AppGroup("comp", help="The compensation engine: what-if, tests and audits.")


@comp.command("run", with_appcontext=False)
@click.argument("file", metavar="CASE.json")
def run(file: str) -> None:
    """Compute CASE.json, or standard input for "-", and print the result as JSON.

    A file that cannot be right ends with exit code 2 and a line for each fault on standard error.
    """
    try:
        inputs, names = case.read(_content(file))
        printed = case.write(calculate(inputs), names)
    except Refused as refused:
        for fault in refused.faults:
            click.echo(fault, err=True)
        sys.exit(2)
    click.echo(json.dumps(printed, indent=1))


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is not a file name"
        raise Refused([f"{json.dumps(file)}: {reason}"]) from None
