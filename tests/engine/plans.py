"""Random plan documents, with every part and option that there is."""

PACKS = ("pack", "plus", "smart")


def random_plan(rng):
    """A sound plan; every part is missing now and then."""
    plan = {
        "name": "random",
        "currency": "USD",
        "cycle": "weekly",
        "point_value": rng.choice(["1.00", "0.37", "100.00"]),
        "activity": {"personal_volume": rng.choice(["0.00", "50.00", "150.00"]), "window_cycles": 2},
    }
    optional = {
        "retail": {"rate": rates_by_pack(rng)},
        "direct": {"rate": rates_by_pack(rng)},
        "services": services(rng),
        "unilevel": levels(rng),
        "revenue_share": levels(rng),
        "matrix": {"width": rng.randint(1, 3)} | levels(rng),
        "binary": random_binary(rng, rng.choice(["percent", "percent", "pairs", "tiers"])),
        "matching": {"depth": {pack: rng.randint(0, 3) for pack in PACKS[:2]}} | levels(rng),
        "ranks": ranks(rng),
        "pool": {"rate": rng.choice(["0.01", "0.5", "1"])},
        "payout_limit": rng.choice(["0", "0.05", "0.3", "0.45", "1"]),
    }
    rare = {"services": 0.6, "payout_limit": 0.5, "binary": 0.9}
    return plan | {name: part for name, part in optional.items() if rng.random() < rare.get(name, 0.75)}


def services(rng):
    """Services with rates of their own, for the seller or up the line, both, or neither."""
    own = {"retail": rates_by_pack(rng), "revenue_share": rates(rng)}
    return {name: {part: own[part] for part in own if rng.random() < 0.6} for name in ("solar", "wind")}


def levels(rng):
    """Rates by level, with or without compression."""
    part = {"rates": rates(rng)}
    return part if rng.random() < 0.2 else part | {"compress": rng.random() < 0.5}


def ranks(rng):
    """None to four ranks, each asking for some things and giving some."""
    made = []
    for place in range(rng.randint(0, 4)):
        wants = {
            "personal_volume": amount(rng, 0, 15_000),
            "weak_leg_volume": amount(rng, 0, 20_000 * (place + 1)),
            "sponsored_active": rng.randint(0, 2),
        }
        if place and rng.random() < 0.7:
            wants["leg_rank"] = rng.choice(made)["name"]
        gives = {
            "cap": amount(rng, 0, 9_000),
            "matching_depth": rng.randint(0, 4),
            "pool_shares": rng.randint(0, 3),
        }
        made.append(
            {
                "name": f"rank {place}",
                "requires": {name: wanted for name, wanted in wants.items() if rng.random() < 0.5},
            }
            | {name: given for name, given in gives.items() if rng.random() < 0.6}
        )
    return made


def random_binary(rng, mode):
    """A binary part of one mode."""
    own = {
        "percent": {"rate": rates_by_pack(rng)},
        "pairs": pairs(rng),
        "tiers": {"tiers": tiers(rng)},
    }
    caps = {
        "money": {"plus": amount(rng, 0, 4_000), "smart": amount(rng, 0, 9_000)},
        "volume": {"pack": amount(rng, 0, 40_000), "smart": amount(rng, 0, 40_000)},
        "pairs": {"pack": rng.randint(0, 4), "smart": rng.randint(0, 9)},
    }
    other_modes = {"percent": ["pairs"], "pairs": ["volume"], "tiers": ["volume", "pairs"]}[mode]
    optional = {
        "qualify": {"active": rng.random() < 0.5, "each_leg": rng.randint(0, 2)},
        "cap": {
            name: table for name, table in caps.items() if name not in other_modes and rng.random() < 0.8
        },
        "over_cap": rng.choice(["keep", "consume", "flush"]),
        "unqualified": rng.choice(["hold", "flush"]),
        "debt": rng.choice(["carry", "clawback"]) if mode == "percent" else "carry",
        "after_match": rng.choice(["carry", "flush"]),
        "carry_limit": amount(rng, 0, 80_000),
        "carry_cycles": rng.randint(1, 3),
    }
    if mode == "percent":
        optional["min_match"] = amount(rng, 0, 30_000)
    likely = {"qualify": 0.8, "debt": 0.9, "over_cap": 0.8, "cap": 0.7}
    chosen = {name: part for name, part in optional.items() if rng.random() < likely.get(name, 0.5)}
    return {"mode": mode} | own[mode] | chosen


def pairs(rng):
    """Sides and pay of pairs, now and then alike, now and then many in a leg."""
    strong = rng.choice([rng.randint(1_000, 40_000), rng.randint(900, 1_100)])
    weak = rng.choice([strong, rng.randint(500, strong), strong // 2])
    return {"strong": decimal(strong), "weak": decimal(weak), "pay": amount(rng, 0, 2_000)}


def tiers(rng):
    """One to four tiers, rising in volume and pay."""
    volumes = sorted(rng.sample(range(1, 60_000), 4))
    pays = sorted(rng.sample(range(9_000), 4))
    return [[decimal(volume), decimal(pay)] for volume, pay in zip(volumes, pays, strict=True)][
        : rng.randint(1, 4)
    ]


def rates(rng):
    """Rates for none to four levels."""
    return [rng.choice(["0.10", "0.0333", "0.0101", "1", "0"]) for _ in range(rng.randint(0, 4))]


def rates_by_pack(rng):
    """A rate for most packs."""
    return {pack: rng.choice(["0.10", "0.1234", "0.0333", "1", "0"]) for pack in PACKS if rng.random() < 0.9}


def amount(rng, least, most):
    """An amount as it is written."""
    return decimal(rng.randint(least, most))


def decimal(hundredths):
    """Hundredths as they are written."""
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"
