"""Two runs beside each other by consultant: how much more or less, and what explains most of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session

from portal.kernel.money import parse_money
from portal.models import Carry, CommissionLine, Consultant, Cycle, Person

MOVES_SHOWN = 8
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Move:
    """One consultant in both runs, in cents; `reason` is a code that the page puts into words."""

    public_id: str
    code: str
    name: str
    before: int
    now: int
    reason: str
    refunds: int = 0

    @property
    def change(self) -> int:
        return self.now - self.before


@dataclass(frozen=True)
class Pair:
    """A run of a cycle and the one it is compared with, by their ids; `before` is 0 where there is none."""

    cycle: Cycle
    now: int
    before: int = 0


@dataclass(frozen=True)
class Wanted:
    """Which people of two runs: `name` begins a word of theirs or is their code.

    `only` is `paid`, `changed`, or empty for all with a line in either run; `order` is `change` or `pay`.
    """

    name: str = ""
    only: str = ""
    order: str = "change"


def biggest_moves(session: Session, pair: Pair) -> list[Move]:
    """Whose pay changed most."""
    return page_of(session, pair, Wanted(only="changed"), start=0, limit=MOVES_SHOWN)


def page_of(session: Session, pair: Pair, wanted: Wanted, *, start: int, limit: int) -> list[Move]:
    """Some people of two runs, the biggest first, with the reason of each."""
    sums = _sums_of(pair, wanted)
    change = func.abs(sums.c.now - sums.c.before)
    size = (change if wanted.order == "change" else sums.c.now).label("size")
    first = select(sums.c.consultant_id, size).order_by(size.desc(), sums.c.consultant_id)
    chosen = first.offset(start).limit(limit).subquery()
    people = _people(chosen, pair).order_by(chosen.c.size.desc(), chosen.c.consultant_id)
    return _moves(session, pair, session.execute(people).all())


def count_of(session: Session, pair: Pair, wanted: Wanted) -> tuple[int, int, int]:
    """How many people these are, and what they get in both runs, before and now, in cents."""
    sums = _sums_of(pair, wanted)
    totals = (func.coalesce(func.sum(column), 0) for column in (sums.c.before, sums.c.now))
    people, old, new = session.execute(select(func.count(), *totals).select_from(sums)).one()
    return int(people), int(old), int(new)


def all_moves(session: Session, pair: Pair) -> Iterator[Move]:
    """Everybody of two runs by id, read a part at a time."""
    sums, last = _sums_of(pair, Wanted()), 0
    while True:
        part = select(sums.c.consultant_id).where(sums.c.consultant_id > last)
        chosen = part.order_by(sums.c.consultant_id).limit(_AT_ONCE).subquery()
        people = session.execute(_people(chosen, pair).order_by(chosen.c.consultant_id)).all()
        yield from _moves(session, pair, people)
        if len(people) < _AT_ONCE:
            return
        last = people[-1].id


def in_run(run_id: int) -> ColumnElement[int]:
    """The amount of a line where it belongs to this run, else nothing."""
    return case((CommissionLine.run_id == run_id, CommissionLine.amount_cents), else_=0)


def _sums_of(pair: Pair, wanted: Wanted) -> Subquery:
    old, new = func.sum(in_run(pair.before)), func.sum(in_run(pair.now))
    statement = (
        select(CommissionLine.consultant_id, old.label("before"), new.label("now"))
        .where(CommissionLine.run_id.in_((pair.now, pair.before)))
        .group_by(CommissionLine.consultant_id)
    )
    if wanted.name:
        statement = statement.where(CommissionLine.consultant_id.in_(_named(wanted.name)))
    if wanted.only:
        statement = statement.having(new > 0 if wanted.only == "paid" else new != old)
    return statement.subquery()


def _named(written: str) -> Select[int]:
    """Whose name has a word that begins like this, or whose code it is."""
    name = func.lower(Person.name)
    first = name.startswith(written.lower(), autoescape=True)
    later = name.contains(" " + written.lower(), autoescape=True)
    people = select(Consultant.id).join(Person, Person.id == Consultant.person_id)
    return people.where(or_(first, later, Consultant.code == written.upper()))


@dataclass
class _Sums:
    """Cents by kind in both runs, and the lines below zero of this one."""

    now: dict[str, int]
    before: dict[str, int]
    refunds: int = 0
    taken_back: int = 0


def _moves(session: Session, pair: Pair, people: Sequence[Any]) -> list[Move]:
    sums = _sums(session, pair, [one.id for one in people])
    caps = _caps(pair.cycle)
    return [
        _move(one, sums[one.id], both_legs=min(one.left or 0, one.right or 0) > 0, cap=caps.get(one.pack))
        for one in people
    ]


def _sums(session: Session, pair: Pair, ids: Sequence[int]) -> dict[int, _Sums]:
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
        .where(CommissionLine.run_id.in_((pair.now, pair.before)), CommissionLine.consultant_id.in_(ids))
        .group_by(CommissionLine.consultant_id, CommissionLine.run_id, CommissionLine.kind)
    )
    sums = {consultant_id: _Sums({}, {}) for consultant_id in ids}
    for consultant_id, run_id, kind, amount, refunds, taken_back in rows:
        one = sums[consultant_id]
        (one.now if run_id == pair.now else one.before)[kind] = int(amount)
        if run_id == pair.now:
            one.refunds += int(refunds)
            one.taken_back += int(taken_back)
    return sums


def _people(chosen: Subquery, pair: Pair) -> Select[int, str, str, str, str, int, int]:
    """Who they are, and what each carries on either leg."""
    carried = and_(Carry.run_id == pair.now, Carry.consultant_id == Consultant.id)
    who = (Consultant.id, Consultant.public_id, Consultant.code, Consultant.pack, Person.name)
    legs = (Carry.left.label("left"), Carry.right.label("right"))
    return (
        select(*who, *legs)
        .join(chosen, chosen.c.consultant_id == Consultant.id)
        .join(Person, Person.id == Consultant.person_id)
        .outerjoin(Carry, carried)
    )


def _caps(cycle: Cycle) -> dict[str, int]:
    """The most that each pack gets for matching in a cycle, in cents."""
    binary = cast(dict[str, Any], cycle.plan_version.document).get("binary") or {}
    written = (binary.get("cap") or {}).get("money") or {}
    return {pack: int(parse_money(amount)) for pack, amount in written.items()}


def _move(person: Any, sums: _Sums, *, both_legs: bool, cap: int | None) -> Move:
    return Move(
        public_id=person.public_id,
        code=person.code,
        name=person.name,
        before=sum(sums.before.values()),
        now=sum(sums.now.values()),
        reason=_reason(sums, both_legs=both_legs, cap=cap),
        refunds=sums.refunds,
    )


def _reason(sums: _Sums, *, both_legs: bool, cap: int | None) -> str:
    """What explains most of a change, as a code."""
    change = sum(sums.now.values()) - sum(sums.before.values())
    if change == 0:
        return "same"
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
