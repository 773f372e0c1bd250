"""Kinds that are paid level by level: other rates of another system are found, level by level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from portal.admin.comparisons.words import why
from portal.arrival.comparing.details import details_of
from portal.arrival.comparing.reasons import REASONS, explained
from portal.arrival.comparing.sides import WIDTH, Gaps, Sums, ours_of
from portal.engine import KINDS, Plan, calculate
from portal.models import ComparedLine
from tools.bench.networks import PLAN, inputs

PEOPLE = 1_000
OURS = PLAN | {
    "activity": {"personal_volume": "0.00", "window_cycles": 1},
    "services": {},
    "unilevel": {"rates": ["0.05", "0.04", "0.03", "0.02"], "compress": True},
    "revenue_share": {"rates": ["0.03", "0.02"], "compress": True},
    "payout_limit": "1",
    "matching": PLAN["matching"] | {"rates": ["0.20", "0.10"]},
}


def computed(document, service=-1):
    """What a plan pays in one cycle of a company that sells some hundreds of points each, no refunds."""
    given = inputs(PEOPLE, "balanced")
    events, plan = given.events, Plan.parse(document)
    chosen = np.nonzero((events.reverses < 0) & (events.volume > 0))[0]
    names = ("member", "volume", "revenue", "service", "at", "order", "reverses")
    kept = replace(events, **{name: getattr(events, name)[chosen] for name in names})
    none = np.full(len(chosen), service, events.service.dtype)
    kept = replace(kept, service=none, revenue=np.abs(kept.revenue))
    network = replace(given.network, sponsor=given.network.parent)
    return calculate(replace(given, plan=plan, events=kept, network=network))


@pytest.fixture(scope="module")
def ours():
    return computed(OURS)


def compared(ours, theirs_cents, lines):
    """Every gap as (kind, reason, sentence)."""
    sums = ours_of(ours)
    theirs = Sums(theirs_cents, sums.below, lines, sums.base)
    found = explained(ours, Gaps.between(sums, theirs))
    details = details_of(found)
    rows = zip(found.gaps.kind.tolist(), found.reason.tolist(), details, strict=True)
    return [(KINDS[kind], REASONS[reason], detail) for kind, reason, detail in rows]


def beside(ours, document):
    """What another plan gives on the same sales, and where it differs."""
    theirs = ours_of(computed(document))
    return compared(ours, theirs.cents, theirs.lines)


@pytest.mark.parametrize(
    ("kind", "rates", "told"),
    [
        ("unilevel", ["0.06", "0.04", "0.03", "0.02"], {(1, 500, 600)}),
        ("unilevel", ["0.05", "0.025", "0.03", "0.01"], {(2, 400, 250), (4, 200, 100)}),
        ("revenue_share", ["0.03", "0.0275"], {(2, 200, 275)}),
        ("matching", ["0.25", "0.05"], {(1, 2000, 2500), (2, 1000, 500)}),
    ],
)
def test_other_rates_of_some_levels_are_named_with_level_base_and_both_rates(ours, kind, rates, told):
    found = beside(ours, OURS | {kind: OURS[kind] | {"rates": rates}})
    gaps = [(reason, detail) for where, reason, detail in found if where == kind]
    assert len(gaps) > 100
    named = [detail for reason, detail in gaps if reason == "rate"]
    assert len(named) + sum(reason == "rounding" for reason, _ in gaps) == len(gaps)
    assert {
        (level, mine, theirs) for one in named for level, _, mine, theirs in one.get("levels", ())
    } == told


def test_a_level_that_they_do_not_pay_has_a_rate_of_nothing(ours):
    found = beside(ours, OURS | {"unilevel": OURS["unilevel"] | {"rates": ["0.05", "0.04", "0.03"]}})
    named = [detail for kind, reason, detail in found if (kind, reason) == ("unilevel", "rate")]
    assert named and {row[0] for one in named for row in one["levels"]} == {4}
    assert {row[3] for one in named for row in one["levels"]} == {0}


def test_amounts_without_a_rule_are_not_explained_by_rates_but_ours_is_told(app, ours):
    sums, rng = ours_of(ours), np.random.default_rng(5)
    is_unilevel = np.arange(len(sums.cents)) % WIDTH == KINDS.index("unilevel")
    paid = np.nonzero((sums.cents > 20_00) & is_unilevel)[0]
    theirs = sums.cents.copy()
    theirs[paid] += rng.integers(-15_00, 15_00, len(paid))
    found = compared(ours, theirs, sums.lines)
    # One level alone gives a volume that theirs would need; several leave it open.
    assert {reason for _, reason, _ in found} <= {"unexplained", "volume", "rounding", "rate"}
    assert sum(reason == "rate" for _, reason, _ in found) <= len(found) // 50
    kind, _, detail = next(one for one in found if one[1] == "unexplained")
    with app.test_request_context():
        said = why(ComparedLine(kind=kind, reason="unexplained", detail=detail))
    level, base, rate, _ = detail["levels"][0]
    assert f"Ours is {rate / 100:g}% of ${base / 100:,.2f} on level {level}" in said


def test_a_rate_that_does_not_make_our_amount_is_not_named():
    solar = {"services": {"solar": {"retail": dict.fromkeys(("pack", "plus", "smart"), "0.11")}}}
    ours = computed(OURS | solar, service=0)
    sums = ours_of(ours)
    theirs = np.where(
        np.arange(len(sums.cents)) % WIDTH == KINDS.index("retail"), sums.cents + 7_77, sums.cents
    )
    found = compared(ours, np.where(sums.cents > 0, theirs, sums.cents), sums.lines)
    assert len(found) > 100 and {reason for _, reason, _ in found} == {"unexplained"}
