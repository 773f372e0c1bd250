"""An explanation as a document and as text."""

from __future__ import annotations

from typing import Any

from portal.engine.events import EVENT_KINDS, KINDS
from portal.engine.explaining.distances import Expiry, Missing
from portal.engine.explaining.explain import Explanation
from portal.engine.explaining.legs import Branch, LegStory
from portal.engine.explaining.lines import LineStory
from portal.engine.explaining.next_pay import NextPay
from portal.engine.explaining.written import text_of
from portal.engine.printed import Names

_OF_EVENTS = tuple(KINDS[kind] for kind in EVENT_KINDS)


def as_document(told: Explanation, names: Names) -> dict[str, Any]:
    """The explanation with names and decimal strings, as JSON can hold it."""
    return {
        "member": names.members[told.member],
        "plan": {"name": told.plan_name, "version": told.plan_version},
        "rank": told.rank,
        "by_kind": {kind: text_of(amount) for kind, amount in told.by_kind.items()},
        "lines": [_line(line, names) for line in told.lines],
        "legs": [_leg(leg, names) for leg in told.legs],
        "missing": [_missing(part) for part in told.missing],
        "expires": [_expiry(part) for part in told.expires],
        "next_pay": None if told.next_pay is None else _next_pay(told.next_pay),
    }


def as_text(told: Explanation, names: Names) -> str:
    """The explanation for people, line by line."""
    document = as_document(told, names)
    plan = f"plan {told.plan_name!r} (version {told.plan_version[:12]})"
    text = [f"{document['member']}, by {plan}, rank {told.rank or 'none'}"]
    for line in document["lines"]:
        source = f" from {line['source']}" if line["source"] else ""
        level = f", level {line['level']}" if line["level"] else ""
        text.append(f"{line['kind']} {line['amount']}{source}{level}")
        text += [f"    {words}" for words in line["words"]]
    text += [f"{kind} in all: {amount}" for kind, amount in document["by_kind"].items()]
    for leg in document["legs"]:
        came = f"carried in {leg['carried_in']} + new {leg['new']} + restored {leg['restored']}"
        went = f"taken {leg['taken']} + expired {leg['expired']} + carried out {leg['carried_out']}"
        text.append(f"{leg['side']} leg: {came} = {went}")
        text += [f"    {_branch_in_words(branch)}" for branch in leg["branches"]]
    text += [_missing_in_words(part) for part in document["missing"]]
    text += _next_pay_in_words(document["next_pay"])
    text += [
        f"{part['volume']} on the {part['leg']} expires after {part['after_cycles']} more inactive cycles"
        for part in document["expires"]
    ]
    return "\n".join(text)


def _line(line: LineStory, names: Names) -> dict[str, Any]:
    called = names.events if line.kind in _OF_EVENTS else names.members
    return {
        "kind": line.kind,
        "amount": text_of(line.amount),
        "base": text_of(line.base),
        "source": "" if line.source < 0 else called[line.source],
        "level": line.level,
        "exact": [line.numerator, line.denominator],
        "rounding": line.rounding,
        "before_limit": text_of(line.before_limit),
        "words": list(line.words),
    }


def _leg(leg: LegStory, names: Names) -> dict[str, Any]:
    amounts = ("carried_in", "new", "restored", "taken", "expired", "carried_out")
    return {
        "side": leg.side,
        **{name: text_of(getattr(leg, name)) for name in amounts},
        "branches": [_branch(branch, names) for branch in leg.branches],
    }


def _branch(branch: Branch, names: Names) -> dict[str, Any]:
    return {
        "top": names.members[branch.top],
        "whole": branch.whole,
        "volume": text_of(branch.volume),
        "people": branch.people,
        "sales": branch.sales,
    }


def _branch_in_words(branch: dict[str, Any]) -> str:
    below = f" and {branch['people'] - 1} below" if branch["whole"] else " alone"
    return f"{branch['volume']} from {branch['top']}{below}, {branch['sales']} events"


def _missing(part: Missing) -> dict[str, Any]:
    amount = text_of(part.amount) if part.is_volume else part.amount
    return {"goal": part.goal, "what": part.what, "amount": amount, "leg": part.leg}


def _missing_in_words(part: dict[str, Any]) -> str:
    leg = f" on the {part['leg']}" if part["leg"] else ""
    return f"for {part['goal']}: {part['amount']} {part['what']}{leg} missing"


def _next_pay(found: NextPay) -> dict[str, Any]:
    amounts = ("left", "right", "cents", "waits_left", "waits_right")
    return {"state": found.state} | {
        name.replace("cents", "more"): text_of(getattr(found, name)) for name in amounts
    }


def _next_pay_in_words(found: dict[str, Any] | None) -> list[str]:
    """What the next cent needs, where volume brings it."""
    if found is None or found["state"] != "missing":
        return []
    return [f"{found['left']} more on the left and {found['right']} on the right pay {found['more']} more"]


def _expiry(part: Expiry) -> dict[str, Any]:
    return {
        "leg": part.leg,
        "volume": text_of(part.volume),
        "after_cycles": part.after_cycles,
        "why": part.why,
    }
