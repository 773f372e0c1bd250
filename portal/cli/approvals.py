"""`flask cycle checks`, `flask cycle approve`: what is looked at before a cycle is approved, and the yes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

from portal.cli.cycles import acting, as_json_option, as_option, cycle, limits, one_line_errors
from portal.commissions import approving, checks, cycles, queries
from portal.commissions.approving import Answer
from portal.commissions.beside import beside
from portal.commissions.checks import Finding
from portal.extensions import db
from portal.kernel.errors import BadInput, DomainError
from portal.models import Cycle
from portal.store import UnitOfWork, perform


@cycle.command("checks")
@click.argument("name")
@as_json_option
def show_checks(name: str, as_json: bool) -> None:
    """What is looked at before cycle NAME is approved: what blocks, and what needs a written reason."""
    with one_line_errors():
        rows = [_row(one) for one in _findings(_cycle(name))]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['state']:<8}{row['check']:<10}{row['title']}: {row['figure']}")


@cycle.command()
@click.argument("name")
@as_option
@click.option("--reason", "reasons", multiple=True, metavar="CHECK=WORDS", help="Why a figure may pass.")
@as_json_option
def approve(name: str, email: str, reasons: tuple[str, ...], as_json: bool) -> None:
    """Approve the current preview of cycle NAME; two people have to. `cycle checks` says what it needs."""
    with one_line_errors():
        actor_id, found = acting(email, "approve cycles"), _cycle(name)
        if found.preview_run_id is None:
            raise DomainError(f"Cycle {name} has no preview yet.")
        answers, run_id = _answers(found, reasons), found.preview_run_id
        who: dict[str, Any] = {"cycle_id": found.id, "actor_id": actor_id, "limits": limits()}

        def work(uow: UnitOfWork) -> int:
            for answer in answers:
                approving.write_reason(uow, answer=answer, **who)
            return approving.approve(uow, run_id=run_id, **who)

        count, needed = perform(work), cycles.APPROVALS_NEEDED
    facts = {"cycle": name, "run": run_id, "approvals": count, "needed": needed}
    sentence = f"{email} approved run {run_id} of cycle {name}: {count} of {needed}."
    click.echo(json.dumps(facts) if as_json else sentence)


def _cycle(name: str) -> Cycle:
    found = queries.cycle_named(db.session(), name)
    if found is None:
        raise DomainError(f"There is no cycle {name}.")
    return found


def _findings(cycle: Cycle) -> list[Finding]:
    return checks.findings(db.session(), beside(db.session(), cycle), limits())


def _answers(cycle: Cycle, written: Iterable[str]) -> list[Answer]:
    """What was written as CODE=WORDS, each for the figure that its check finds now.

    Raises `BadInput` for what is not written like that or for a check that asks for nothing.
    """
    asking = {one.check.code: one for one in _findings(cycle) if one.asks}
    said = []
    for text in written:
        code, _, words = text.partition("=")
        if code not in asking:
            raise BadInput(f"No check called {code} asks for a reason; see cycle checks {cycle.name}.")
        said.append(Answer(cycle.preview_run_id or 0, code, asking[code].figure, words))
    return said


def _row(one: Finding) -> dict[str, Any]:
    state = "ok" if one.passed else "blocks" if one.blocks else "asks" if one.asks else "reason"
    about = {"check": one.check.code, "state": state, "title": one.check.title, "figure": one.figure}
    return about | {"reason": one.reason.text if one.reason else None}
