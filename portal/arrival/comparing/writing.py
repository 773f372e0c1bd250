"""Differences as rows, and the sums that a comparison keeps beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.arrival.comparing.details import details_of
from portal.arrival.comparing.reasons import REASONS, Explained
from portal.arrival.comparing.sides import WIDTH, Strangers, Sums
from portal.engine import KINDS
from portal.models import ComparedLine
from portal.store.rows import add_rows


def write_gaps(
    session: Session, comparison_id: int, found: Explained, *, people: Sequence[tuple[int, str]]
) -> None:
    """One row for each gap; `people` are id and code of every consultant of the run."""
    gaps = found.gaps
    members = gaps.member.tolist()
    theirs = zip(gaps.theirs.tolist(), gaps.their_lines.tolist(), strict=True)
    ours = zip(gaps.ours.tolist(), gaps.lines.tolist(), strict=True)
    columns = {
        "comparison_id": [comparison_id] * len(gaps),
        "consultant_id": [people[at][0] for at in members],
        "code": [people[at][1] for at in members],
        "kind": [KINDS[kind] for kind in gaps.kind.tolist()],
        "theirs_cents": [cents if lines else None for cents, lines in theirs],
        "ours_cents": [cents if lines else None for cents, lines in ours],
        "reason": [REASONS[reason] for reason in found.reason.tolist()],
        "detail": details_of(found),
    }
    add_rows(session, ComparedLine, columns)


def write_strangers(
    session: Session,
    comparison_id: int,
    strangers: Strangers,
    *,
    codes: dict[str, int],
    kinds: dict[str, str],
) -> None:
    """One row for each of their sums that has no place with us."""
    named = list(strangers)
    columns: dict[str, Sequence[Any]] = {
        "comparison_id": [comparison_id] * len(named),
        "consultant_id": [codes.get(code) for code, _ in named],
        "code": [code for code, _ in named],
        "kind": [kinds.get(kind) or kind for _, kind in named],
        "theirs_cents": list(strangers.values()),
        "ours_cents": [None] * len(named),
        "reason": [reason_of_stranger(code, kind, codes=codes, kinds=kinds) for code, kind in named],
        "detail": [{} for _ in named],
    }
    add_rows(session, ComparedLine, columns)


def reason_of_stranger(code: str, kind: str, *, codes: dict[str, int], kinds: dict[str, str]) -> str:
    """Why a line of theirs has no place with us."""
    if code not in codes:
        return "unknown_consultant"
    return "not_in_run" if kinds.get(kind) else "unknown_kind"


def sums_by_reason(
    found: Explained, strangers: Strangers, *, codes: dict[str, int], kinds: dict[str, str]
) -> dict[str, Any]:
    """How many differences there are, what they come to (ours less theirs), and both for each reason."""
    sums: dict[str, list[int]] = {}
    gaps = (found.gaps.ours - found.gaps.theirs).tolist()
    reasons = [(REASONS[reason], cents) for reason, cents in zip(found.reason.tolist(), gaps, strict=True)]
    for (code, kind), cents in strangers.items():
        reasons.append((reason_of_stranger(code, kind, codes=codes, kinds=kinds), -cents))
    for reason, cents in reasons:
        known = sums.setdefault(reason, [0, 0])
        known[0] += 1
        known[1] += cents
    return {
        "differences": len(reasons),
        "difference_cents": sum(cents for _, cents in reasons),
        "by_reason": sums,
    }


def sums_by_kind(ours: Sums, theirs: Sums) -> dict[str, list[int]]:
    """For each kind that either side has what they paid and we pay, as far as it has a place with us."""
    pairs = [
        [int(side.cents.reshape(-1, WIDTH)[:, at].sum()) for side in (theirs, ours)] for at in range(WIDTH)
    ]
    return {kind: pair for kind, pair in zip(KINDS, pairs, strict=True) if any(pair)}
