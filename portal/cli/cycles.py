"""`flask cycle …`: look at pay cycles, preview, approve, close and pay them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from portal.access.permissions import granted
from portal.commissions import approving, cycles, queries, weeks
from portal.commissions import undo as undoing
from portal.commissions.checks import Limits
from portal.commissions.closing import CLOSE_STEPS
from portal.commissions.plans.versions import SHIPPED, add_plan
from portal.commissions.rhythms import rhythm_at
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError
from portal.kernel.money import format_money, format_volume
from portal.members.packs import ensure_defaults
from portal.models import AccountUser, Cycle, PayoutBatch, PlanVersion, Run
from portal.payouts import batches, checks, company, releases
from portal.payouts.payees.shipped import ensure_methods
from portal.payouts.queries import file_of
from portal.payouts.stored import content_of
from portal.sales.cooling_off import ensure_rules
from portal.store import UnitOfWork, perform

cycle = AppGroup("cycle", help="Pay cycles: open, list, preview, approve, close, undo, pay.")

as_json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
as_option = click.option("--as", "email", required=True, metavar="EMAIL", help="Who acts.")


@cycle.command("open")
@as_json_option
def open_first(as_json: bool) -> None:
    """Open the first cycle of a new company, with the shipped packs and pay plan where there are none."""
    with one_line_errors():
        name = perform(_open_first)
        _tell({"cycle": name, "state": "open"}, f"Cycle {name} is open.", as_json=as_json)


@cycle.command("list")
@as_json_option
def list_all(as_json: bool) -> None:
    """All cycles, newest first: name, state, from, until, volume, paid."""
    rows = queries.cycle_rows(db.session())
    if as_json:
        click.echo(json.dumps([_row(row) for row in rows]))
        return
    click.echo(f"{'name':<10}{'state':<11}{'from':<12}{'until':<12}{'volume':>16}{'paid':>16}")
    for row in rows:
        first, until = (moment.astimezone(_zone()).date() for moment in (row.starts_at, row.until))
        volume, paid = format_volume(row.volume), _money(row.paid)
        click.echo(f"{row.name:<10}{row.state:<11}{first!s:<12}{until!s:<12}{volume:>16}{paid:>16}")


@cycle.command()
@click.argument("name")
@click.option("--early", is_flag=True, help="End an open cycle before its time; not in production.")
@as_json_option
def preview(name: str, early: bool, as_json: bool) -> None:
    """Compute cycle NAME without booking anything; ends it first when its time is over."""
    if early and current_app.config["SETTINGS"].production:
        raise click.ClickException(
            "In production a cycle ends at its time; --early is for trying things out."
        )
    with one_line_errors():
        _end_what_is_due()
        cycle_id = _cycle(name).id
        if early and _cycle(name).state == "open":
            perform(lambda uow: cycles.end_if_due(uow, zone=_zone(), early=True))
        run = perform(lambda uow: _previewed(uow, cycle_id))
        paid, people = _money(run["paid_cents"]), f"{run['people_paid']:,}"
        _tell(
            {"cycle": name, "state": "previewed", **run},
            f"Cycle {name} is previewed: {paid} to {people} people. Run {run['run']}, {run['hash'][:12]}.",
            as_json=as_json,
        )


@cycle.command()
@click.argument("name")
@as_option
@as_json_option
def close(name: str, email: str, as_json: bool) -> None:
    """Close the approved cycle NAME: freeze, calculate, post. Running it again goes on or changes nothing."""
    with one_line_errors():
        actor_id, cycle_id = acting(email, "approve cycles"), _cycle(name).id
        checks.demand_order(db.session())
        _close(cycle_id, actor_id)
        _look_at_the_books()
        closed = _cycle(name)
        run = queries.run_of(db.session(), closed)
        assert run is not None, "a closed cycle has its run"
        paid = queries.totals_of(run).paid
        _tell(
            {"cycle": name, "state": closed.state, "paid_cents": paid, **_identity(run)},
            f"Cycle {name} is closed: {_money(paid)}. Run {run.id}, {str(run.output_hash)[:12]}.",
            as_json=as_json,
        )


@cycle.command()
@click.argument("name")
@as_option
@click.option("--reason", required=True, help="Why; it is kept with the run.")
@as_json_option
def undo(name: str, email: str, reason: str, as_json: bool) -> None:
    """Undo the close of cycle NAME by reversing entries, shortly after it; then it is previewed again."""
    with one_line_errors():
        actor_id, found = acting(email, "approve cycles"), _cycle(name)
        ids = {"cycle_id": found.id, "actor_id": actor_id}
        perform(lambda uow: undoing.request_undo(uow, **ids, reason=reason))
        try:
            perform(lambda uow: undoing.undo(uow, cycle_id=ids["cycle_id"]))
        except DomainError as refusal:
            perform(partial(cycles.note_refusal, cycle_id=ids["cycle_id"], reason=refusal.message))
            raise
        _look_at_the_books()
        _tell(
            {"cycle": name, "state": _cycle(name).state},
            f"The close of cycle {name} is undone. Preview and approve it again to close it.",
            as_json=as_json,
        )


@cycle.command()
@click.argument("name")
@as_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the CSV goes.")
@click.option("--confirm", is_flag=True, help="The bank has paid: settle the cycle.")
@as_json_option
def pay(name: str, email: str, out: Path | None, confirm: bool, as_json: bool) -> None:
    """Pay out the closed cycle NAME, step by step; two people have to.

    The first call makes withdrawals of all that is available, a second one by another person approves and
    exports them, --confirm settles the cycle.
    """
    with one_line_errors():
        actor_id, cycle_id = acting(email, "manage payouts"), _cycle(name).id
        if confirm:
            _confirm(_cycle(name), actor_id)
        else:
            _release_what_is_due()
            perform(lambda uow: company.pay_on(uow, cycle_id=cycle_id, actor_id=actor_id))
        batch = _batch(_cycle(name))
        if batch is not None and out is not None:
            _write(out, content_of(file_of(db.session(), batch.id, format="csv")))
        _tell(*_paid(_cycle(name), batch), as_json=as_json)


def _open_first(uow: UnitOfWork) -> str:
    if uow.session.scalar(select(Cycle.id).limit(1)) is not None:
        raise DomainError("There are cycles already; each opens the next one when it ends.")
    ensure_defaults(uow)
    ensure_rules(uow)
    ensure_methods(uow)
    now = uow.clock()
    if uow.session.scalar(select(PlanVersion.id).limit(1)) is None:
        rhythm = rhythm_at(uow.session, now)
        add_plan(uow, SHIPPED, valid_from=weeks.cycle_of(rhythm, now, _zone()).starts_at)
    try:
        return cycles.open_first_cycle(uow, at=now, zone=_zone()).name
    except LookupError as missing:
        raise DomainError(str(missing)) from missing


def _end_what_is_due() -> None:
    while perform(lambda uow: cycles.end_if_due(uow, zone=_zone()) is not None):
        pass


def _previewed(uow: UnitOfWork, cycle_id: int) -> dict[str, Any]:
    run = cycles.preview(uow, cycle_id=cycle_id)
    totals = queries.totals_of(run)
    return {"paid_cents": totals.paid, "people_paid": totals.people_paid, **_identity(run)}


def _identity(run: Run) -> dict[str, Any]:
    return {"run": run.id, "hash": run.output_hash}


def _close(cycle_id: int, actor_id: int) -> None:
    asked = {"cycle_id": cycle_id, "actor_id": actor_id}
    perform(lambda uow: approving.request_close(uow, limits=limits(), **asked))
    window = timedelta(minutes=current_app.config["SETTINGS"].undo_minutes)
    try:
        for step in CLOSE_STEPS:
            perform(partial(step, cycle_id=cycle_id, zone=_zone(), window=window))
    except DomainError as refusal:
        perform(partial(cycles.note_refusal, cycle_id=cycle_id, reason=refusal.message))
        raise


def _look_at_the_books() -> None:
    """After a close; what is broken stops payouts."""
    outcome = checks.look(db.session(), now=utc_now())
    if outcome.broken:
        perform(lambda uow: checks.stop_payouts(uow, outcome=outcome))
        raise DomainError("Closed, but the books are not in order. Payouts are stopped; see `ledger check`.")


def _release_what_is_due() -> None:
    while perform(lambda uow: releases.release_due(uow, today=uow.clock().astimezone(_zone()).date())):
        pass


def _confirm(found: Cycle, actor_id: int) -> None:
    """Asking again for a cycle that is paid changes nothing."""
    if found.state == "paid":
        return
    batch_id = found.payout_batch_id
    if batch_id is None:
        raise DomainError(f"Cycle {found.name} has no batch yet; run cycle pay without --confirm first.")
    perform(lambda uow: batches.confirm_batch(uow, batch_id=batch_id, actor_id=actor_id).id)


def _batch(found: Cycle) -> PayoutBatch | None:
    return None if found.payout_batch_id is None else db.session.get(PayoutBatch, found.payout_batch_id)


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise DomainError(f"{out}: {error.strerror}") from error


def _paid(found: Cycle, batch: PayoutBatch | None) -> tuple[dict[str, Any], str]:
    known: dict[str, Any] = {"cycle": found.name, "state": found.state}
    if batch is None:
        return _waiting(found, known)
    about: dict[str, Any] = {"batch": batch.public_id, "count": batch.count, "sum_cents": batch.sum_cents}
    sum_paid = f"{batch.count:,} withdrawals, {_money(batch.sum_cents)}"
    return known | about, f"Cycle {found.name} is {found.state}. Batch {batch.public_id}: {sum_paid}."


def _waiting(found: Cycle, known: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What there is to say before a batch is exported."""
    made = company.selection_of(db.session(), found.id)
    if made is None:
        return known, f"Cycle {found.name} is {found.state}; nobody has enough to be paid."
    count, cents = company.made_of(db.session(), made.id)
    about = {"selection": made.public_id, "count": count, "sum_cents": cents}
    sentence = f"{count:,} withdrawals, {_money(cents)}, wait for the yes of another person."
    return known | about, f"Cycle {found.name} is {found.state}. {sentence}"


def _cycle(name: str) -> Cycle:
    """The cycle as it is now, whatever this command did before."""
    db.session.rollback()
    found = queries.cycle_named(db.session(), name)
    if found is None:
        raise DomainError(f"There is no cycle {name}.")
    return found


def acting(email: str, permission: str) -> int:
    """The user who acts; raises `DomainError` for strangers and for those without the permission."""
    user = db.session.scalar(select(AccountUser).where(AccountUser.email == email.strip().lower()))
    if user is None or not user.is_active:
        raise DomainError(f"Nobody signs in as {email}.")
    if permission not in granted(user.roles):
        raise DomainError(f"{email} may not {permission}.")
    return user.id


def limits() -> Limits:
    """Where a figure begins to need an answer, as the company set it."""
    return Limits.of(current_app.config["SETTINGS"])


def _zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["SETTINGS"].time_zone)


def _money(cents: int | None) -> str:
    return "" if cents is None else format_money(cents)


def _plain(hundredths: int) -> str:
    """A number for machines: `1234.50`."""
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def _row(row: queries.CycleRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "state": row.state,
        "from": row.starts_at.isoformat(),
        "until": row.until.isoformat(),
        "volume": _plain(row.volume),
        "paid": None if row.paid is None else _plain(row.paid),
    }


def _tell(facts: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    click.echo(json.dumps(facts) if as_json else sentence)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """A refusal is one line and exit code 1."""
    try:
        yield
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
