"""Random case documents: networks of every shape, plans of every kind, sales and reversals, and a past."""

from __future__ import annotations

import random

SHAPES = ("random", "chain", "zigzag", "power", "forest", "one", "none")
PACKS = ("pack", "plus", "smart")
STATUSES = ("active", "active", "active", "active", "suspended", "terminated")


def random_case(seed: int, shape: str, **forced) -> dict:
    """A sound case; `forced` replaces parts of the plan's `binary`."""
    rng = random.Random(f"{shape} {seed}")
    count = {"one": 1, "none": 0}.get(shape, rng.randint(2, 25))
    members = _placed(rng, shape, count)
    plan = _plan(rng)
    if forced:
        plan["binary"] = plan.get("binary", {"mode": "percent", "rate": _rates(rng)}) | forced
    for number, member in enumerate(members):
        _adorn(rng, member, members[:number])
    history = _history(rng, members)
    case = {"plan": plan, "members": members, "events": _events(rng, members, history), "history": history}
    rng.shuffle(case["members"])
    rng.shuffle(case["events"])
    return case


def _placed(rng, shape, count):
    members, free = [], []
    for number in range(count):
        parent = leg = None
        if number and not (shape == "forest" and rng.random() < 0.3):
            parent, leg = _slot(rng, shape, members, free)
        name = f"m{number:02d}"
        members.append({"id": name, "parent": parent, "leg": leg})
        free += [(name, "L"), (name, "R")]
    return members


def _slot(rng, shape, members, free):
    if shape in ("chain", "zigzag"):
        leg = "L" if shape == "chain" or len(members) % 2 else "R"
        return members[-1]["id"], leg
    if shape == "power":
        leg = "L" if rng.random() < 0.7 else "R"
        slot = [place for place in free if place[1] == leg][-1]
    else:
        slot = rng.choice(free)
    free.remove(slot)
    return slot


def _adorn(rng, member, earlier):
    member["sponsor"] = rng.choice(earlier)["id"] if earlier and rng.random() < 0.9 else None
    member["pack"] = rng.choice(PACKS)
    member["status"] = rng.choice(STATUSES)
    if rng.random() < 0.6:
        matched = rng.choice([0, rng.randint(0, 300_000)])
        member |= {
            "pv_prior": _amount(rng, -5_000, 20_000),
            "carry": {"left": _amount(rng, -60_000, 90_000), "right": _amount(rng, -20_000, 90_000)},
            "matched_to_date": _decimal(matched),
            "paid_to_date": _amount(rng, 0, 40_000),
            "inactive_cycles": rng.randint(0, 3),
        }


def _events(rng, members, history):
    events = []
    for number in range(rng.randint(0, 3 * len(members)) if members else 0):
        events.append(
            {
                "id": f"e{number}",
                "member": rng.choice(members)["id"],
                "at": _at(rng.randint(0, 500)),
                "volume": _amount(rng, 0, 60_000),
                "revenue": _amount(rng, 0, 200_000),
                "service": rng.choice([None, "solar", "wind", "unheard"]),
            }
        )
    worth = {event["id"]: [_hundredths(event["volume"]), _hundredths(event["revenue"])] for event in events}
    worth |= {
        past["id"]: [
            _hundredths(past[unit]) - _hundredths(past[f"reversed_{unit}"]) for unit in ("volume", "revenue")
        ]
        for past in history.get("events", [])
    }
    originals = {item["id"]: item for item in events + history.get("events", [])}
    for number in range(rng.randint(0, len(originals)) if originals else 0):
        events.append(_reversal(rng, f"r{number}", originals[rng.choice(sorted(originals))], worth))
    return events


def _reversal(rng, name, original, worth):
    part = rng.choice([1, 1, 2, 3])
    taken = [whole // part for whole in worth[original["id"]]]
    worth[original["id"]] = [whole - now for whole, now in zip(worth[original["id"]], taken, strict=True)]
    return {
        "id": name,
        "member": original["member"],
        "at": _at(rng.randint(500, 520)),
        "volume": _decimal(-taken[0]),
        "revenue": _decimal(-taken[1]),
        "reverses": original["id"],
    }


def _history(rng, members):
    if not members or rng.random() < 0.4:
        return {}
    names = [member["id"] for member in members]
    events, lines = [], []
    for number in range(rng.randint(1, 4)):
        volume, revenue = rng.choice([0, rng.randint(1, 80_000)]), rng.randint(0, 80_000)
        events.append(
            {
                "id": f"h{number}",
                "member": rng.choice(names),
                "volume": _decimal(volume),
                "revenue": _decimal(revenue),
                "reversed_volume": _decimal(rng.randint(0, volume)),
                "reversed_revenue": _decimal(rng.choice([0, revenue // 3])),
            }
        )
        for level in range(rng.randint(0, 4)):
            kind = rng.choice(
                ("retail", "direct", "unilevel", "revenue_share", "matrix", "binary", "matching")
            )
            lines.append(
                {
                    "member": rng.choice(names),
                    "kind": kind,
                    "amount": _amount(rng, 0, 9_999),
                    "source": f"h{number}",
                    "level": level,
                }
            )
    return {"events": events, "lines": lines}


def _plan(rng):
    plan = {
        "name": "random",
        "currency": "USD",
        "cycle": "weekly",
        "point_value": rng.choice(["1.00", "0.37", "100.00"]),
        "activity": {"personal_volume": rng.choice(["0.00", "50.00", "150.00"]), "window_cycles": 2},
    }
    for kind in ("retail", "direct"):
        if rng.random() < 0.8:
            plan[kind] = {"rate": _rates(rng)}
    if rng.random() < 0.6:
        plan["services"] = {"solar": {"retail": _rates(rng)}, "wind": {}}
    if rng.random() < 0.9:
        plan["binary"] = _binary(rng)
    return plan


def _binary(rng):
    binary = {"mode": "percent", "rate": _rates(rng)}
    optional = {
        "qualify": {"active": rng.random() < 0.5, "each_leg": rng.randint(0, 2)},
        "min_match": _amount(rng, 0, 30_000),
        "cap": {
            "money": {"plus": _amount(rng, 0, 4_000), "smart": _amount(rng, 0, 9_000)},
            "volume": {"pack": _amount(rng, 0, 40_000), "smart": _amount(rng, 0, 40_000)},
        },
        "over_cap": rng.choice(["keep", "consume", "flush"]),
        "unqualified": rng.choice(["hold", "flush"]),
        "debt": rng.choice(["carry", "clawback"]),
        "after_match": rng.choice(["carry", "flush"]),
        "carry_limit": _amount(rng, 0, 80_000),
        "carry_cycles": rng.randint(1, 3),
    }
    keep = {"qualify": 0.8, "debt": 0.9, "over_cap": 0.8}
    return binary | {name: part for name, part in optional.items() if rng.random() < keep.get(name, 0.5)}


def _rates(rng):
    return {pack: rng.choice(["0.10", "0.1234", "0.0333", "1", "0"]) for pack in PACKS if rng.random() < 0.9}


def _amount(rng, least, most):
    return _decimal(rng.randint(least, most))


def _decimal(hundredths):
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def _hundredths(text):
    return int(text.replace(".", ""))


def _at(minutes):
    return f"2026-11-16T{minutes // 60:02d}:{minutes % 60:02d}:00Z"
