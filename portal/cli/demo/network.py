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
_POWER_PERCENT = 17
_DANIEL = 2
_BUILDERS = {MAYA: 1, _DANIEL: 15}
_BY_HAND_PERCENT = 60
_BEFORE_PERCENT = 80
_YEARS_BEFORE = timedelta(days=420)
_KNOWN = {
    0: ("Grace Holloway", "plus"),
    MAYA: ("Maya Torres", "plus"),
    _DANIEL: ("Daniel Osei", "plus"),
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
    before = count * _BEFORE_PERCENT // 100
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
    """Who sponsors, and where the newcomer stands."""
    if at <= 2:
        _place(members, at, sponsor=0, spot=(0, "LR"[at - 1]))
        return
    if rng.randrange(100) < _POWER_PERCENT:
        sponsor = rng.choice(_edge(members, 0, "L"))
        spot = (_edge(members, sponsor, "L")[-1], "L")
    else:
        sponsor = MAYA if at == THEO else _sponsor(rng, members, urn)
        spot = _spot(members, sponsor, by_hand=rng.randrange(100) < _BY_HAND_PERCENT)
    _place(members, at, sponsor=sponsor, spot=spot)


def _sponsor(rng: Random, members: list[Member], urn: list[int]) -> int:
    """Somebody in the right leg of a builder, or anybody."""
    lot = rng.randrange(100)
    for builder, percent in _BUILDERS.items():
        lot -= percent
        if lot < 0:
            return rng.choice(_team(members, builder, "R"))
    return rng.choice(urn)


def _edge(members: list[Member], top: int, leg: str) -> list[int]:
    """From somebody down the outer side of a leg."""
    edge = [top]
    while leg in members[edge[-1]].below:
        edge.append(members[edge[-1]].below[leg])
    return edge


def _team(members: list[Member], top: int, leg: str) -> list[int]:
    """Somebody and everybody in one of their legs."""
    team = [top, *([members[top].below[leg]] if leg in members[top].below else [])]
    for one in team[1:]:
        team += members[one].below.values()
    return team


def _spot(members: list[Member], sponsor: int, *, by_hand: bool) -> tuple[int, str]:
    """The outside edge of the weaker leg, or where a hand that keeps legs even would put somebody."""
    leg = _weaker(members[sponsor])
    if not by_hand:
        return _edge(members, sponsor, leg)[-1], leg
    parent = sponsor
    while leg in members[parent].below:
        parent = members[parent].below[leg]
        leg = _weaker(members[parent])
    return parent, leg


def _weaker(one: Member) -> str:
    return "R" if one.people["R"] < one.people["L"] else "L"


def _place(members: list[Member], at: int, *, sponsor: int, spot: tuple[int, str]) -> None:
    newcomer = members[at]
    newcomer.sponsor = sponsor
    newcomer.parent, newcomer.leg = spot
    members[spot[0]].below[spot[1]] = at
    child: Member = newcomer
    while child.parent is not None and child.leg is not None:
        members[child.parent].people[child.leg] += 1
        child = members[child.parent]
