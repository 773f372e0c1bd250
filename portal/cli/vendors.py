"""`flask vendor …`: vendors and their first key, and the tool a vendor's developer would write."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from portal.cli.vendor_delivery import Counts, Line, deliver
from portal.cli.vendor_feed import FIELDS, BadFeed, Feed, Reading, Schedule, read_events
from portal.cli.vendor_trying import Trial, try_out
from portal.gateways.vendor_sender import Key
from portal.gateways.vendor_signatures import sign
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, DomainError
from portal.kernel.money import parse_money, parse_volume
from portal.kernel.vendor_scenarios import MOST, SCENARIOS, Offered
from portal.models import AccountUser
from portal.store import UnitOfWork, perform
from portal.vendors.service import Offer, Terms, add_key, add_service, add_terms, add_vendor

EARLIEST = date(2000, 1, 1)
DEFAULT_SERVICE = "solar:Residential solar:kW"

vendors = AppGroup("vendor", help="Vendors, and a tool that sends events as a vendor would.")


@vendors.command("add")
@click.argument("name")
@click.option("--core", is_flag=True, help="A core vendor.")
@click.option("--service", "services", multiple=True, metavar="CODE:NAME:UNIT", default=[DEFAULT_SERVICE])
@click.option("--volume", default="0", help="Volume for each contract.", show_default=True)
@click.option("--volume-per-unit", default="50", help="Volume for each unit of size.", show_default=True)
@click.option("--revenue", default="0", help="Revenue for each contract.", show_default=True)
@click.option("--revenue-per-unit", default="200", help="Revenue for each unit.", show_default=True)
@click.option("--as", "email", default="", help="Who does this, by e-mail.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def add(name: str, **options: Any) -> None:
    """Add a vendor with its services, first terms and a key; the secret is printed this once."""
    try:
        added = perform(lambda uow: _add(uow, name, options))
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    if options["as_json"]:
        click.echo(json.dumps(added))
        return
    click.echo(f"{name} may send events to {added['url']}")
    click.echo(f"Vendor id: {added['public_id']}\nKey id:    {added['key_id']}")
    click.echo(f"Secret, shown this once: {added['secret']}")


@vendors.command("simulate", with_appcontext=False)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", required=True, help="The portal, or the address for events that `vendor add` printed.")
@click.option("--key", default="", metavar="ID:SECRET", help="Vendor or key id, and secret.")
@click.option("--keys", type=click.Path(exists=True, path_type=Path), help="JSON: vendor name -> key.")
@click.option("--vendor-column", default="", help="Column with the vendor's name, for --keys.")
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    help=f"For a column of another name. Fields: {', '.join(FIELDS)}.",
)
@click.option(
    "--set", "constants", multiple=True, metavar="FIELD=VALUE", help="A field that is the same in all."
)
@click.option("--id-column", default="row", show_default=True, help="The row's own id; `row` has no header.")
@click.option("--consultants", type=click.Path(exists=True, path_type=Path), help="Codes, one a line.")
@click.option("--start", default="", help="When the first row happens; now when left out.")
@click.option("--days", default=0, help="Over how many days the rows are spread.", show_default=True)
@click.option("--since", default="", help="Send only what happens from here on.")
@click.option("--until", default="", help="Send only what happens before this.")
@click.option("--cancel-share", type=click.FloatRange(0, 1), default=0, help="Contracts cancelled later.")
@click.option("--cancel-days", default=20, help="Within how many days.", show_default=True)
@click.option("--duplicate-share", type=click.FloatRange(0, 1), default=0, help="Events sent twice.")
@click.option("--reorder-share", type=click.FloatRange(0, 1), default=0, help="Events sent out of order.")
@click.option("--rate", type=click.IntRange(0), default=0, help="At most so many a second; 0: no limit.")
@click.option("--connections", type=click.IntRange(1, 64), default=8, show_default=True)
@click.option("--limit", type=click.IntRange(0), default=0, help="Only the first rows.")
@click.option("--seed", default=0, show_default=True)
@click.option("--scenario", type=click.Choice(list(SCENARIOS)), help="Instead of FILE: made-up contracts.")
@click.option("--count", type=click.IntRange(1, MOST), default=1, show_default=True, help="How many of them.")
@click.option("--consultant", default="", help="The code of who sold them.")
@click.option("--service", default="solar", show_default=True, help="The code of what was sold.")
@click.option("--state", default="CA", show_default=True, help="Where it was sold.")
@click.option("--wait", default=60.0, show_default=True, help="Seconds to ask what became of the events.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def simulate(file: Path | None, **options: Any) -> None:
    """Post the rows of FILE, or made-up contracts, as signed events of a vendor."""
    try:
        if file is None:
            _try_scenario(options)
            return
        events, reading = read_events(file, _feed(options))
        counts = deliver(events, _line(options))
    except BadFeed as fault:
        raise click.ClickException(str(fault)) from fault
    _report(reading, counts, as_json=options["as_json"])
    if counts.unanswered:
        raise click.exceptions.Exit(1)


def _try_scenario(options: dict[str, Any]) -> None:
    if not (options["scenario"] and options["consultant"] and options["key"]):
        raise BadFeed("Give a FILE, or --scenario with --consultant CODE and --key ID:SECRET.")
    offered = Offered(options["consultant"], options["service"], options["state"])
    trial = Trial(options["scenario"], offered, options["count"], options["seed"], options["wait"])
    found = try_out(options["url"], _key(options["key"]), trial)
    if options["as_json"]:
        click.echo(json.dumps(found))
        return
    for what in ("answers", "states"):
        click.echo(f"{what}: " + ", ".join(f"{count} {name}" for name, count in found[what].items()))
    if set(found["states"]) != {"done"}:
        raise click.exceptions.Exit(1)


def _add(uow: UnitOfWork, name: str, options: dict[str, Any]) -> dict[str, str]:
    actor_id = _actor(uow, options["email"])
    vendor = add_vendor(uow, name=name, core=options["core"], actor_id=actor_id)
    terms = Terms(
        valid_from=EARLIEST,
        volume_flat=parse_volume(options["volume"]),
        volume_per_unit=parse_volume(options["volume_per_unit"]),
        revenue_flat_cents=parse_money(options["revenue"]),
        revenue_per_unit_cents=parse_money(options["revenue_per_unit"]),
    )
    for text in options["services"]:
        service = add_service(uow, vendor_id=vendor.id, offer=_offer(text), actor_id=actor_id)
        add_terms(uow, service_id=service.id, terms=terms, actor_id=actor_id)
    key = add_key(uow, vendor_id=vendor.id, actor_id=actor_id)
    base = current_app.config["SETTINGS"].base_url
    return {
        "name": vendor.name,
        "public_id": vendor.public_id,
        "key_id": key.public_id,
        "secret": key.secret,
        "url": f"{base}/api/v1/vendors/{vendor.public_id}/events",
    }


def _actor(uow: UnitOfWork, email: str) -> int | None:
    if not email:
        return None
    found = uow.session.scalar(select(AccountUser.id).where(AccountUser.email == email.lower()))
    if found is None:
        raise BadInput(f"Nobody signs in as {email}.")
    return found


def _offer(text: str) -> Offer:
    parts = text.split(":")
    if len(parts) != 3:
        raise BadInput(f"A service is CODE:NAME:UNIT, not {text}.")
    return Offer(*parts)


def _feed(options: dict[str, Any]) -> Feed:
    start = _instant(options["start"]) or utc_now()
    schedule = Schedule(
        start=start,
        days=options["days"],
        since=_instant(options["since"]),
        until=_instant(options["until"]),
    )
    codes = options["consultants"].read_text().split() if options["consultants"] else []
    same = ("id_column", "vendor_column", "seed", "cancel_share", "cancel_days", "duplicate_share")
    return Feed(
        columns=_pairs(options["columns"]),
        constants=_pairs(options["constants"]),
        schedule=schedule,
        consultants=tuple(codes),
        reorder_share=options["reorder_share"],
        limit=options["limit"],
        **{name: options[name] for name in same},
    )


def _line(options: dict[str, Any]) -> Line:
    keys = {}
    if options["keys"]:
        documents = json.loads(options["keys"].read_text())
        keys = {name.strip(): _key_of(name, document) for name, document in documents.items()}
    if options["key"]:
        keys[""] = _key(options["key"])
    if not keys:
        raise BadFeed("Give --key ID:SECRET or --keys FILE.json.")
    return Line(url=options["url"], keys=keys, connections=options["connections"], rate=options["rate"])


def _key_of(name: str, document: Any) -> Key:
    try:
        return _key(f"{document['public_id']}:{document['secret']}")
    except (KeyError, TypeError) as error:
        raise BadFeed(f"The key of {name} needs public_id and secret.") from error


def _key(text: str) -> Key:
    public_id, _, secret = text.partition(":")
    try:
        sign(secret, "e", 0, b"")
    except ValueError as error:
        raise BadFeed(f"A key is ID:SECRET, and the secret as `vendor add` printed it. {error}") from error
    return Key(public_id, secret)


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(_pair(text) for text in texts)
    unknown = sorted(pairs.keys() - set(FIELDS))
    if unknown:
        raise BadFeed(f"There is no field {unknown[0]}; the fields are {', '.join(FIELDS)}.")
    return pairs


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadFeed(f"{text}: write FIELD=…")
    return name, value


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadFeed(f"{text} is no instant such as 2026-11-16T10:00:00Z.") from error
    return (instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant).astimezone(UTC)


def _report(reading: Reading, counts: Counts, *, as_json: bool) -> None:
    file = {"rows": reading.rows, "trimmed": reading.trimmed, "repeated_rows": reading.repeated}
    sent = {name: getattr(counts, name) for name in ("sent", "accepted", "repeated", "unanswered", "waited")}
    refused = {"refused": sum(counts.refused.values()), "reasons": dict(counts.refused)}
    document = {**file, "refused_rows": dict(reading.refused), **sent, **refused}
    if as_json:
        click.echo(json.dumps(document))
        return
    echo: Callable[[str], None] = click.echo
    echo(f"Rows {reading.rows}: {reading.trimmed} trimmed, {reading.repeated} repeat an earlier one.")
    for reason, number in reading.refused.items():
        echo(f"  {number} not sent: {reason}")
    echo(f"Sent {counts.sent}: {counts.accepted} accepted, {counts.repeated} repeated,")
    echo(f"  {refused['refused']} refused.")
    for reason, number in counts.refused.items():
        echo(f"  {number} refused: {reason}")
    if counts.unanswered:
        echo(f"  {counts.unanswered} without an answer")
