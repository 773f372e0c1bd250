"""What admins look at: the cycles, and the run behind one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.models import (
    AccountUser,
    Approval,
    CommissionLine,
    Consultant,
    Contract,
    Cycle,
    Person,
    Run,
    Sale,
    Service,
    Vendor,
)

WHOLE = 10_000


@dataclass(frozen=True)
class CycleRow:
    """A cycle in a list: volume in hundredths, what its run pays in cents; None while it was not computed.

    `ratio` is what is paid of the revenue, in ten-thousandths.
    """

    cycle: Cycle
    name: str
    state: str
    starts_at: datetime
    until: datetime
    volume: int
    paid: int | None
    people_paid: int | None
    ratio: int | None

    @property
    def last_moment(self) -> datetime:
        return last_moment(self.cycle)


@dataclass(frozen=True)
class Yes:
    """An approval of a run: whose, when, and the hash it names."""

    user_id: int
    name: str
    at: datetime
    output_hash: str


@dataclass(frozen=True)
class Undone:
    """A close that was undone: which run, when, why and by whom."""

    run_id: int
    at: datetime | None
    reason: str | None
    name: str | None


@dataclass(frozen=True)
class Explained:
    """A line of a run and what is behind it: cents, base in hundredths, rate in ten-thousandths."""

    kind: str
    amount: int
    base: int
    rate: int | None
    sale: str
    about: str
    code: str
    name: str
    run_id: int
    line_id: int


@dataclass(frozen=True)
class Totals:
    """The totals of a run: volumes in hundredths, money in cents, people as counts.

    `revenue` is None for a cycle that came from another system.
    """

    volume: int
    revenue: int | None
    paid: int
    by_kind: dict[str, int]
    people: int
    people_paid: int
    carried: int
    matched: int
    expired: int

    @property
    def ratio(self) -> int | None:
        """What is paid of each unit of revenue, in ten-thousandths; None without revenue."""
        return self.paid * WHOLE // self.revenue if self.revenue and self.revenue > 0 else None


def last_moment(cycle: Cycle) -> datetime:
    """The last minute of a cycle, which lies on its last day."""
    return cycle.until - timedelta(minutes=1)


def cycle_rows(
    session: Session, *, state: str = "", rhythm: str = "", start: int = 0, limit: int | None = None
) -> list[CycleRow]:
    """Cycles, newest first: those in one state and of one rhythm, where these are given."""
    wanted = select(Cycle).offset(start).limit(limit)
    wanted = wanted.where(Cycle.state == state) if state else wanted
    wanted = wanted.where(Cycle.rhythm == rhythm) if rhythm else wanted
    return _cycle_rows(session, wanted)


def rows_until(session: Session, cycle: Cycle, *, limit: int) -> list[CycleRow]:
    """A cycle and those before it, newest first."""
    return _cycle_rows(session, select(Cycle).where(Cycle.starts_at <= cycle.starts_at).limit(limit))


def _cycle_rows(session: Session, wanted: Select[Cycle]) -> list[CycleRow]:
    cycles = session.scalars(wanted.order_by(Cycle.starts_at.desc())).unique().all()
    runs = _totals_of(session, [cycle.close_run_id or cycle.preview_run_id for cycle in cycles])
    return [_cycle_row(session, cycle, runs) for cycle in cycles]


def open_cycle(session: Session) -> Cycle | None:
    """The cycle that sales go to now."""
    return session.scalar(select(Cycle).where(Cycle.state == "open"))


def cycle_named(session: Session, name: str) -> Cycle | None:
    """The cycle of this name, such as `2026-W46`."""
    return session.scalars(select(Cycle).where(Cycle.name == name)).unique().one_or_none()


def run_of(session: Session, cycle: Cycle) -> Run | None:
    """The run that stands for a cycle: the one it was closed with, else its latest preview."""
    run_id = cycle.close_run_id or cycle.preview_run_id
    return None if run_id is None else session.get(Run, run_id)


def totals_of(run: Run) -> Totals:
    """The totals of a run that was calculated."""
    return _totals(run.totals or {})


def approvals_of(session: Session, run_id: int) -> list[Yes]:
    """Who said yes to a run, in their order."""
    rows = session.execute(
        select(Approval.user_id, Person.name, Approval.approved_at, Approval.output_hash)
        .join(AccountUser, AccountUser.id == Approval.user_id)
        .join(Person, Person.id == AccountUser.person_id)
        .where(Approval.run_id == run_id)
        .order_by(Approval.id)
    )
    return [Yes(*row) for row in rows]


def last_undone(session: Session, cycle_id: int) -> Undone | None:
    """The latest close of a cycle that was undone."""
    row = session.execute(
        select(Run.id, Run.undone_at, Run.undo_reason, Person.name)
        .outerjoin(AccountUser, AccountUser.id == Run.undone_by)
        .outerjoin(Person, Person.id == AccountUser.person_id)
        .where(Run.cycle_id == cycle_id, Run.undone_at.is_not(None))
        .order_by(Run.id.desc())
        .limit(1)
    ).one_or_none()
    return Undone(*row) if row else None


def lines_of(
    session: Session, cycle: Cycle, run_id: int, *, consultant_id: int | None = None
) -> Iterator[Explained]:
    """The lines of a run by consultant, those of one where it is given; read while they are used."""
    document = cast(dict[str, Any], cycle.plan_version.document)
    statement = (
        select(
            CommissionLine.kind,
            CommissionLine.amount_cents,
            CommissionLine.base,
            Consultant.pack,
            Sale.public_id,
            Vendor.name,
            Service.name,
            Consultant.code,
            Person.name,
            CommissionLine.id,
        )
        .join(Consultant, Consultant.id == CommissionLine.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
        .outerjoin(Sale, Sale.id == CommissionLine.sale_id)
        .outerjoin(Contract, Contract.id == Sale.contract_id)
        .outerjoin(Service, Service.id == Contract.service_id)
        .outerjoin(Vendor, Vendor.id == Service.vendor_id)
        .where(CommissionLine.run_id == run_id)
        .order_by(CommissionLine.consultant_id, CommissionLine.id)
        .execution_options(yield_per=1_000)
    )
    if consultant_id is not None:
        statement = statement.where(CommissionLine.consultant_id == consultant_id)
    for kind, amount, base, pack, sale, vendor, service, code, name, line_id in session.execute(statement):
        rate = rate_of(document, kind, pack)
        about = f"{vendor}, {service}" if vendor else ""
        yield Explained(kind, amount, base, rate, sale or "", about, code, name, run_id, line_id)


def rate_of(document: dict[str, Any], kind: str, pack: str) -> int | None:
    """The plan's rate of a kind for a pack, in ten-thousandths; None where the plan has no single one."""
    written = ((document.get(kind) or {}).get("rate") or {}).get(pack)
    if not isinstance(written, str):
        return None
    whole, _, decimals = written.partition(".")
    return int(whole) * 10_000 + int(decimals.ljust(4, "0") or 0)


def _totals(stored: dict[str, object]) -> Totals:
    kept = cast(dict[str, Any], stored)
    return Totals(
        volume=kept["volume"],
        revenue=kept.get("revenue_cents"),
        paid=kept["paid_cents"],
        by_kind=kept["by_kind_cents"],
        people=kept["people"],
        people_paid=kept["people_paid"],
        carried=kept["carried"],
        matched=kept["matched"],
        expired=kept["expired"],
    )


def _totals_of(session: Session, run_ids: list[int | None]) -> dict[int | None, Totals]:
    wanted = [run_id for run_id in run_ids if run_id is not None]
    rows = session.execute(select(Run.id, Run.totals).where(Run.id.in_(wanted), Run.totals.is_not(None)))
    return {run_id: _totals(stored) for run_id, stored in rows if stored}


def _cycle_row(session: Session, cycle: Cycle, runs: dict[int | None, Totals]) -> CycleRow:
    totals = runs.get(cycle.close_run_id or cycle.preview_run_id)
    return CycleRow(
        cycle=cycle,
        name=cycle.name,
        state=cycle.state,
        starts_at=cycle.starts_at,
        until=cycle.until,
        volume=totals.volume if totals else _sold(session, cycle.id),
        paid=totals.paid if totals else None,
        people_paid=totals.people_paid if totals else None,
        ratio=totals.ratio if totals else None,
    )


def _sold(session: Session, cycle_id: int) -> int:
    return int(session.scalar(select(func.sum(Sale.volume)).where(Sale.cycle_id == cycle_id)) or 0)
