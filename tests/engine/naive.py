"""The rules once more, as plainly as possible: walks, dictionaries and fractions, no code of the engine.

Takes and gives the documents of case files. Only what is sound is understood.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

REVENUE_KINDS = {"retail", "revenue_share"}
EVENT_KINDS = {"retail", "direct", "unilevel", "revenue_share", "matrix"}


def number(text):
    return Fraction(text)


def cents(value):
    """To the nearest cent, half away from zero."""
    size = Fraction(floor(abs(value) * 100 + Fraction(1, 2)), 100)
    return size if value >= 0 else -size


def toward_zero(value):
    size = Fraction(floor(abs(value) * 100), 100)
    return size if value >= 0 else -size


def written(value):
    assert (value * 100).denominator == 1
    whole, rest = divmod(abs(int(value * 100)), 100)
    return f"{'-' if value < 0 else ''}{whole}.{rest:02d}"


class Naive:
    def __init__(self, case):
        self.plan = case["plan"]
        self.members = {member["id"]: member for member in case["members"]}
        self.events = sorted(case.get("events", []), key=lambda event: (moment(event["at"]), event["id"]))
        self.history = case.get("history", {})
        self.lines = []
        self.children = {}
        for member in case["members"]:
            if member.get("parent") is not None:
                self.children[member["parent"], member["leg"]] = member["id"]

    def run(self):
        self.step_1()
        self.step_2()
        self.step_4()
        out = {name: self.step_5(name) for name in self.members}
        lines = sorted(
            (line for line in self.lines if line["amount"] != 0),
            key=lambda line: (line["member"], line["kind"], line["source"], line["level"]),
        )
        by_kind = {}
        for line in lines:
            by_kind[line["kind"]] = by_kind.get(line["kind"], 0) + line["amount"]
        for name, member in out.items():
            member["total"] = written(sum((x["amount"] for x in lines if x["member"] == name), Fraction(0)))
        return {
            "lines": [
                line | {"amount": written(line["amount"]), "base": written(line["base"])} for line in lines
            ],
            "members": out,
            "totals": {
                "volume": written(sum((number(event["volume"]) for event in self.events), Fraction(0))),
                "paid": written(sum((line["amount"] for line in lines), Fraction(0))),
                "by_kind": {kind: written(amount) for kind, amount in by_kind.items()},
                "payout_scale": None,
            },
        }

    def step_1(self):
        self.pv = dict.fromkeys(self.members, Fraction(0))
        for event in self.events:
            self.pv[event["member"]] += number(event["volume"])
        self.active = {
            name: member.get("status", "active") == "active"
            and self.pv[name] + number(member.get("pv_prior", "0"))
            >= number(self.plan["activity"]["personal_volume"])
            for name, member in self.members.items()
        }

    def step_2(self):
        self.new = {name: {"L": Fraction(0), "R": Fraction(0)} for name in self.members}
        self.below = {name: {"L": set(), "R": set()} for name in self.members}
        for name in self.members:
            at = name
            while self.members[at].get("parent") is not None:
                above, leg = self.members[at]["parent"], self.members[at]["leg"]
                self.new[above][leg] += self.pv[name]
                self.below[above][leg].add(name)
                at = above

    def line(self, member, kind, amount, base, source="", level=0):
        self.lines.append(
            {"member": member, "kind": kind, "amount": amount, "base": base, "source": source, "level": level}
        )

    def money(self, volume, rate):
        return cents(volume * number(self.plan["point_value"]) * number(rate))

    def step_4(self):
        for event in self.events:
            if event.get("reverses") is None:
                self.sale(event)
        taken = {}
        originals = {event["id"]: event for event in self.events}
        past = {event["id"]: event for event in self.history.get("events", [])}
        own_lines = list(self.lines)
        for event in self.events:
            if event.get("reverses") is not None:
                original = originals.get(event["reverses"]) or past[event["reverses"]]
                self.reverse(event, original, taken, own_lines)

    def sale(self, event):
        seller = self.members[event["member"]]
        service = self.plan.get("services", {}).get(event.get("service"), {})
        rates = service.get("retail", self.plan.get("retail", {}).get("rate", {}))
        revenue, volume = number(event["revenue"]), number(event["volume"])
        if seller.get("status", "active") == "active":
            self.line(
                seller["id"],
                "retail",
                cents(revenue * number(rates.get(seller["pack"], "0"))),
                revenue,
                event["id"],
            )
        sponsor = seller.get("sponsor")
        if sponsor is not None and self.active[sponsor] and "direct" in self.plan:
            rate = self.plan["direct"]["rate"].get(self.members[sponsor]["pack"], "0")
            self.line(sponsor, "direct", self.money(volume, rate), volume, event["id"], 1)

    def reverse(self, event, original, taken, own_lines):
        source = original["id"]
        paid = [line for line in own_lines if line["source"] == source]
        paid += [
            line | {"amount": number(line["amount"])}
            for line in self.history.get("lines", [])
            if line["source"] == source and line["kind"] in EVENT_KINDS
        ]
        before = {
            unit: number(original.get(f"reversed_{unit}", "0")) + taken.get((source, unit), 0)
            for unit in ("volume", "revenue")
        }
        for line in paid:
            unit = "revenue" if line["kind"] in REVENUE_KINDS else "volume"
            base, now = number(original[unit]), -number(event[unit])
            if base != 0:
                amount = toward_zero(line["amount"] * (before[unit] + now) / base)
                amount -= toward_zero(line["amount"] * before[unit] / base)
                self.line(line["member"], line["kind"], -amount, -now, event["id"], line["level"])
        for unit in ("volume", "revenue"):
            taken[source, unit] = taken.get((source, unit), 0) - number(event[unit])

    def qualified(self, name, binary):
        qualify = binary.get("qualify", {})
        member = self.members[name]
        fit = self.active[name] if qualify.get("active", True) else member.get("status", "active") == "active"
        sponsored = {
            x for x, other in self.members.items() if other.get("sponsor") == name and self.active[x]
        }
        return fit and all(
            len(sponsored & self.below[name][leg]) >= qualify.get("each_leg", 1) for leg in ("L", "R")
        )

    def step_5(self, name):
        member = self.members[name]
        carry = member.get("carry", {})
        self.left = number(carry.get("left", "0")) + self.new[name]["L"]
        self.right = number(carry.get("right", "0")) + self.new[name]["R"]
        self.expired = {"L": Fraction(0), "R": Fraction(0)}
        matched_to_date = number(member.get("matched_to_date", "0"))
        paid_to_date = number(member.get("paid_to_date", "0"))
        inactive = 0 if self.active[name] else member.get("inactive_cycles", 0) + 1
        earned = paid = taken = restored = Fraction(0)
        qualified = False
        binary = self.plan.get("binary")
        if binary is not None:
            if binary.get("debt", "carry") == "clawback":
                restored = min(max(0, -self.left, -self.right), matched_to_date)
                if restored:
                    back = toward_zero(paid_to_date * restored / matched_to_date)
                    self.line(name, "binary", -back, -restored)
                    paid_to_date -= back
            self.left, self.right = self.left + restored, self.right + restored
            qualified = self.qualified(name, binary)
            exceeded = False
            if qualified:
                earned, paid, taken, exceeded = self.match(name, member["pack"], binary)
            self.carry_out(binary, qualified, taken, exceeded, inactive)
            matched_to_date += taken - restored
            paid_to_date += paid
        return {
            "pv": written(self.pv[name]),
            "active": self.active[name],
            "rank": None,
            "new_left": written(self.new[name]["L"]),
            "new_right": written(self.new[name]["R"]),
            "qualified": qualified,
            "binary_earned": written(earned),
            "binary_paid": written(paid),
            "carry": {"left": written(self.left), "right": written(self.right)},
            "taken": {"left": written(taken), "right": written(taken)},
            "expired": {"left": written(self.expired["L"]), "right": written(self.expired["R"])},
            "restored": written(Fraction(restored)),
            "matched_to_date": written(matched_to_date),
            "paid_to_date": written(paid_to_date),
            "inactive_cycles": inactive,
        }

    def match(self, name, pack, binary):
        rate = number(binary["rate"].get(pack, "0"))
        matched = max(Fraction(0), min(self.left, self.right))
        if matched < number(binary.get("min_match", "0")) or rate == 0:
            matched = Fraction(0)
        earned = inside_money = self.money(matched, rate)
        inside, exceeded, money_exceeded = matched, False, False
        caps = binary.get("cap", {})
        if pack in caps.get("volume", {}) and matched > number(caps["volume"][pack]):
            inside, exceeded = number(caps["volume"][pack]), True
            inside_money = self.money(inside, rate)
        paid = inside_money
        if pack in caps.get("money", {}) and inside_money > number(caps["money"][pack]):
            paid, exceeded, money_exceeded = number(caps["money"][pack]), True, True
        self.line(name, "binary", paid, matched)
        if binary.get("over_cap", "keep") != "keep":
            return earned, paid, matched, exceeded
        if money_exceeded:
            exact = paid / (number(self.plan["point_value"]) * rate)
            inside = -Fraction(floor(-exact * 100), 100)
        return earned, paid, inside, exceeded

    def carry_out(self, binary, qualified, taken, exceeded, inactive):
        self.left, self.right = self.left - taken, self.right - taken
        if binary.get("over_cap", "keep") == "flush" and exceeded:
            self.limit(Fraction(0))
        if not qualified and binary.get("unqualified", "hold") == "flush":
            self.limit(Fraction(0))
        if taken and binary.get("after_match", "carry") == "flush":
            self.limit(Fraction(0))
        if "carry_limit" in binary:
            self.limit(number(binary["carry_limit"]))
        if "carry_cycles" in binary and inactive >= binary["carry_cycles"]:
            self.limit(Fraction(0))

    def limit(self, most):
        self.expired["L"] += max(0, self.left - most)
        self.expired["R"] += max(0, self.right - most)
        self.left, self.right = min(self.left, most), min(self.right, most)


def moment(written_time):
    from datetime import datetime

    return datetime.fromisoformat(written_time.replace("Z", "+00:00"))


def naive_result(case):
    return Naive(case).run()
