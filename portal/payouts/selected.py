"""Reads of selections: who is in, who is not and why, and what waits for another person's yes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.kernel.money import Cents, format_money
from portal.models import (
    Consultant,
    Cycle,
    Pack,
    PayoutMethod,
    PayoutSelection,
    PayoutSelectionLine,
    Person,
    Withdrawal,
)
from portal.payouts.candidates import candidates
from portal.payouts.selections import included, read_criteria
from portal.payouts.terms import Terms

NOTHING_HERE = "There is nothing here under this address."


@dataclass(frozen=True)
class SelectedLine:
    """One person of a selection; `by_hand` says that a person left them out.

    `entry_id` is the entry that set the money aside, once the withdrawals are made.
    """

    consultant_id: int
    public_id: str
    name: str
    code: str
    amount_cents: int
    reason: str
    by_hand: bool
    entry_id: int | None


@dataclass(frozen=True)
class Totals:
    """People and cents: who is paid, who is not."""

    people: int
    cents: int
    left_out: int
    left_out_cents: int


def by_public_id(session: Session, public_id: str) -> PayoutSelection:
    """A selection; raises `NotYours` where there is none."""
    found = session.scalar(select(PayoutSelection).where(PayoutSelection.public_id == public_id))
    if found is None:
        raise NotYours(NOTHING_HERE)
    return found


def ids_of(session: Session, public_id: str, person: str) -> tuple[int, int]:
    """Row ids of a selection and of a consultant in it; raises `NotYours` where there is none."""
    row = session.execute(
        select(PayoutSelection.id, Consultant.id)
        .join(PayoutSelectionLine, PayoutSelectionLine.selection_id == PayoutSelection.id)
        .join(Consultant, Consultant.id == PayoutSelectionLine.consultant_id)
        .where(PayoutSelection.public_id == public_id, Consultant.public_id == person)
    ).first()
    if row is None:
        raise NotYours(NOTHING_HERE)
    return row[0], row[1]


def newest(session: Session, *, limit: int = 10) -> Sequence[PayoutSelection]:
    """The newest selections."""
    return session.scalars(select(PayoutSelection).order_by(PayoutSelection.id.desc()).limit(limit)).all()


def lines_of(session: Session, selection_id: int, *, after: int, limit: int) -> list[SelectedLine]:
    """People of a selection in the order of their ids."""
    line = PayoutSelectionLine
    made = (Withdrawal.selection_id == line.selection_id) & (Withdrawal.consultant_id == line.consultant_id)
    rows = session.execute(
        select(line, Consultant.public_id, Person.name, Consultant.code, Withdrawal.reserve_entry_id)
        .join(Consultant, Consultant.id == line.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
        .outerjoin(Withdrawal, made)
        .where(line.selection_id == selection_id, line.consultant_id > after)
        .order_by(line.consultant_id)
        .limit(limit)
    )
    return [
        SelectedLine(
            consultant_id=one.consultant_id,
            public_id=public_id,
            name=name,
            code=code,
            amount_cents=one.amount_cents,
            reason=one.excluded_reason or "",
            by_hand=one.excluded_by is not None,
            entry_id=entry_id,
        )
        for one, public_id, name, code, entry_id in rows
    ]


def totals_of(session: Session, selection_id: int) -> Totals:
    """How many people get how much, and how many do not."""
    line = PayoutSelectionLine
    inside = case((line.excluded_reason.is_(None), 1), else_=0)
    row = session.execute(
        select(
            func.coalesce(func.sum(inside), 0),
            func.coalesce(func.sum(inside * line.amount_cents), 0),
            func.count(),
            func.coalesce(func.sum(line.amount_cents), 0),
        ).where(line.selection_id == selection_id)
    ).one()
    people, cents, all_people, all_cents = (int(value) for value in row)
    return Totals(people, cents, all_people - people, all_cents - cents)


def terms_of(session: Session, selection: PayoutSelection, *, now: datetime) -> dict[int, Terms]:
    """By consultant what becomes of each amount to be paid: as things stand for a draft, else as made.

    Who cannot be paid any more is not in it.
    """
    if selection.state != "draft":
        made = select(
            Withdrawal.consultant_id,
            Withdrawal.amount_cents,
            Withdrawal.fee_cents,
            Withdrawal.withheld_cents,
        ).where(Withdrawal.selection_id == selection.id)
        return {owner: Terms(*map(Cents, cents)) for owner, *cents in session.execute(made)}
    terms, criteria = {}, read_criteria(selection.criteria)
    for shown in included(session, selection.id):
        found = candidates(session, list(shown), criteria, now=now, caps=shown)
        terms.update({one.consultant_id: one.terms for one in found if one.terms is not None})
    return terms


def sum_of(terms: Iterable[Terms]) -> Terms:
    """All of them together."""
    total = Terms(Cents(0), Cents(0), Cents(0))
    for each in terms:
        parts = (total.amount + each.amount, total.fee + each.fee, total.withheld + each.withheld)
        total = Terms(*map(Cents, parts))
    return total


def waiting_of(session: Session, selection_id: int) -> tuple[int, int]:
    """How many withdrawals of it wait for a yes, and their sum in cents."""
    question = select(func.count(), func.coalesce(func.sum(Withdrawal.amount_cents), 0))
    ours = (Withdrawal.selection_id == selection_id, Withdrawal.state == "requested")
    count, cents = session.execute(question.where(*ours)).one()
    return count, int(cents)


def cycle_names(session: Session, selections: Sequence[PayoutSelection]) -> dict[int, str]:
    """The names of the cycles that these pay out, by their ids."""
    ids = {each.cycle_id for each in selections if each.cycle_id}
    names = select(Cycle.id, Cycle.name).where(Cycle.id.in_(ids))
    return dict(iter(session.execute(names))) if ids else {}


def in_words(session: Session, selection: PayoutSelection) -> dict[str, str]:
    """What was looked for, as names and amounts for people; empty where nothing was asked."""
    criteria = read_criteria(selection.criteria)
    pack = session.scalar(select(Pack.name).where(Pack.code == criteria.pack))
    method = session.scalar(select(PayoutMethod.name).where(PayoutMethod.code == criteria.method))
    cycle = session.get(Cycle, selection.cycle_id) if selection.cycle_id else None
    return {
        "cycle": cycle.name if cycle else "",
        "minimum": format_money(criteria.minimum),
        "pack": pack or "",
        "method": method or "",
        "country": criteria.country,
        "tax_form": criteria.tax_form,
        "paid_before": criteria.paid_before.isoformat() if criteria.paid_before else "",
    }
