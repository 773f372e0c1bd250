"""A lopsided network: one deep power leg, spill-over, sponsors who are not the ones above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from portal.cli.demo.calendar import Calendar
from portal.cli.demo.names import Invented

MAYA, THEO, WAITING = 1, 5, 2
PACKS = {"pack": 62, "plus": 28, "smart": 10}
_POWER_SHARE = 0.2
_BEFORE_SHARE = 0.8
_YEARS_BEFORE = timedelta(days=420)
_KNOWN = {
    0: ("Grace Holloway", "plus"),
    MAYA: ("Maya Torres", "plus"),
    2: ("Daniel Osei", "plus"),
    THEO: ("Theo Lindqvist", "smart"),
}


@dataclass
class Member:
    """A consultant to be; others are named by their place in the list. Unplaced: no parent, but a sponsor."""

    name: str
    email: str
    pack: str
    joined_at: datetime
    sponsor: int | None = None
    parent: int | None = None
    leg: str | None = None
    below: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=lambda: {"L": 0, "R": 0})


def draw_network(rng: Random, *, count: int, calendar: Calendar, invented: Invented) -> list[Member]:
    """All consultants in the order in which they joined; the last two wait for Maya to place them."""
    members: list[Member] = []
    packs = _packs(rng, count)
    urn: list[int] = []
    for at, joined_at in enumerate(_joined(count, calendar)):
        name, pack = _KNOWN.get(at, (invented.name(), packs[at]))
        members.append(Member(name, invented.email(name), pack, joined_at))
        if at >= count - WAITING:
            members[at].sponsor = MAYA
        elif at > 0:
            _enrol(rng, members, at, urn)
        # Some sponsor many, most nobody.
        urn.extend([at] * int(rng.paretovariate(1.1)))
    members[MAYA].email = invented.reserve("maya@example.com")
    members[THEO].email = invented.reserve("theo@example.com")
    return members


def _joined(count: int, calendar: Calendar) -> Iterator[datetime]:
    """Most were there before the first week, the others came week by week; the last two just now."""
    before = int(count * _BEFORE_SHARE)
    since = calendar.weeks[-1].starts_at - calendar.start
    for at in range(count - WAITING):
        if at < before:
            yield calendar.start - _YEARS_BEFORE + _YEARS_BEFORE * at / before
        else:
            yield calendar.start + since * (at - before) / (count - before)
    for hours in (50, 20):
        yield calendar.now - timedelta(hours=hours)


def _packs(rng: Random, count: int) -> list[str]:
    packs: list[str] = []
    for code, percent in PACKS.items():
        packs += [code] * (count * percent // 100)
    packs += ["pack"] * (count - len(packs))
    rng.shuffle(packs)
    for at, (_, code) in _KNOWN.items():
        other = packs.index(code, max(_KNOWN) + 1)
        packs[at], packs[other] = packs[other], packs[at]
    return packs


def _enrol(rng: Random, members: list[Member], at: int, urn: list[int]) -> None:
    """Who sponsors, and where the newcomer stands: the outside edge of one of the sponsor's legs."""
    if at <= 2:
        _place(members, at, sponsor=0, leg="LR"[at - 1])
    elif rng.random() < _POWER_SHARE:
        _place(members, at, sponsor=rng.choice(_spine(members)), leg="L")
    else:
        sponsor = MAYA if at == THEO else rng.choice(urn)
        people = members[sponsor].people
        _place(members, at, sponsor=sponsor, leg="R" if people["R"] < people["L"] else "L")


def _spine(members: list[Member]) -> list[int]:
    """The power leg: the outer left edge from the top down."""
    spine = [0]
    while "L" in members[spine[-1]].below:
        spine.append(members[spine[-1]].below["L"])
    return spine


def _place(members: list[Member], at: int, *, sponsor: int, leg: str) -> None:
    parent = sponsor
    while leg in members[parent].below:
        parent = members[parent].below[leg]
    newcomer = members[at]
    newcomer.sponsor, newcomer.parent, newcomer.leg = sponsor, parent, leg
    members[parent].below[leg] = at
    child: Member = newcomer
    while child.parent is not None and child.leg is not None:
        members[child.parent].people[child.leg] += 1
        child = members[child.parent]
