"""Random case documents: networks of every shape, plans of every kind, sales and reversals, and a past."""

from __future__ import annotations

import random

from tests.engine.plans import PACKS, amount, decimal, random_binary, random_plan

SHAPES = ("random", "chain", "zigzag", "power", "forest", "one", "none")
STATUSES = ("active", "active", "active", "active", "suspended", "terminated")


def random_case(seed: int, shape: str, *, most: int = 25, plan: dict | None = None, **forced) -> dict:
    """A sound case; `plan` replaces parts of the plan, `forced` parts of its `binary` in percent."""
    rng = random.Random(f"{shape} {seed}")
    count = {"one": 1, "none": 0}.get(shape, rng.randint(2, most))
    members = _placed(rng, shape, count)
    plan = random_plan(rng) | (plan or {})
    if forced:
        plan["binary"] = random_binary(rng, "percent") | forced
    for number, member in enumerate(members):
        _adorn(rng, member, members[:number])
    _place_in_matrix(rng, members, plan.get("matrix", {"width": 2})["width"])
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
            "pv_prior": amount(rng, -5_000, 20_000),
            "carry": {"left": amount(rng, -60_000, 90_000), "right": amount(rng, -20_000, 90_000)},
            "matched_to_date": decimal(matched),
            "paid_to_date": amount(rng, 0, 40_000),
            "inactive_cycles": rng.randint(0, 3),
        }


def _place_in_matrix(rng, members, width):
    room = []
    for member in members:
        if room and rng.random() < 0.95:
            member["matrix_parent"] = room.pop(rng.randrange(len(room)))
        room += [member["id"]] * width


def _events(rng, members, history):
    events = []
    for number in range(rng.randint(0, 3 * len(members)) if members else 0):
        events.append(
            {
                "id": f"e{number}",
                "member": rng.choice(members)["id"],
                "at": _at(rng.randint(0, 500)),
                "volume": amount(rng, 0, 60_000),
                "revenue": amount(rng, 0, 200_000),
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
        "volume": decimal(-taken[0]),
        "revenue": decimal(-taken[1]),
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
                "volume": decimal(volume),
                "revenue": decimal(revenue),
                "reversed_volume": decimal(rng.randint(0, volume)),
                "reversed_revenue": decimal(rng.choice([0, revenue // 3])),
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
                    "amount": amount(rng, 0, 9_999),
                    "source": f"h{number}",
                    "level": level,
                }
            )
    return {"events": events, "lines": lines}


def _hundredths(text):
    return int(text.replace(".", ""))


def _at(minutes):
    return f"2026-11-16T{minutes // 60:02d}:{minutes % 60:02d}:00Z"
