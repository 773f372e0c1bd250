"""The rules once more, as plainly as possible: walks, dictionaries and whole numbers, no code of the engine.

Takes and gives the documents of case files, written only from the text of the rules. Only what is sound is
understood. Every event is walked up to its root, every pair is made by itself.
"""

from __future__ import annotations

from datetime import datetime

from tests.engine.naive_binary import match_and_carry
from tests.engine.naive_numbers import cents, hundredths, rate_of, toward_zero, written

REVENUE_KINDS = ("retail", "revenue_share")
EVENT_KINDS = ("retail", "direct", "unilevel", "revenue_share", "matrix")
LIMITED_KINDS = ("direct", "unilevel", "matrix", "binary", "matching", "pool")
SCALED_KINDS = ("binary", "matching", "pool")
MONEY = 100 * 10_000


class Naive:
    def __init__(self, case):
        self.plan = case["plan"]
        self.point_value = hundredths(self.plan["point_value"])
        self.members = {member["id"]: member for member in case["members"]}
        self.parent = {name: member.get("parent") for name, member in self.members.items()}
        self.leg = {name: member.get("leg") for name, member in self.members.items()}
        self.sponsor = {name: member.get("sponsor") for name, member in self.members.items()}
        self.matrix_parent = {name: member.get("matrix_parent") for name, member in self.members.items()}
        self.pack = {name: member["pack"] for name, member in self.members.items()}
        self.standing = {
            name: member.get("status", "active") == "active" for name, member in self.members.items()
        }
        self.events = [
            event | {"volume": hundredths(event["volume"]), "revenue": hundredths(event["revenue"])}
            for event in case.get("events", [])
        ]
        self.events.sort(key=lambda event: (moment(event["at"]), event["id"]))
        self.history = case.get("history", {})
        self.lines = []

    def run(self):
        self.step_1_activity()
        self.step_2_legs()
        self.step_3_ranks()
        self.step_4_events()
        self.out = {name: match_and_carry(self, name) for name in self.members}
        self.step_6_matching()
        self.step_7_pool()
        self.step_8_limit()
        self.lines = [line for line in self.lines if line["amount"]]
        self.sum_up()
        return self

    def step_1_activity(self):
        self.pv = dict.fromkeys(self.members, 0)
        for event in self.events:
            self.pv[event["member"]] += event["volume"]
        least = hundredths(self.plan["activity"]["personal_volume"])
        self.window = {
            name: self.pv[name] + hundredths(member.get("pv_prior", "0"))
            for name, member in self.members.items()
        }
        self.active = {name: self.standing[name] and self.window[name] >= least for name in self.members}

    def step_2_legs(self):
        self.new = {name: {"L": 0, "R": 0} for name in self.members}
        for event in self.events:
            at = event["member"]
            while self.parent[at] is not None:
                self.new[self.parent[at]][self.leg[at]] += event["volume"]
                at = self.parent[at]

    def step_3_ranks(self):
        self.count_sponsored()
        self.rank = dict.fromkeys(self.members)
        holders = {name for name in self.members if self.active[name]}
        holders_of = {}
        for place, rank in enumerate(self.plan.get("ranks", [])):
            wants = rank["requires"]
            in_leg = self.walked(holders_of[wants["leg_rank"]]) if "leg_rank" in wants else None
            holders = {name for name in holders if self.meets(name, wants, in_leg)}
            holders_of[rank["name"]] = holders
            for name in holders:
                self.rank[name] = place

    def count_sponsored(self):
        self.sponsored = dict.fromkeys(self.members, 0)
        self.sponsored_in = {name: {"L": 0, "R": 0} for name in self.members}
        for name, sponsor in self.sponsor.items():
            if sponsor is None or not self.active[name]:
                continue
            self.sponsored[sponsor] += 1
            at = name
            while self.parent[at] is not None:
                if self.parent[at] == sponsor:
                    self.sponsored_in[sponsor][self.leg[at]] += 1
                at = self.parent[at]

    def walked(self, names):
        """In which legs of whom at least one of them stands."""
        seen = set()
        for name in names:
            at = name
            while self.parent[at] is not None:
                seen.add((self.parent[at], self.leg[at]))
                at = self.parent[at]
        return seen

    def meets(self, name, wants, in_leg):
        weak = min(self.new[name]["L"], self.new[name]["R"])
        return (
            ("personal_volume" not in wants or hundredths(wants["personal_volume"]) <= self.window[name])
            and ("weak_leg_volume" not in wants or hundredths(wants["weak_leg_volume"]) <= weak)
            and wants.get("sponsored_active", 0) <= self.sponsored[name]
            and (in_leg is None or ((name, "L") in in_leg and (name, "R") in in_leg))
        )

    def given(self, name, what):
        """The largest value among the member's rank and those below it; 0 without one."""
        held = [] if self.rank[name] is None else self.plan["ranks"][: self.rank[name] + 1]
        read = hundredths if what == "cap" else int
        return max([read(rank[what]) for rank in held if what in rank], default=0)

    def line(self, member, kind, amount, base, source="", level=0):
        if amount:
            self.lines.append(
                {
                    "member": member,
                    "kind": kind,
                    "amount": amount,
                    "base": base,
                    "source": source,
                    "level": level,
                }
            )

    def money(self, volume, rate):
        return cents(volume * self.point_value * rate, MONEY)

    def upward(self, above, name, compress):
        """Level and receiver, from the nearest; whoever is inactive gets nothing."""
        level, at = 0, above[name]
        while at is not None:
            if self.active[at]:
                level += 1
                yield level, at
            elif not compress:
                level += 1
            at = above[at]

    def receivers(self, above, name, rates, compress):
        if not rates:
            return
        for level, receiver in self.upward(above, name, compress):
            if level > len(rates):
                return
            yield level, receiver, rate_of(rates[level - 1])

    def step_4_events(self):
        for event in self.events:
            if event.get("reverses") is None:
                self.sale(event)
        originals, paid = self.originals(), self.paid_by_source()
        for event in self.events:
            if event.get("reverses") is not None:
                self.reverse(event, originals[event["reverses"]], paid.get(event["reverses"], []))

    def originals(self):
        """Every event that can be reversed, by its id."""
        events = {event["id"]: event for event in self.events}
        for past in self.history.get("events", []):
            units = ("volume", "revenue", "reversed_volume", "reversed_revenue")
            events[past["id"]] = past | {unit: hundredths(past.get(unit, "0")) for unit in units}
        return events

    def paid_by_source(self):
        """The event-level lines, of this cycle and of earlier ones."""
        past = [
            line | {"amount": hundredths(line["amount"])}
            for line in self.history.get("lines", [])
            if line["kind"] in EVENT_KINDS
        ]
        paid = {}
        for line in self.lines + past:
            paid.setdefault(line["source"], []).append(line)
        return paid

    def sale(self, event):
        seller, volume, revenue, source = (event[x] for x in ("member", "volume", "revenue", "id"))
        service = self.plan.get("services", {}).get(event.get("service"), {})
        table = service.get("retail", self.plan.get("retail", {}).get("rate", {}))
        if self.standing[seller]:
            rate = rate_of(table.get(self.pack[seller], "0"))
            self.line(seller, "retail", cents(revenue * rate, 10_000), revenue, source)
        sponsor = self.sponsor[seller]
        if sponsor is not None and self.active[sponsor] and "direct" in self.plan:
            rate = rate_of(self.plan["direct"]["rate"].get(self.pack[sponsor], "0"))
            self.line(sponsor, "direct", self.money(volume, rate), volume, source, 1)
        for kind, above in (("unilevel", self.sponsor), ("matrix", self.matrix_parent)):
            part = self.plan.get(kind, {"rates": []})
            for level, receiver, rate in self.receivers(
                above, seller, part["rates"], part.get("compress", True)
            ):
                self.line(receiver, kind, self.money(volume, rate), volume, source, level)
        part = self.plan.get("revenue_share", {"rates": []})
        rates = service.get("revenue_share", part["rates"])
        for level, receiver, rate in self.receivers(self.sponsor, seller, rates, part.get("compress", True)):
            self.line(receiver, "revenue_share", cents(revenue * rate, 10_000), revenue, source, level)

    def reverse(self, event, original, paid):
        for line in paid:
            unit = "revenue" if line["kind"] in REVENUE_KINDS else "volume"
            base, before, now = original[unit], original.get(f"reversed_{unit}", 0), -event[unit]
            if base:
                amount = toward_zero(line["amount"] * (before + now), base)
                amount -= toward_zero(line["amount"] * before, base)
                self.line(line["member"], line["kind"], -amount, -now, event["id"], line["level"])
        for unit in ("volume", "revenue"):
            original[f"reversed_{unit}"] = original.get(f"reversed_{unit}", 0) - event[unit]

    def step_6_matching(self):
        part = self.plan.get("matching")
        for name, out in self.out.items() if part else ():
            paid = out["binary_paid"]
            if not paid:
                continue
            for level, receiver, rate in self.receivers(
                self.sponsor, name, part["rates"], part.get("compress", True)
            ):
                depth = max(part["depth"].get(self.pack[receiver], 0), self.given(receiver, "matching_depth"))
                if level <= depth:
                    self.line(receiver, "matching", cents(paid * rate, 10_000), paid, name, level)

    @property
    def volume(self):
        return sum(event["volume"] for event in self.events)

    def step_7_pool(self):
        if "pool" not in self.plan:
            return
        rate = rate_of(self.plan["pool"]["rate"])
        pool = toward_zero(max(0, self.volume) * self.point_value * rate, MONEY)
        shares = {name: self.given(name, "pool_shares") for name in self.members}
        in_all = sum(shares.values())
        for name, own in shares.items() if in_all else ():
            self.line(name, "pool", toward_zero(pool * own, in_all), pool)

    def step_8_limit(self):
        self.scale = None
        if "payout_limit" not in self.plan:
            return
        rate = rate_of(self.plan["payout_limit"])
        limit = toward_zero(max(0, self.volume) * self.point_value * rate, MONEY)
        paid = sum(line["amount"] for line in self.lines if line["kind"] in LIMITED_KINDS)
        scaled = [line for line in self.lines if line["kind"] in SCALED_KINDS and line["amount"] > 0]
        scalable = sum(line["amount"] for line in scaled)
        if paid > limit and scalable:
            self.scale = [max(0, limit - (paid - scalable)), scalable]
            for line in scaled:
                line["amount"] = toward_zero(line["amount"] * self.scale[0], scalable)

    def sum_up(self):
        for name, out in self.out.items():
            out["total"] = 0
            out["paid_to_date"] = hundredths(self.members[name].get("paid_to_date", "0"))
        percent = self.plan.get("binary", {}).get("mode") == "percent"
        for line in self.lines:
            self.out[line["member"]]["total"] += line["amount"]
            if line["kind"] == "binary" and percent:
                self.out[line["member"]]["paid_to_date"] += line["amount"]

    def document(self):
        by_kind = {}
        for line in self.lines:
            by_kind[line["kind"]] = by_kind.get(line["kind"], 0) + line["amount"]
        ordered = sorted(self.lines, key=lambda x: (x["member"], x["kind"], x["source"], x["level"]))
        return {
            "lines": [
                line | {"amount": written(line["amount"]), "base": written(line["base"])} for line in ordered
            ],
            "members": {name: self.printed(name, out) for name, out in self.out.items()},
            "totals": {
                "volume": written(self.volume),
                "paid": written(sum(by_kind.values())),
                "by_kind": {kind: written(amount) for kind, amount in by_kind.items()},
                "payout_scale": self.scale,
            },
        }

    def printed(self, name, out):
        rank = self.rank[name]
        plain = ("active", "qualified", "inactive_cycles")
        whole = {
            "pv": self.pv[name],
            "active": self.active[name],
            "new_left": self.new[name]["L"],
            "new_right": self.new[name]["R"],
        } | out
        texts = {field: value if field in plain else _texts(value) for field, value in whole.items()}
        return texts | {"rank": None if rank is None else self.plan["ranks"][rank]["name"]}


def _texts(value):
    if isinstance(value, dict):
        return {side: written(amount) for side, amount in value.items()}
    return written(value)


def moment(written_time):
    return datetime.fromisoformat(written_time.replace("Z", "+00:00"))


def naive_result(case):
    return Naive(case).run().document()
