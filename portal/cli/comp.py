"""`flask comp run CASE.json` and its like: compute a case file, explain it. No database is touched."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from portal.engine import KINDS, Inputs, Refused, calculate, case, explain, explaining

SHAPES = ("random", "balanced", "weak", "power", "chain", "zigzag")

comp = AppGroup("comp", help="The compensation engine: what-if, tests and audits.")


@comp.command("run", with_appcontext=False)
@click.argument("file", metavar="CASE.json")
def run(file: str) -> None:
    """Compute CASE.json, or standard input for "-", and print the result as JSON.

    A file that cannot be right ends with exit code 2 and a line for each fault on standard error.
    """
    with _faults_told():
        inputs, names = case.read(_content(file))
        result = calculate(inputs)
    for piece in case.text(result, names):
        click.echo(piece, nl=False)
    click.echo()


@comp.command("explain", with_appcontext=False)
@click.argument("file", metavar="CASE.json")
@click.argument("member")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option(
    "--sales", metavar="L|R", type=click.Choice(["L", "R"]), help="List the sales of a leg instead."
)
@click.option("--first", default=0, help="Leave out so many sales at the start.")
@click.option("--most", default=20, help="List at most so many sales.")
def explain_member(file: str, member: str, kind: str | None, as_json: bool, **sales: Any) -> None:
    """Open every line of MEMBER in CASE.json, or those of one KIND, to the end.

    Legs are told by branches; each branch can be explained again by the name of its top.
    """
    with _faults_told():
        inputs, names = case.read(_content(file))
        if member not in names.members:
            raise Refused([f"{json.dumps(member)}: there is no such member"])
        result, index = calculate(inputs), list(names.members).index(member)
        if sales["sales"]:
            side, first, most = "LR".index(sales["sales"]), max(0, sales["first"]), max(0, sales["most"])
            found = explaining.sales_in(result, index, side, first=first, most=most)
            told = _sales(inputs, found, names)
            click.echo(json.dumps(told, indent=1) if as_json else "\n".join(map(_in_words, told)))
            return
        explanation = explain(result, index, kind=kind)
        if as_json:
            click.echo(json.dumps(explaining.as_document(explanation, names), indent=1))
        else:
            click.echo(explaining.as_text(explanation, names))


@comp.command("verify", with_appcontext=False)
@click.argument("bundle", metavar="BUNDLE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def verify_bundle(bundle: str, as_json: bool) -> None:
    """Compute the run in BUNDLE, a file of `cycle export`, again and compare everything in it.

    Anything that differs, to a single byte, ends with exit code 1.
    """
    from portal.commissions.bundle_check import Broken, verify

    try:
        with Path(bundle).open("rb") as file:
            found = verify(file)
    except (OSError, ValueError) as error:
        click.echo(f"{json.dumps(bundle)}: {getattr(error, 'strerror', None) or 'not a file name'}", err=True)
        sys.exit(2)
    except Broken as broken:
        click.echo(json.dumps({"same": False, "fault": str(broken)}) if as_json else str(broken))
        sys.exit(1)
    document = {"same": True, **asdict(found)}
    click.echo(json.dumps(document) if as_json else "\n".join(found.words))


@comp.command("bench", with_appcontext=False)
@click.option("--members", type=click.IntRange(2, 20_000_000), default=50_000, show_default=True)
@click.option("--shape", type=click.Choice(SHAPES), default="random", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--slow-ways", is_flag=True, help="Take the slow ways too, however long.")
def bench_shape(members: int, shape: str, as_json: bool, slow_ways: bool) -> None:
    """Measure the engine on a made-up network: CPU seconds, memory, and ratios to slower ways."""
    from tools.bench.measure import bench

    measured = bench(members, shape, reference=slow_ways)
    lines = (f"{name}: {value}" for name, value in measured.items())
    click.echo(json.dumps(measured, indent=1) if as_json else "\n".join(lines))


def _sales(inputs: Inputs, found: list[int], names: case.Names) -> list[dict[str, str]]:
    events = inputs.events
    return [
        {
            "id": names.events[event],
            "member": names.members[events.member[event]],
            "volume": explaining.text_of(int(events.volume[event])),
        }
        for event in found
    ]


def _in_words(sale: dict[str, str]) -> str:
    return f"{sale['volume']} from {sale['member']}, event {sale['id']}"


@contextmanager
def _faults_told() -> Iterator[None]:
    """End with exit code 2 and a line for each fault on standard error if something cannot be right."""
    try:
        yield
    except Refused as refused:
        for fault in refused.faults:
            click.echo(fault, err=True)
        sys.exit(2)


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is not a file name"
        raise Refused([f"{json.dumps(file)}: {reason}"]) from None
