"""Bring a checked import into an empty company, in one transaction: all of it, or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.arrival.known import Known
from portal.arrival.opening import open_balances
from portal.arrival.reading import Arrival
from portal.arrival.writing_past import write_past
from portal.arrival.writing_people import write_packs, write_people, write_placements
from portal.commissions import cycles, weeks
from portal.commissions.plans.versions import add_plan, plan_at
from portal.kernel.errors import Conflict, DomainError
from portal.kernel.ids import new_id
from portal.members.packs import DEFAULT_PACKS, ensure_defaults
from portal.models import AccountUser, Consultant, Cycle, ImportedFiles, Pack, PlanVersion
from portal.payouts.payees.shipped import ensure_methods
from portal.sales.cooling_off import ensure_rules
from portal.store import UnitOfWork
from portal.store.copying import allow_long_work
from portal.store.locks import advisory


@dataclass(frozen=True)
class Arrived:
    """What came: how many rows of each file, the cycle that is open now, since when it is here."""

    rows: dict[str, int]
    cycle: str
    at: datetime
    is_new: bool


def known_here(session: Session, *, zone: ZoneInfo, now: datetime) -> Known:
    """What an import has to fit to."""
    packs = {*session.scalars(select(Pack.code)), *(pack["code"] for pack in DEFAULT_PACKS)}
    emails = session.scalars(select(AccountUser.email))
    return Known(frozenset(packs), frozenset(emails), zone, now)


def already_here(session: Session, sha256: str) -> Arrived | None:
    """The import of exactly these files, if there was one."""
    found = session.scalar(select(ImportedFiles).where(ImportedFiles.sha256 == sha256))
    if found is None:
        return None
    rows = {str(file["name"]).removesuffix(".csv"): int(str(file["rows"])) for file in found.files}
    return Arrived(rows, _open_cycle(session), found.made_at, is_new=False)


def bring_in(uow: UnitOfWork, arrival: Arrival, *, zone: ZoneInfo, actor_id: int | None) -> Arrived:
    """Write everything; the same files again change nothing.

    Raises `Conflict` where the company has consultants or cycles already, `DomainError` where no pay plan
    holds for the first of the imported cycles.
    """
    allow_long_work(uow.session)
    advisory(uow, "import")
    if known := already_here(uow.session, arrival.files.sha256):
        return known
    demand_emptiness(uow.session)
    ensure_defaults(uow)
    ensure_rules(uow)
    ensure_methods(uow)
    write_packs(uow, arrival["packs"])
    ids = write_people(uow, arrival["consultants"])
    write_placements(uow, arrival["consultants"], arrival["placements"], ids=ids)
    _set_plan(uow, arrival, zone=zone)
    last = write_past(uow, arrival, ids=ids)
    made = _write_down(uow, arrival, actor_id=actor_id)
    open_balances(uow, arrival["balances"], ids=ids, cycle=last, made=made)
    opened = (
        cycles.open_first_cycle(uow, at=uow.clock(), zone=zone)
        if last is None
        else cycles.open_next_cycle(uow, after=last, zone=zone)
    )
    return Arrived(arrival.rows(), opened.name, uow.clock(), is_new=True)


def demand_emptiness(session: Session) -> None:
    """Raise `Conflict` where the company has consultants or cycles already."""
    for model, what in ((Consultant, "consultants"), (Cycle, "cycles")):
        if session.scalar(select(model.id).limit(1)) is not None:
            raise Conflict(f"There are {what} in this company already; an import needs an empty one.")


def _set_plan(uow: UnitOfWork, arrival: Arrival, *, zone: ZoneInfo) -> None:
    starts = arrival["cycles"]["start"]
    valid_from = starts[0] if starts else weeks.week_of(uow.clock(), zone).starts_at
    if arrival.brings_plan or uow.session.scalar(select(PlanVersion.id).limit(1)) is None:
        add_plan(uow, arrival.plan, valid_from=valid_from)
    try:
        plan_at(uow.session, valid_from)
    except LookupError as missing:
        raise DomainError(str(missing)) from missing


def _write_down(uow: UnitOfWork, arrival: Arrival, *, actor_id: int | None) -> ImportedFiles:
    rows = arrival.rows()
    made = ImportedFiles(
        public_id=new_id(),
        sha256=arrival.files.sha256,
        files=[
            {
                "name": name,
                "sha256": hashlib.sha256(content).hexdigest(),
                "rows": rows.get(name.removesuffix(".csv"), 1),
            }
            for name, content in arrival.files.contents.items()
        ],
        made_by=actor_id,
        made_at=uow.clock(),
    )
    uow.session.add(made)
    uow.session.flush()
    uow.note("company.import", thing="imported_files", thing_id=made.id, actor_id=actor_id)
    uow.published = True
    return made


def _open_cycle(session: Session) -> str:
    return session.scalar(select(Cycle.name).where(Cycle.state == "open")) or ""
