"""Both sides of a comparison as arrays: a place for each consultant of our run and each kind of pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from portal.arrival.comparing.old_lines import OldLines
from portal.engine import KINDS, Result

Ints = NDArray[np.int64]

WIDTH: Final = len(KINDS)
NOWHERE: Final = -1


@dataclass(frozen=True)
class Sums:
    """Per place (consultant × kinds + kind): cents in all and below 0, how many lines, on what base."""

    cents: Ints
    below: Ints
    lines: Ints
    base: Ints


@dataclass(frozen=True)
class Gaps:
    """The places at which both sides differ, and what stands there; `below` are our cents below 0."""

    member: Ints
    kind: Ints
    theirs: Ints
    ours: Ints
    below: Ints
    lines: Ints
    their_lines: Ints
    base: Ints

    def __len__(self) -> int:
        return len(self.member)

    @classmethod
    def between(cls, ours: Sums, theirs: Sums) -> Gaps:
        """Everything that is not the same on both sides."""
        at = np.nonzero(ours.cents != theirs.cents)[0]
        amounts = (theirs.cents[at], ours.cents[at], ours.below[at])
        return cls(at // WIDTH, at % WIDTH, *amounts, ours.lines[at], theirs.lines[at], ours.base[at])


# Their lines without a place with us: cents by (code, kind as they call it).
Strangers = dict[tuple[str, str], int]


def ours_of(result: Result) -> Sums:
    """The lines of our run, summed."""
    size, lines = len(result.inputs.network) * WIDTH, result.lines
    place = lines.member.astype(np.int64) * WIDTH + lines.kind
    cents = lines.amount.astype(np.int64)
    return Sums(
        _summed(size, place, cents),
        _summed(size, place, np.minimum(cents, 0)),
        _summed(size, place, np.ones_like(place)),
        _summed(size, place, lines.base.astype(np.int64)),
    )


def theirs_of(
    old: OldLines, codes: dict[str, int], consultants: Ints, kinds: dict[str, str]
) -> tuple[Sums, Strangers]:
    """Their lines, summed at our places, and those that have none.

    `codes` are all consultants' ids, `consultants` those of our run, `kinds` what theirs are called with us.
    """
    members = {who: at for at, who in enumerate(consultants.tolist())}
    member_of = {code: members.get(codes[code], NOWHERE) for code in set(old.codes) if code in codes}
    kind_of = {name: KINDS.index(kinds[name]) for name in set(old.kinds) if kinds.get(name)}
    member = np.array([member_of.get(code, NOWHERE) for code in old.codes], np.int64)
    kind = np.array([kind_of.get(name, NOWHERE) for name in old.kinds], np.int64)
    here = (member != NOWHERE) & (kind != NOWHERE)
    place, cents = member[here] * WIDTH + kind[here], old.cents[here]
    size = len(consultants) * WIDTH
    lines = _summed(size, place, np.ones_like(place))
    none = np.zeros(0, np.int64)
    strangers: Strangers = {}
    for at in np.nonzero(~here)[0].tolist():
        named = (old.codes[at], old.kinds[at])
        strangers[named] = strangers.get(named, 0) + int(old.cents[at])
    return Sums(_summed(size, place, cents), none, lines, none), strangers


def _summed(size: int, place: Ints, values: Ints) -> Ints:
    sums = np.zeros(size, np.int64)
    np.add.at(sums, place, values)
    return sums
