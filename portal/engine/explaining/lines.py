"""One line opened to the end: the rule in words with its numbers, the rounding, the caps, the limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from portal.engine.arithmetic import MONEY_UNIT, RATE_UNIT
from portal.engine.cycle import Result
from portal.engine.events import (
    BINARY,
    DIRECT,
    EVENT_KINDS,
    KINDS,
    MATCHING,
    MATRIX,
    NONE,
    RETAIL,
    REVENUE_KINDS,
    UNILEVEL,
)
from portal.engine.explaining.match import facts_of_match, words_of_match
from portal.engine.explaining.written import exactly, percent, rate, text_of
from portal.engine.lines import Lines
from portal.engine.pool import SCALED_KINDS, pool_of, shares_in_all
from portal.engine.ranks import PaidAs
from portal.kernel.money import round_half_away, share

TO_CENT = "to the nearest cent, half away from zero"
TOWARD_ZERO = "toward zero"


@dataclass(frozen=True)
class LineStory:
    """Why a line is what it is: `numerator / denominator` cents are rounded, capped and limited to `amount`.

    `words` say the rule with its numbers, in order; `rule` is its name and `facts` are the same numbers by
    name, for whoever finds other words. `source` is the event or the member, -1 for none.
    """

    kind: str
    amount: int
    base: int
    source: int
    level: int
    numerator: int
    denominator: int
    rounding: str
    before_limit: int
    words: tuple[str, ...]
    rule: str = ""
    facts: Mapping[str, int] = field(default_factory=dict)

    @property
    def exactly(self) -> str:
        """The amount before rounding, cap and limit, as a decimal."""
        return exactly(self.numerator, self.denominator)

    def by(self, rule: str, **facts: int) -> LineStory:
        """The same story with the name of its rule and the numbers that went into it."""
        return replace(self, rule=rule, facts=facts)


@dataclass(frozen=True)
class _Line:
    """A line as plain numbers, with all that it came from."""

    result: Result
    member: int
    kind: int
    amount: int
    base: int
    source: int
    level: int

    @property
    def pack(self) -> str:
        """The receiver's pack."""
        return self.pack_of(self.member)

    def pack_of(self, member: int) -> str:
        """Anybody's pack."""
        network = self.result.inputs.network
        return network.packs[int(network.pack[member])]

    def story(self, fraction: tuple[int, int], words: list[str], *, toward_zero: bool = False) -> LineStory:
        """The story of a line that is a fraction of something, rounded once."""
        numerator, denominator = fraction
        rounded = share(numerator, 1, denominator) if toward_zero else round_half_away(numerator, denominator)
        rounding = TOWARD_ZERO if toward_zero else TO_CENT
        told = [*words, f"{exactly(numerator, denominator)}, rounded {rounding}: {text_of(rounded)}"]
        return self._story(fraction, rounding, rounded, tuple(told))

    def taken_back(self, fraction: tuple[int, int], words: list[str]) -> LineStory:
        """The story of a line that takes back a share of what was paid; its words say the rounding."""
        return self._story(fraction, TOWARD_ZERO, self.amount, tuple(words))

    def _story(
        self, fraction: tuple[int, int], rounding: str, before_limit: int, words: tuple[str, ...]
    ) -> LineStory:
        return LineStory(
            kind=KINDS[self.kind],
            amount=self.amount,
            base=self.base,
            source=self.source,
            level=self.level,
            numerator=fraction[0],
            denominator=fraction[1],
            rounding=rounding,
            before_limit=before_limit,
            words=words,
        )


def line_stories(
    result: Result, member: int, *, kind: int | None = None, most: int | None = None
) -> list[LineStory]:
    """All lines of a member, or those of one kind, each opened to the end; the `most` largest where given."""
    lines = list(_own_lines(result, member, kind))
    if most is not None:
        lines = sorted(lines, key=lambda line: -abs(line.amount))[:most]
    return sorted((_story(line) for line in lines), key=lambda story: (story.kind, story.source, story.level))


def sums_by_kind(result: Result, member: int) -> dict[str, int]:
    """What the lines of each kind come to for a member, in cents."""
    sums: dict[str, int] = {}
    for line in _own_lines(result, member, None):
        sums[KINDS[line.kind]] = sums.get(KINDS[line.kind], 0) + line.amount
    return sums


def line_story(result: Result, member: int, *, kind: int, source: int, level: int) -> LineStory | None:
    """One line of a member, opened to the end; None where there is no such line."""
    own = _own_lines(result, member, kind)
    return next((_story(line) for line in own if (line.source, line.level) == (source, level)), None)


def _own_lines(result: Result, member: int, kind: int | None) -> Iterator[_Line]:
    for part in result.parts:
        if kind is not None and part.only_kind not in (kind, None):
            continue
        own = part.where(np.nonzero(part.member == member)[0])
        for numbers in zip(*(column.tolist() for column in own.columns()), strict=True):
            if kind is None or numbers[1] == kind:
                yield _Line(result, *numbers)


def _story(line: _Line) -> LineStory:
    if line.kind in EVENT_KINDS:
        reverses = int(line.result.inputs.events.reverses[line.source])
        return _of_sale(line) if reverses == NONE else _of_reversal(line, reverses)
    if line.kind == BINARY:
        return _limited(line, _of_match(line)) if line.amount > 0 else _of_debt(line)
    return _limited(line, _of_matching(line) if line.kind == MATCHING else _of_pool(line))


def _of_sale(line: _Line) -> LineStory:
    own_rate, whose = _rate_of_sale(line)
    if line.kind in REVENUE_KINDS:
        words = [f"revenue {text_of(line.base)} x {percent(own_rate)} ({whose})"]
        story = line.story((line.base * own_rate, RATE_UNIT), words)
        return story.by("revenue", rate=own_rate, by_service="service" in whose)
    value = line.result.inputs.plan.point_value
    words = [f"volume {text_of(line.base)} x point value {text_of(value)} x {percent(own_rate)} ({whose})"]
    story = line.story((line.base * value * own_rate, MONEY_UNIT), words)
    return story.by("volume", rate=own_rate, point_value=value)


def _rate_of_sale(line: _Line) -> tuple[int, str]:
    """The rate that a sale's line was paid at, and whose rate that is."""
    plan, service = line.result.inputs.plan, int(line.result.inputs.events.service[line.source])
    if line.kind == DIRECT:
        return (plan.direct or {})[line.pack], f"the sponsor's pack {line.pack}"
    if line.kind in (UNILEVEL, MATRIX):
        levels = plan.unilevel if line.kind == UNILEVEL else plan.matrix
        return (levels.rates if levels else ())[line.level - 1], f"level {line.level}"
    own = plan.service_rates[service] if service >= 0 else None
    if line.kind == RETAIL:
        of_service = own.retail if own else None
        table = plan.retail if of_service is None else of_service
        return (table or {})[line.pack], _whose(f"pack {line.pack}", own_rates=of_service is not None)
    listed = own.revenue_share if own else None
    rates = plan.share_levels.rates if listed is None else listed
    return rates[line.level - 1], _whose(f"level {line.level}", own_rates=listed is not None)


def _whose(what: str, *, own_rates: bool) -> str:
    return f"{what}, the service's own rate" if own_rates else what


def _of_reversal(line: _Line, reverses: int) -> LineStory:
    """Cumulative: what all reversals up to this one take, less what the earlier ones took."""
    base, before, now = _reversed_so_far(line, reverses)
    paid = next(
        amount
        for amount in _paid_for(line, reverses)
        if share(amount, before + now, base) - share(amount, before, base) == -line.amount
    )
    taken = f"share({text_of(paid)}, {text_of(before + now)}, {text_of(base)})"
    earlier = f"share({text_of(paid)}, {text_of(before)}, {text_of(base)})"
    words = [
        f"{text_of(paid)} was paid on {text_of(base)}; {text_of(before)} of it was reversed before",
        f"{text_of(now)} is reversed now: -({taken} - {earlier}) = {text_of(line.amount)}",
    ]
    story = line.taken_back((line.amount, 1), words)
    return story.by("reversal", paid=paid, whole=base, before=before, now=now)


def _reversed_so_far(line: _Line, reverses: int) -> tuple[int, int, int]:
    """What the original was worth, what earlier reversals took of it, and what this one takes."""
    events, history = line.result.inputs.events, line.result.inputs.history
    unit = "revenue" if line.kind in REVENUE_KINDS else "volume"
    values, own = getattr(events, unit), len(events)
    past = reverses - own
    base = int(values[reverses]) if past < 0 else int(getattr(history, unit)[past])
    before = 0 if past < 0 else int(getattr(history, f"reversed_{unit}")[past])
    same = np.nonzero(events.reverses == reverses)[0].tolist()
    this = (events.at[line.source], events.order[line.source])
    earlier = [other for other in same if (events.at[other], events.order[other]) < this]
    return base, before - sum(int(values[other]) for other in earlier), -int(values[line.source])


def _paid_for(line: _Line, reverses: int) -> list[int]:
    """What the same receiver was paid for the original, on the same level; now or in earlier cycles."""
    history, own = line.result.inputs.history, len(line.result.inputs.events)
    if reverses < own:
        parts = [part for part in line.result.parts if part.is_all(line.kind)]
        of_event = [part.where(np.nonzero(part.source == reverses)[0]) for part in parts]
        return [
            amount
            for part in of_event
            for who, level, amount in _rows(part)
            if (who, level) == (line.member, line.level)
        ]
    found = (
        (history.line_source == reverses - own)
        & (history.line_member == line.member)
        & (history.line_kind == line.kind)
        & (history.line_level == line.level)
    )
    paid: list[int] = history.line_amount[found].tolist()
    return paid


def _rows(part: Lines) -> Iterator[tuple[int, int, int]]:
    return zip(part.member.tolist(), part.level.tolist(), part.amount.tolist(), strict=True)


def _limited(line: _Line, story: LineStory) -> LineStory:
    """Step 8, where it scaled."""
    scale = line.result.totals.payout_scale
    if scale is None or line.kind not in SCALED_KINDS:
        return story
    numbers = f"{text_of(scale.numerator)} / {text_of(scale.denominator)}"
    word = f"payout limit: x {numbers}, rounded {TOWARD_ZERO}: {text_of(line.amount)}"
    facts = dict(story.facts) | {"limit": scale.numerator, "limit_of": scale.denominator}
    return replace(story, words=(*story.words, word), facts=facts)


def _of_match(line: _Line) -> LineStory:
    members = line.result.members
    earned, paid = int(members.binary_earned[line.member]), int(members.binary_paid[line.member])
    fraction, words = words_of_match(line.result, line.member)
    story = line.story(fraction, words)
    capped = [] if earned == paid else [f"capped: {text_of(paid)} of {text_of(earned)} is paid"]
    told = replace(story, before_limit=paid, words=(*story.words, *capped))
    return told.by("match", earned=earned, paid=paid, **facts_of_match(line.result, line.member))


def _of_debt(line: _Line) -> LineStory:
    state = line.result.inputs.state
    matched, paid = int(state.matched_to_date[line.member]), int(state.paid_to_date[line.member])
    taken = f"-share({text_of(paid)} paid to date, {text_of(-line.base)}, {text_of(matched)} matched to date)"
    words = [
        f"reversals left {text_of(-line.base)} of debt that was matched before; both legs get it back",
        f"{taken}, rounded {TOWARD_ZERO}: {text_of(line.amount)}",
    ]
    story = line.taken_back((paid * line.base, matched), words)
    return story.by("debt", paid_to_date=paid, matched_to_date=matched, restored=-line.base)


def _of_matching(line: _Line) -> LineStory:
    part: Any = line.result.inputs.plan.matching
    own_rate, depth = part.rates[line.level - 1], part.depth.get(line.pack, 0)
    by_rank = int(_ranks(line.result).matching_depth[line.member])
    depths = f"{max(depth, by_rank)} (pack {line.pack}: {depth}, rank: {by_rank})"
    words = [
        f"generation {line.level}; paid down to {depths}",
        f"{text_of(line.base)} paid for matching there x {rate(own_rate)}",
    ]
    story = line.story((line.base * own_rate, RATE_UNIT), words)
    return story.by("matching", rate=own_rate, depth=max(depth, by_rank), depth_of_pack=depth)


def _of_pool(line: _Line) -> LineStory:
    inputs, ranks = line.result.inputs, _ranks(line.result)
    pool = pool_of(inputs.plan, line.result.totals.volume)
    own, everybody = ranks.largest("pool_shares")[ranks.rank[line.member]], shares_in_all(ranks)
    volume = text_of(line.result.totals.volume)
    words = [
        f"pool: {percent(inputs.plan.pool or 0)} of volume {volume}: {text_of(pool)}",
        f"{own} of {everybody} shares",
    ]
    story = line.story((pool * own, everybody), words, toward_zero=True)
    rate_of_pool = inputs.plan.pool or 0
    told = {"pool": pool, "rate": rate_of_pool, "volume": line.result.totals.volume}
    return story.by("pool", shares=own, all_shares=everybody, **told)


def _ranks(result: Result) -> PaidAs:
    return PaidAs(result.members.rank, result.inputs.plan.ranks)
