"""`flask cycle recalculate`: a cycle computed again by hand, from the facts as they stand now."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from portal.cli.cycles import acting, as_json_option, as_option, cycle, one_line_errors
from portal.commissions import comparing, cycles, queries
from portal.commissions.differences import Move, Pair, Wanted, count_of, page_of
from portal.extensions import db
from portal.kernel.errors import DomainError
from portal.kernel.money import format_money
from portal.models import Cycle, Run
from portal.store import UnitOfWork, perform

SHOWN = 20


@cycle.command()
@click.argument("name")
@as_option
@as_json_option
def recalculate(name: str, email: str, as_json: bool) -> None:
    """Compute cycle NAME again: a new preview, or for a closed one a comparison that books nothing.

    The exit code is 1 where a closed cycle comes out otherwise.
    """
    with one_line_errors():
        actor_id = acting(email, "manage cycles")
        found = queries.cycle_named(db.session(), name)
        if found is None:
            raise DomainError(f"There is no cycle {name}.")
        closed, cycle_id = found.closed_at is not None, found.id
        work = _compared if closed else _previewed
        run_id = perform(lambda uow: work(uow, cycle_id, actor_id))
    facts, sentences = (_comparison if closed else _preview)(run_id)
    click.echo(json.dumps(facts) if as_json else "\n".join(sentences))
    sys.exit(0 if facts.get("same", True) else 1)


def _previewed(uow: UnitOfWork, cycle_id: int, actor_id: int) -> int:
    cycles.request_preview(uow, cycle_id=cycle_id, actor_id=actor_id)
    return cycles.preview(uow, cycle_id=cycle_id).id


def _compared(uow: UnitOfWork, cycle_id: int, actor_id: int) -> int:
    comparing.request_comparison(uow, cycle_id=cycle_id, actor_id=actor_id)
    comparing.compare(uow, cycle_id=cycle_id)
    compared = uow.session.get_one(Cycle, cycle_id).compare_run_id
    assert compared is not None, "a closed cycle was just computed again"
    return compared


def _preview(run_id: int) -> tuple[dict[str, Any], list[str]]:
    run, name = _run(run_id)
    totals = queries.totals_of(run)
    facts = {"cycle": name, "run": run.id, "hash": run.output_hash, "paid_cents": totals.paid}
    people = f"{totals.people_paid:,} {'person' if totals.people_paid == 1 else 'people'}"
    result = f"Cycle {name} has a new preview: {format_money(totals.paid)} to {people}."
    return facts, [f"{result} Run {run.id}, {str(run.output_hash)[:12]}. Earlier approvals no longer count."]


def _comparison(run_id: int) -> tuple[dict[str, Any], list[str]]:
    run, name = _run(run_id)
    one = db.session.get_one(Cycle, run.cycle_id)
    closed = db.session.get_one(Run, one.close_run_id)
    pair, wanted = Pair(one, run.id, closed.id), Wanted(only="changed")
    people, _before, _now = count_of(db.session(), pair, wanted)
    moves = page_of(db.session(), pair, wanted, start=0, limit=SHOWN)
    same = run.output_hash == closed.output_hash
    hashes = {"hash": run.output_hash, "closed_hash": closed.output_hash}
    facts: dict[str, Any] = {"cycle": name, "same": same, "run": run.id, "people": people, **hashes}
    facts["differences"] = [
        {"code": move.code, "closed_cents": move.before, "now_cents": move.now} for move in moves
    ]
    if same:
        return facts, [f"Cycle {name} is the same, to the last byte: {str(run.output_hash)[:12]}."]
    return facts, [_otherwise(name, people), *(_line(move) for move in moves)]


def _otherwise(name: str, people: int) -> str:
    others = "1 person gets" if people == 1 else f"{people:,} people get"
    listed = f" The {SHOWN} biggest differences:" if people > SHOWN else ""
    return f"Cycle {name} comes out otherwise: {others} another amount. Nothing was booked.{listed}"


def _line(move: Move) -> str:
    return f"{move.code:<12}{format_money(move.before):>14} -> {format_money(move.now):>14}  {move.name}"


def _run(run_id: int) -> tuple[Run, str]:
    run = db.session.get_one(Run, run_id)
    return run, db.session.get_one(Cycle, run.cycle_id).name
