"""The figures behind the checks of a cycle, each read from what is stored.

What is asked of the database (`Asked`) and what the answer means stand apart: one statement asks for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.commissions.queries import WHOLE, Totals
from portal.commissions.runs import is_reproducible
from portal.config import Settings
from portal.extensions import db
from portal.ledger.audit import broken_invariants
from portal.models import (
    Account,
    CommissionLine,
    Consultant,
    Contract,
    Customer,
    Cycle,
    Inbox,
    Person,
    Run,
    Sale,
    TaxForm,
    Vendor,
)

TO_SALES = ("retail", "direct")
LISTED = 200
USUAL_CYCLES = 4
_FIGURE_LENGTH = 64

# Numbers that the database is asked for, each by a statement of one row and one column.
Asked: TypeAlias = tuple[Select[int], ...]


@dataclass(frozen=True)
class Limits:
    """Where a figure begins to need an answer: shares in ten-thousandths, and times the usual pay.

    `zone` is the time zone in which the company's days begin.
    """

    ratio_cap: int | None = None
    ratio_rise: int = 500
    own_use: int = 3_000
    times_usual: int = 5
    zone: str = "UTC"

    @staticmethod
    def of(settings: Settings) -> Limits:
        """The limits that the company set."""
        return Limits(
            settings.payout_ratio_cap,
            settings.payout_ratio_rise,
            settings.own_use_share,
            settings.times_usual_pay,
            settings.time_zone,
        )


@dataclass(frozen=True)
class Look:
    """The run that is looked at, its cycle, and the totals of the cycle before.

    `broken` names what is not in order in the books, where somebody just looked; None: they are looked at.
    """

    session: Session
    cycle: Cycle
    run: Run
    totals: Totals
    before: Totals | None
    limits: Limits
    broken: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Seen:
    """A figure and whether it is as it ought to be; `note` names what a number cannot."""

    passed: bool
    number: int = 0
    note: str = ""

    @property
    def figure(self) -> str:
        """The figure as it is kept beside a reason."""
        return f"{self.number} {self.note}".strip()[:_FIGURE_LENGTH]


@dataclass(frozen=True)
class Behind:
    """One of the things behind a figure; a consultant has a `public_id`, and what the run pays in cents."""

    name: str
    note: str = ""
    public_id: str = ""
    cents: int | None = None


def nothing(_look: Look) -> Asked:
    """For a figure that stands in the run itself."""
    return ()


def lines_of_run(look: Look) -> Asked:
    """What the lines of the run come to."""
    total = select(func.coalesce(func.sum(CommissionLine.amount_cents), 0))
    return (total.where(CommissionLine.run_id == look.run.id),)


def sum_of_lines(look: Look, total: int) -> Seen:
    """Whether the lines of the run come to what it says it pays."""
    return Seen(total == look.totals.paid, total)


def loose_lines_and_sales(look: Look) -> Asked:
    """Whether a line ties to no sale of the cycle; its sales, and their volume."""
    of_run = CommissionLine.run_id == look.run.id
    loose = and_(CommissionLine.kind.in_(TO_SALES), CommissionLine.sale_id.is_(None))
    astray = and_(CommissionLine.sale_id.is_not(None), Sale.cycle_id.is_distinct_from(look.cycle.id))
    lines = select(CommissionLine.id).outerjoin(Sale, Sale.id == CommissionLine.sale_id)
    wrong = lines.where(of_run, or_(loose, astray)).limit(1).subquery()
    sales = select(func.count()).select_from(Sale).where(Sale.cycle_id == look.cycle.id)
    volume = select(func.coalesce(func.sum(Sale.volume), 0)).where(Sale.cycle_id == look.cycle.id)
    return select(func.count()).select_from(wrong), sales, volume


def ties(look: Look, wrong: int, sales: int, volume: int) -> Seen:
    """Whether lines made by a sale name one of this cycle, and the run has all its volume; its sales."""
    return Seen(not wrong and volume == look.totals.volume, sales)


def computed_twice(look: Look) -> Seen:
    """Whether the stored inputs, computed once more, give the stored result."""
    run = look.run
    return Seen(_is_same(run.id, str(run.output_hash), str(run.frozen_at)), note=str(run.output_hash)[:8])


@lru_cache(maxsize=64)
def _is_same(run_id: int, _output_hash: str, _frozen_at: str) -> bool:
    """Inputs of a run are never changed, so once for each result is enough."""
    return is_reproducible(db.session.get_one(Run, run_id))


def books(look: Look) -> Seen:
    """Whether every invariant of the books holds."""
    broken = look.broken
    if broken is None:
        broken = tuple(each.invariant for each in broken_invariants(look.session))
    return Seen(not broken, len(broken), broken[0] if broken else "")


def wallets_below_zero(_look: Look) -> Asked:
    """Wallets that hold less than nothing."""
    below = select(func.count()).select_from(Account)
    return (below.where(Account.owner_type == "consultant", Account.balance < 0),)


def earlier_open(look: Look) -> Asked:
    """Cycles before this one that are not closed."""
    earlier = (Cycle.starts_at < look.cycle.starts_at, Cycle.closed_at.is_(None))
    return (select(func.count()).select_from(Cycle).where(*earlier),)


def nothing_of_it(_look: Look, number: int) -> Seen:
    """For what ought not to be there at all."""
    return Seen(not number, number)


def over_cap(look: Look) -> Seen | None:
    """The payout ratio, where a cap is set; pay without revenue is over any cap."""
    cap, ratio = look.limits.ratio_cap, look.totals.ratio
    if cap is None:
        return None
    return Seen(ratio <= cap if ratio is not None else look.totals.paid <= 0, ratio or 0)


def rise(look: Look) -> Seen | None:
    """How far the payout ratio is above that of the cycle before, in ten-thousandths."""
    now, before = look.totals.ratio, look.before.ratio if look.before else None
    if now is None or before is None:
        return None
    return Seen(now - before <= look.limits.ratio_rise, now - before)


def giving_back(look: Look) -> Select[int]:
    """Whose lines of this run are below zero in sum."""
    return _of_run(look).having(func.sum(CommissionLine.amount_cents) < 0)


def without_tax_form(look: Look) -> Select[int]:
    """Who gets something and has no valid tax form: their money is held back."""
    signed = select(TaxForm.consultant_id).where(TaxForm.state == "valid")
    paid = _of_run(look).having(func.sum(CommissionLine.amount_cents) > 0)
    return paid.where(CommissionLine.consultant_id.not_in(signed))


def far_above_usual(look: Look) -> Select[int]:
    """Who gets more than so many times what they got on average in the last cycles that paid them."""
    runs = select(Cycle.close_run_id).where(
        Cycle.close_run_id.is_not(None), Cycle.starts_at < look.cycle.starts_at
    )
    usual = (
        select(
            CommissionLine.consultant_id,
            func.sum(CommissionLine.amount_cents).label("cents"),
            func.count(CommissionLine.run_id.distinct()).label("times"),
        )
        .where(CommissionLine.run_id.in_(runs.order_by(Cycle.starts_at.desc()).limit(USUAL_CYCLES)))
        .group_by(CommissionLine.consultant_id)
        .subquery()
    )
    now = func.sum(CommissionLine.amount_cents)
    known = _of_run(look).join(usual, usual.c.consultant_id == CommissionLine.consultant_id)
    known = known.group_by(usual.c.cents, usual.c.times)
    return known.having(usual.c.cents > 0, now * usual.c.times > usual.c.cents * look.limits.times_usual)


def counted(people: Callable[[Look], Select[int]]) -> Callable[[Look], Asked]:
    """How many people these are."""
    return lambda look: (select(func.count()).select_from(people(look).subquery()),)


def named(people: Callable[[Look], Select[int]]) -> Callable[[Look], list[Behind]]:
    """These people by name, and what the run pays them."""
    return lambda look: _people(look, people(look))


def silent(look: Look) -> Asked:
    """Vendors of whom nothing came in this cycle."""
    return (select(func.count()).select_from(Vendor).where(*_silent(look)),)


def silent_vendors(look: Look) -> list[Behind]:
    """Vendors that are not switched off and neither sent an event nor sold anything in this cycle."""
    names = look.session.scalars(select(Vendor.name).where(*_silent(look)).order_by(Vendor.name))
    return [Behind(name) for name in names]


def _silent(look: Look) -> Iterable[ColumnElement[bool]]:
    sent = exists().where(Inbox.vendor_id == Vendor.id, *_received(look))
    sold = exists().where(
        Contract.vendor_id == Vendor.id, Sale.contract_id == Contract.id, Sale.cycle_id == look.cycle.id
    )
    return Vendor.disabled_at.is_(None), Vendor.created_at < look.cycle.until, ~sent, ~sold


def left_over(look: Look) -> Asked:
    """Events that came in this cycle and still wait or were given up."""
    return (select(func.count()).select_from(Inbox).where(*_undone(look)),)


def left_over_events(look: Look) -> list[Behind]:
    """Those events, oldest first, with what was said about each last."""
    rows = look.session.execute(
        select(Inbox.kind, Inbox.event_id, Inbox.last_error)
        .where(*_undone(look))
        .order_by(Inbox.id)
        .limit(LISTED)
    )
    return [Behind(f"{kind}, {event_id}", last_error or "") for kind, event_id, last_error in rows]


def own_volume(look: Look) -> Asked:
    """The volume that consultants bought themselves."""
    return (_own_sales(look, func.coalesce(func.sum(Sale.volume), 0)),)


def own_use(look: Look, own: int) -> Seen:
    """The share of the volume that consultants bought themselves, in ten-thousandths."""
    share = own * WHOLE // look.totals.volume if look.totals.volume > 0 else 0
    return Seen(share <= look.limits.own_use, share)


def own_users(look: Look) -> list[Behind]:
    """Who bought themselves, the most first; the note is the volume in hundredths."""
    seller = aliased(Person)
    rows = look.session.execute(
        _own_sales(look, Consultant.public_id, seller.name, func.sum(Sale.volume))
        .join(seller, seller.id == Consultant.person_id)
        .group_by(Consultant.public_id, seller.name)
        .order_by(func.sum(Sale.volume).desc())
        .limit(LISTED)
    )
    return [Behind(name, str(int(volume)), public_id) for public_id, name, volume in rows]


def _own_sales(look: Look, *columns: Any) -> Select[Any]:
    """Sales of this cycle to consultants' own households."""
    return (
        select(*columns)
        .select_from(Sale)
        .join(Contract, Contract.id == Sale.contract_id)
        .join(Customer, Customer.id == Contract.customer_id)
        .join(Consultant, Consultant.id == Sale.consultant_id)
        .where(Sale.cycle_id == look.cycle.id, Customer.own_use)
    )


def _received(look: Look) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    ended = look.cycle.ended_at or look.cycle.until
    return Inbox.received_at >= look.cycle.starts_at, Inbox.received_at < ended


def _undone(look: Look) -> Iterable[ColumnElement[bool]]:
    return (*_received(look), Inbox.state.in_(("new", "retry", "dead")))


def _of_run(look: Look) -> Select[int]:
    of_run = select(CommissionLine.consultant_id).where(CommissionLine.run_id == look.run.id)
    return of_run.group_by(CommissionLine.consultant_id)


def _people(look: Look, wanted: Select[int]) -> list[Behind]:
    pay = func.sum(case((CommissionLine.run_id == look.run.id, CommissionLine.amount_cents), else_=0))
    rows = look.session.execute(
        select(Person.name, Consultant.code, Consultant.public_id, pay)
        .join(Consultant, Consultant.person_id == Person.id)
        .join(CommissionLine, CommissionLine.consultant_id == Consultant.id)
        .where(CommissionLine.run_id == look.run.id, Consultant.id.in_(wanted))
        .group_by(Person.name, Consultant.code, Consultant.public_id)
        .order_by(func.abs(pay).desc(), Consultant.code)
        .limit(LISTED)
    )
    return [Behind(name, code, public_id, int(cents)) for name, code, public_id, cents in rows]
