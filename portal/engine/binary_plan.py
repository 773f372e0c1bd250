"""The `binary` part of a plan document, in its three modes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from portal.engine.arithmetic import MAX
from portal.engine.fields import LARGEST, Fields, inside, number_in
from portal.engine.parts import Table, amounts_by_pack, counts, rates_by_pack

MODES: Final = ("percent", "pairs", "tiers")


@dataclass(frozen=True)
class Percent:
    """The smaller leg is matched and earns a rate, by pack."""

    rate: Table
    min_match: int
    cap_volume: Table


@dataclass(frozen=True)
class Pairs:
    """So much of the larger leg and so much of the other make a pair; each pair earns the same."""

    strong: int
    weak: int
    pay: int
    cap_pairs: Table


@dataclass(frozen=True)
class Tiers:
    """The highest volume that both legs reach earns its amount, once; volumes and amounts rise."""

    volumes: tuple[int, ...]
    pays: tuple[int, ...]


@dataclass(frozen=True)
class Binary:
    """How the two legs are matched, paid, capped and carried."""

    mode: Percent | Pairs | Tiers
    must_be_active: bool
    each_leg: int
    cap_money: Table
    over_cap: str
    unqualified: str
    debt: str
    after_match: str
    carry_limit: int
    carry_cycles: int

    @property
    def packs(self) -> set[str]:
        """Every pack that is named."""
        tables = [self.cap_money]
        if isinstance(self.mode, Percent):
            tables += [self.mode.rate, self.mode.cap_volume]
        elif isinstance(self.mode, Pairs):
            tables.append(self.mode.cap_pairs)
        return {pack for table in tables for pack in table}


def read_binary(fields: Fields) -> Binary | None:
    """`binary`; None if it is missing, or if its mode is none that there is."""
    part = fields.part("binary", None)
    if part is None:
        return None
    named = part.choice("mode", MODES)
    if part.value.get("mode") != named:
        return None
    qualify, cap = part.part("qualify", None), part.part("cap", None)
    binary = Binary(
        mode=_mode(part, cap, named),
        must_be_active=qualify.flag("active", True) if qualify else True,
        each_leg=qualify.count("each_leg", 1) if qualify else 1,
        cap_money=amounts_by_pack(cap, "money"),
        over_cap=part.choice("over_cap", ("keep", "consume", "flush"), "keep"),
        unqualified=part.choice("unqualified", ("hold", "flush"), "hold"),
        debt=part.choice("debt", ("carry", "clawback") if named == "percent" else ("carry",), "carry"),
        after_match=part.choice("after_match", ("carry", "flush"), "carry"),
        carry_limit=part.amount("carry_limit", MAX),
        carry_cycles=part.count("carry_cycles", MAX, least=1),
    )
    for read in (qualify, cap, part):
        if read:
            read.close()
    return binary


def _mode(part: Fields, cap: Fields | None, named: str) -> Percent | Pairs | Tiers:
    if named == "percent":
        rate = rates_by_pack(part, "rate")
        return Percent(rate, part.amount("min_match", 0), amounts_by_pack(cap, "volume"))
    if named == "pairs":
        return _pairs(part, cap)
    return _tiers(part)


def _pairs(part: Fields, cap: Fields | None) -> Pairs:
    was_sound, part.sound = part.sound, True
    strong, weak = part.amount("strong"), part.amount("weak", least=1)
    if part.sound and weak > strong:
        part.fault("weak", "must not be above strong")
    part.sound &= was_sound
    return Pairs(strong, weak, part.amount("pay"), counts(cap, "pairs", None) if cap else {})


def _tiers(part: Fields) -> Tiers:
    value = part.take("tiers")
    if "tiers" in part.value and not (isinstance(value, list) and value):
        part.fault("tiers", "must be a list of at least one volume with its pay")
    place = inside(part.place, "tiers")
    tiers = [_tier(part, f"{place}[{position}]", tier) for position, tier in enumerate(_listed(value))]
    read = [(position, *tier) for position, tier in enumerate(tiers) if tier is not None]
    for (_, volume, pay), (position, next_volume, next_pay) in pairwise(read):
        if next_volume <= volume or next_pay <= pay:
            part.sound = False
            part.faults.append(f"{place}[{position}]: must rise in volume and in pay")
    return Tiers(tuple(volume for _, volume, _ in read), tuple(pay for *_, pay in read))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _tier(part: Fields, place: str, tier: object) -> tuple[int, int] | None:
    if not isinstance(tier, list) or len(tier) != 2:
        part.sound = False
        part.faults.append(f"{place}: must be a volume and its pay")
        return None
    numbers = [number_in(text, 2, least, LARGEST) for text, least in zip(tier, (1, 0), strict=True)]
    faults = [f"{place}[{at}]: {number}" for at, number in enumerate(numbers) if isinstance(number, str)]
    part.faults += faults
    part.sound &= not faults
    volume, pay = numbers
    return (volume, pay) if isinstance(volume, int) and isinstance(pay, int) else None
