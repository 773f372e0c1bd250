"""A run beside the one of the week before: what changed, who moved most and why, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from portal.commissions.queries import Totals, run_of, totals_of
from portal.kernel.money import parse_money
from portal.models import Account, Carry, CommissionLine, Consultant, Cycle, Person, Run, Sale

WHOLE = 10_000
EVENT_KINDS = ("retail", "direct")
MOVES_SHOWN = 8


@dataclass(frozen=True)
class Change:
    """Cents of one kind in both weeks; `corrections` holds every line below zero."""

    kind: str
    before: int
    now: int


@dataclass(frozen=True)
class Move:
    """One consultant whose pay changed, in cents; `reason` is a code that the page puts into words."""

    public_id: str
    name: str
    before: int
    now: int
    reason: str
    refunds: int = 0


@dataclass(frozen=True)
class Proof:
    """What was counted again from lines and sales: do they agree with the run's totals?"""

    sales: int
    ties: bool
    below_zero: int
    give_back: int


@dataclass(frozen=True)
class Review:
    """Everything an admin looks at before saying yes; `revenue` in cents, `ratio` in ten-thousandths."""

    run: Run
    totals: Totals
    revenue: int
    ratio: int | None
    before: Totals | None
    before_name: str
    changes: list[Change]
    moves: list[Move]
    proof: Proof


def review_of(session: Session, cycle: Cycle) -> Review | None:
    """The run of a cycle beside the run of the cycle before it; None while there is none."""
    run = run_of(session, cycle)
    if run is None or run.totals is None:
        return None
    previous = session.get(Cycle, cycle.previous_id) if cycle.previous_id else None
    old = run_of(session, previous) if previous else None
    totals, revenue = totals_of(run), _revenue(session, cycle.id)
    return Review(
        run=run,
        totals=totals,
        revenue=revenue,
        ratio=totals.paid * WHOLE // revenue if revenue > 0 else None,
        before=totals_of(old) if old else None,
        before_name=previous.name if previous else "",
        changes=_changes(session, run.id, old.id if old else 0),
        moves=_moves(session, cycle, run.id, old.id if old else 0),
        proof=_proof(session, cycle, run, totals),
    )


def _revenue(session: Session, cycle_id: int) -> int:
    return int(session.scalar(select(func.sum(Sale.revenue_cents)).where(Sale.cycle_id == cycle_id)) or 0)


def _in_run(run_id: int) -> ColumnElement[int]:
    return case((CommissionLine.run_id == run_id, CommissionLine.amount_cents), else_=0)


def _changes(session: Session, now: int, before: int) -> list[Change]:
    kind = case((CommissionLine.amount_cents < 0, "corrections"), else_=CommissionLine.kind)
    rows = session.execute(
        select(kind, func.sum(_in_run(before)), func.sum(_in_run(now)))
        .where(CommissionLine.run_id.in_((now, before)))
        .group_by(kind)
    )
    changes = [Change(name, int(old), int(new)) for name, old, new in rows]
    return sorted(changes, key=lambda change: (change.kind == "corrections", -change.now, change.kind))


def _moves(session: Session, cycle: Cycle, now: int, before: int) -> list[Move]:
    difference = func.sum(_in_run(now)) - func.sum(_in_run(before))
    biggest = session.execute(
        select(CommissionLine.consultant_id)
        .where(CommissionLine.run_id.in_((now, before)))
        .group_by(CommissionLine.consultant_id)
        .having(difference != 0)
        .order_by(func.abs(difference).desc(), CommissionLine.consultant_id)
        .limit(MOVES_SHOWN)
    )
    ids = [consultant_id for (consultant_id,) in biggest]
    sums = _sums(session, ids, now, before)
    people = _people(session, ids)
    legs = {row.consultant_id: row for row in _legs(session, ids, now)}
    caps = _caps(cycle)
    return [
        _move(people[at], sums[at], both_legs=_has_both(legs.get(at)), cap=caps.get(people[at].pack))
        for at in ids
    ]


@dataclass
class _Sums:
    """Cents by kind in both weeks, and the lines below zero of this one."""

    now: dict[str, int]
    before: dict[str, int]
    refunds: int = 0
    taken_back: int = 0


def _sums(session: Session, ids: Sequence[int], now: int, before: int) -> dict[int, _Sums]:
    below = CommissionLine.amount_cents < 0
    rows = session.execute(
        select(
            CommissionLine.consultant_id,
            CommissionLine.run_id,
            CommissionLine.kind,
            func.sum(CommissionLine.amount_cents),
            func.sum(case((below, 1), else_=0)),
            func.sum(case((below, CommissionLine.amount_cents), else_=0)),
        )
        .where(CommissionLine.run_id.in_((now, before)), CommissionLine.consultant_id.in_(ids))
        .group_by(CommissionLine.consultant_id, CommissionLine.run_id, CommissionLine.kind)
    )
    sums = {consultant_id: _Sums({}, {}) for consultant_id in ids}
    for consultant_id, run_id, kind, amount, refunds, taken_back in rows:
        one = sums[consultant_id]
        (one.now if run_id == now else one.before)[kind] = int(amount)
        if run_id == now:
            one.refunds += int(refunds)
            one.taken_back += int(taken_back)
    return sums


def _people(session: Session, ids: Sequence[int]) -> dict[int, Any]:
    rows = session.execute(
        select(Consultant.id, Consultant.public_id, Consultant.pack, Person.name)
        .join(Person, Person.id == Consultant.person_id)
        .where(Consultant.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _legs(session: Session, ids: Sequence[int], run_id: int) -> Sequence[Carry]:
    return session.scalars(select(Carry).where(Carry.run_id == run_id, Carry.consultant_id.in_(ids))).all()


def _has_both(carry: Carry | None) -> bool:
    return carry is not None and min(carry.left, carry.right) > 0


def _caps(cycle: Cycle) -> dict[str, int]:
    """The most that each pack gets for matching in a week, in cents."""
    binary = cast(dict[str, Any], cycle.plan_version.document).get("binary") or {}
    written = (binary.get("cap") or {}).get("money") or {}
    return {pack: int(parse_money(amount)) for pack, amount in written.items()}


def _move(person: Any, sums: _Sums, *, both_legs: bool, cap: int | None) -> Move:
    return Move(
        public_id=person.public_id,
        name=person.name,
        before=sum(sums.before.values()),
        now=sum(sums.now.values()),
        reason=_reason(sums, both_legs=both_legs, cap=cap),
        refunds=sums.refunds,
    )


def _reason(sums: _Sums, *, both_legs: bool, cap: int | None) -> str:
    """What explains most of a change, as a code."""
    change = sum(sums.now.values()) - sum(sums.before.values())
    if change < 0 and -2 * sums.taken_back >= -change:
        return "refunds"
    kinds = {kind: sums.now.get(kind, 0) - sums.before.get(kind, 0) for kind in {*sums.now, *sums.before}}
    kind = max(sorted(kinds), key=lambda name: kinds[name] if change > 0 else -kinds[name])
    direction = "up" if change > 0 else "down"
    if kind != "binary":
        return f"{kind} {direction}"
    return _binary_reason(sums, direction, both_legs=both_legs, cap=cap)


def _binary_reason(sums: _Sums, direction: str, *, both_legs: bool, cap: int | None) -> str:
    now, before = sums.now.get("binary", 0), sums.before.get("binary", 0)
    if cap is not None and now == cap:
        return "cap"
    if before == 0:
        return "matching began"
    if now == 0:
        return "not qualified" if both_legs else "nothing to match"
    return f"binary {direction}"


def _proof(session: Session, cycle: Cycle, run: Run, totals: Totals) -> Proof:
    of_run = CommissionLine.run_id == run.id
    loose = and_(CommissionLine.kind.in_(EVENT_KINDS), CommissionLine.sale_id.is_(None))
    astray = and_(CommissionLine.sale_id.is_not(None), Sale.cycle_id.is_distinct_from(cycle.id))
    total, wrong = session.execute(
        select(
            func.coalesce(func.sum(CommissionLine.amount_cents), 0),
            func.coalesce(func.sum(case((loose, 1), (astray, 1), else_=0)), 0),
        )
        .outerjoin(Sale, Sale.id == CommissionLine.sale_id)
        .where(of_run)
    ).one()
    sales, volume = session.execute(
        select(func.count(), func.coalesce(func.sum(Sale.volume), 0)).where(Sale.cycle_id == cycle.id)
    ).one()
    ties = int(total) == totals.paid and int(volume) == totals.volume and not wrong
    return Proof(int(sales), ties, _below_zero(session), _give_back(session, run.id))


def _below_zero(session: Session) -> int:
    """Wallets that hold less than nothing: there must be none."""
    tracked = Account.owner_type == "consultant", Account.balance < 0
    return session.scalar(select(func.count()).select_from(Account).where(*tracked)) or 0


def _give_back(session: Session, run_id: int) -> int:
    """People whose lines of this run are below zero in sum."""
    people = (
        select(CommissionLine.consultant_id)
        .where(CommissionLine.run_id == run_id)
        .group_by(CommissionLine.consultant_id)
        .having(func.sum(CommissionLine.amount_cents) < 0)
    )
    return session.scalar(select(func.count()).select_from(people.subquery())) or 0
