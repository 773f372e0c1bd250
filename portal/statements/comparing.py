"""Holding a statement against what the events of its day said. Pure: no database, no clock.

A line and a fact belong together by contract, type and, for a renewal, its month. What happens once to a
contract is looked for on other days too, so that an event of five minutes past midnight is not called lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from portal.statements.lines import Line

MANY_TIMES = frozenset({"service.changed", "service.refunded", "service.suspended"})
# What tells the size of a contract, or of a month of it.
SIZED = frozenset(
    {"service.signed", "service.changed", "service.installed", "service.activated", "service.renewed"}
)

Key: TypeAlias = tuple[str, str, str]
Value: TypeAlias = int | str | None
Fields: TypeAlias = dict[str, list[Value]]


@dataclass(frozen=True)
class Ours:
    """What an event said of a contract, and what our terms make of it.

    `day` is the company's, `at` the moment; `revenue_cents` None where the type is worth nothing by itself.
    `settled` marks what was booked because a statement was believed: no statement has to name it.
    """

    fact_id: int
    type: str
    contract_ref: str
    day: date
    at: datetime
    customer_ref: str
    consultant_code: str
    service_code: str
    period: str
    size_thousandths: int | None
    revenue_cents: int | None
    share: int | None = None
    settled: bool = False

    @property
    def key(self) -> Key:
        return self.contract_ref, self.type, self.period


@dataclass(frozen=True)
class Found:
    """One difference: `fields` gives ours and theirs of each field that differs."""

    kind: str
    contract_ref: str
    type: str
    fields: Fields
    line: int | None = None
    fact_id: int | None = None


def compare(
    lines: Sequence[Line], ours: Sequence[Ours], *, day: date, elsewhere: Mapping[Key, Ours]
) -> list[Found]:
    """The differences, in the order of the lines and then of the facts.

    `ours` are the facts of the day, oldest first; `elsewhere` those of other days that happen once.
    """
    waiting: dict[Key, list[Ours]] = defaultdict(list)
    for fact in ours:
        waiting[fact.key].append(fact)
    pairs = _pairs(lines, waiting)
    found = [
        each for line in lines if (each := _of_line(line, pairs.get(line.line), elsewhere, day)) is not None
    ]
    named = {key_of(line) for line in lines}
    return found + list(_extras(ours, waiting, named))


def key_of(line: Line) -> Key:
    """What a line and a fact have in common when they speak of the same."""
    return line.contract_ref, line.type, line.period or ""


def _of_line(line: Line, fact: Ours | None, elsewhere: Mapping[Key, Ours], day: date) -> Found | None:
    if fact is None and line.type not in MANY_TIMES:
        fact = elsewhere.get(key_of(line))
    if fact is None:
        return Found("missing", line.contract_ref, line.type, _alone(_theirs(line), 1), line=line.line)
    fields = _different(line, fact)
    if fact.day != day:
        fields["day"] = [fact.day.isoformat(), day.isoformat()]
    if not fields:
        return None
    return Found("different", line.contract_ref, line.type, fields, line=line.line, fact_id=fact.fact_id)


def _pairs(lines: Sequence[Line], waiting: dict[Key, list[Ours]]) -> dict[int, Ours]:
    """The fact of each line that has one; those that were taken no longer wait.

    What can happen several times on a day is told apart by its moment first, then by what it says. Of what
    happens once, all facts go with the one that fits best.
    """
    pairs: dict[int, Ours] = {}
    fits: tuple[Callable[[Line, Ours], bool], ...] = (
        lambda line, fact: line.occurred_at == fact.at,
        lambda line, fact: not _different(line, fact),
        lambda _line, _fact: True,
    )
    for fit in fits:
        for line in lines:
            facts = [fact for fact in waiting[key_of(line)] if fit(line, fact)]
            if line.line in pairs or not facts:
                continue
            best = min(facts, key=lambda fact: (len(_different(line, fact)), fact.settled))
            pairs[line.line] = best
            if line.type in MANY_TIMES:
                waiting[key_of(line)].remove(best)
    for key in {key_of(line) for line in lines if line.line in pairs and line.type not in MANY_TIMES}:
        waiting[key].clear()
    return pairs


def _extras(ours: Iterable[Ours], waiting: Mapping[Key, list[Ours]], named: set[Key]) -> Iterator[Found]:
    seen: set[Key] = set()
    for fact in ours:
        once = fact.type not in MANY_TIMES
        if fact.settled or fact not in waiting[fact.key] or (once and fact.key in (seen | named)):
            continue
        seen.add(fact.key)
        values = {
            "size": fact.size_thousandths,
            "revenue": fact.revenue_cents,
            "consultant": fact.consultant_code,
        }
        fields = _alone({name: value for name, value in values.items() if value is not None}, 0)
        yield Found("extra", fact.contract_ref, fact.type, fields, fact_id=fact.fact_id)


def _theirs(line: Line) -> dict[str, Value]:
    """What a line says, by the name of the field, without what it does not say."""
    said: dict[str, Value] = {
        "size": line.size_thousandths,
        "revenue": line.revenue_cents,
        "consultant": line.consultant_code.upper() if line.consultant_code else None,
        "service": line.service_code,
        "customer": line.customer_ref,
        "share": line.share,
    }
    return {name: value for name, value in said.items() if value is not None}


def _different(line: Line, fact: Ours) -> Fields:
    ours: dict[str, Value] = {
        "size": fact.size_thousandths,
        "revenue": fact.revenue_cents,
        "consultant": fact.consultant_code.upper(),
        "service": fact.service_code,
        "customer": fact.customer_ref,
        "share": fact.share,
    }
    theirs = _theirs(line)
    return {
        name: [ours[name], value]
        for name, value in theirs.items()
        if ours[name] is not None and ours[name] != value
    }


def _alone(values: Mapping[str, Value], place: int) -> Fields:
    """The values of one side, with nothing on the other."""
    return {name: [value if at == place else None for at in (0, 1)] for name, value in values.items()}
