"""`flask demo`: a company with a past, invented but worked out by the real code.

People, customers and sales are written in bulk; every week is closed, every hold released and every
withdrawal made by the services that a real company uses, with a clock of that week. Facts of the past count
as told: no mail is written about them.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import func, select

from portal.cli.demo.at_stripe import PlayedStripe
from portal.cli.demo.calendar import Calendar, draw_calendar
from portal.cli.demo.catalogue import fill_catalogue
from portal.cli.demo.connected import add_connections
from portal.cli.demo.held import hold_some
from portal.cli.demo.leads import add_leads
from portal.cli.demo.licences import add_licences
from portal.cli.demo.money_in import Till
from portal.cli.demo.names import Invented
from portal.cli.demo.network import MAYA, draw_network
from portal.cli.demo.offers import store_offers
from portal.cli.demo.partners import add_partner
from portal.cli.demo.payees import add_ways, insert_payees
from portal.cli.demo.rows import Known, insert_network
from portal.cli.demo.sales import Market, WeekOfSales
from portal.cli.demo.signins import SignIn, VendorKey, insert_staff, keep, let_consultants_in, vendor_keys
from portal.cli.demo.weeks import Staff, live_through, open_first_week, quietly
from portal.cli.demo.withdrawals import Finance
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.ledger.audit import broken_invariants
from portal.members.packs import ensure_defaults
from portal.models import Person, Sale, Withdrawal
from portal.payouts.payees.shipped import ensure_methods
from portal.sales.cooling_off import ensure_rules
from portal.store import UnitOfWork

SIGN_INS, VENDOR_KEYS = "demo-signins.json", "demo-vendor-keys.json"
_CUSTOMER_NAMES = 4_000
_LONG_BEFORE = timedelta(days=450)


@dataclass(frozen=True)
class Company:
    """What the demo starts from: the staff, the network, the vendors."""

    staff: Staff
    known: Known
    sign_ins: list[SignIn]


@click.command()
@click.option("--members", default=2_000, show_default=True, type=click.IntRange(50, 100_000))
@click.option("--weeks", default=12, show_default=True, type=click.IntRange(1, 52), help="Closed weeks.")
@click.option("--seed", default=2_026, show_default=True, type=int)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@with_appcontext
def demo(members: int, weeks: int, seed: int, as_json: bool) -> None:
    """Fill an empty database with an invented company; the same one for the same seed."""
    settings = current_app.config["SETTINGS"]
    if settings.production:
        raise click.ClickException("The demo is never loaded in production.")
    if db.session.scalar(select(Person.id).limit(1)) is not None:
        raise click.ClickException("There are people in this database; the demo needs an empty one.")
    started = time.monotonic()
    calendar = draw_calendar(now=utc_now(), zone=ZoneInfo(settings.time_zone), closed=weeks)
    stripe = PlayedStripe(settings.instance) if settings.sandbox else None
    company = _invent(Random(seed), calendar, members, stripe)
    if broken := broken_invariants(db.session()):
        raise click.ClickException(f"The books are not in order: {broken[0].invariant}.")
    keys = vendor_keys(company.known.offers)
    keep(settings.instance, SIGN_INS, company.sign_ins)
    keep(settings.instance, VENDOR_KEYS, keys)
    _tell(company.sign_ins, keys, started, as_json=as_json, folder=settings.instance)


def _invent(rng: Random, calendar: Calendar, count: int, stripe: PlayedStripe | None) -> Company:
    invented = Invented(rng)
    members = draw_network(rng, count=count, calendar=calendar, invented=invented)
    names = [invented.name() for _ in range(_CUSTOMER_NAMES)]
    sales = Market(rng, members=members, calendar=calendar).draw(names)
    founded = calendar.start - _LONG_BEFORE

    def found(uow: UnitOfWork) -> Company:
        ensure_defaults(uow)
        ensure_rules(uow)
        ensure_methods(uow)
        staff, staff_sign_ins = insert_staff(uow, invented=invented)
        ids = insert_network(uow, members, invented=invented)
        insert_payees(uow, members, ids, rng=Random(count), invented=invented)
        add_ways(uow, members, ids, stripe=stripe)
        offers = store_offers(uow, actor_id=staff.sam)
        open_first_week(uow, calendar)
        return Company(staff, Known(ids, offers, invented), let_consultants_in(uow, ids) + staff_sign_ins)

    company: Company = quietly(found, at=founded)
    _live(rng, calendar, sales, company)
    company.sign_ins.append(
        add_partner(company.known, invented=invented, now=calendar.now, zone=calendar.zone)
    )
    add_leads(calendar, company.known)
    more = partial(
        fill_catalogue,
        actor_id=company.staff.sam,
        maya=company.known.sellers[MAYA],
        now=calendar.now,
        invented=invented,
    )
    quietly(more, at=calendar.now)
    hold_some(calendar, known=company.known)
    add_licences(calendar, known=company.known, actor_id=company.staff.sam)
    add_connections(calendar, company.known, admin_id=company.staff.sam)
    if stripe is not None:
        Till(calendar, known=company.known, stripe=stripe).take()
    return company


def _live(rng: Random, calendar: Calendar, sales: list[WeekOfSales], company: Company) -> None:
    finance = Finance(rng, calendar=calendar, staff=company.staff, scale=len(company.known.sellers))
    finance.favour(company.known.sellers[MAYA])
    live_through(calendar, sales, known=company.known, staff=company.staff, after_close=finance.work)
    finance.finish()
    finance.find_people()
    finance.by_other_ways()


def _tell(
    sign_ins: list[SignIn], keys: list[VendorKey], started: float, *, as_json: bool, folder: Path
) -> None:
    """Say what was made; passwords and keys are shown this once, and kept beside the database."""
    made = _counts() | {"seconds": round(time.monotonic() - started, 1)}
    if as_json:
        shown = {"sign_ins": [asdict(one) for one in sign_ins], "vendor_keys": [asdict(one) for one in keys]}
        click.echo(json.dumps(made | shown))
        return
    click.echo(f"Loaded in {made['seconds']} s: {made['people']:,} people, {made['sales']:,} sales.")
    for sign_in in sign_ins:
        click.echo(f"  {sign_in.role:<12} {sign_in.email:<24} {sign_in.password}")
    click.echo("Keys of the vendors (ID:SECRET):")
    for key in keys:
        click.echo(f"  {key.vendor:<12} {key.path}\n  {'':<12} {key.key}")
    click.echo(f"Kept for you alone in {folder / SIGN_INS} and {folder / VENDOR_KEYS}.")


def _counts() -> dict[str, Any]:
    models = {"people": Person, "sales": Sale, "withdrawals": Withdrawal}
    return {
        name: db.session.scalar(select(func.count()).select_from(model)) for name, model in models.items()
    }
