"""Step 5 of the rules, member by member, for the naive reading."""

from __future__ import annotations

from tests.engine.naive_numbers import hundredths, rate_of, toward_zero

NO_CAP = 10**30


def match_and_carry(naive, name):
    """All of step 5 for one member; writes the binary lines, gives back what came out."""
    return Legs(naive, name).settle()


class Legs:
    def __init__(self, naive, name):
        self.naive, self.name = naive, name
        self.member, self.plan = naive.members[name], naive.plan.get("binary")
        self.pack = self.member["pack"]
        carry = self.member.get("carry", {})
        self.left = hundredths(carry.get("left", "0")) + naive.new[name]["L"]
        self.right = hundredths(carry.get("right", "0")) + naive.new[name]["R"]
        self.matched_to_date = hundredths(self.member.get("matched_to_date", "0"))
        self.inactive = 0 if naive.active[name] else self.member.get("inactive_cycles", 0) + 1
        self.expired = {"left": 0, "right": 0}
        self.taken = {"left": 0, "right": 0}
        self.earned = self.paid = self.restored = 0
        self.qualified = False

    def settle(self):
        if self.plan is not None:
            if self.plan.get("debt", "carry") == "clawback":
                self.claw_back()
            self.qualified = self.qualifies()
            exceeded = self.match() if self.qualified else False
            self.carry_out(exceeded)
            if self.plan["mode"] == "percent":
                self.matched_to_date += self.taken["left"] - self.restored
        return {
            "qualified": self.qualified,
            "binary_earned": self.earned,
            "binary_paid": self.paid,
            "carry": {"left": self.left, "right": self.right},
            "taken": self.taken,
            "expired": self.expired,
            "restored": self.restored,
            "matched_to_date": self.matched_to_date,
            "inactive_cycles": self.inactive,
        }

    def claw_back(self):
        self.restored = min(max(0, -self.left, -self.right), self.matched_to_date)
        if self.restored:
            paid_to_date = hundredths(self.member.get("paid_to_date", "0"))
            back = toward_zero(paid_to_date * self.restored, self.matched_to_date)
            self.naive.line(self.name, "binary", -back, -self.restored)
        self.left, self.right = self.left + self.restored, self.right + self.restored

    def qualifies(self):
        qualify = self.plan.get("qualify", {})
        fit = self.naive.active if qualify.get("active", True) else self.naive.standing
        in_legs = self.naive.sponsored_in[self.name]
        return fit[self.name] and min(in_legs["L"], in_legs["R"]) >= qualify.get("each_leg", 1)

    def cap(self, what, read):
        table = self.plan.get("cap", {}).get(what, {})
        return read(table[self.pack]) if self.pack in table else NO_CAP

    @property
    def cap_money(self):
        own = self.cap("money", hundredths)
        return own if own == NO_CAP else max(own, self.naive.given(self.name, "cap"))

    @property
    def keeps(self):
        return self.plan.get("over_cap", "keep") == "keep"

    def match(self):
        """Match, cap, take and pay; gives back whether a cap was exceeded."""
        modes = {"percent": self.percent, "pairs": self.pairs, "tiers": self.tiers}
        matched, exceeded = modes[self.plan["mode"]]()
        self.left, self.right = self.left - self.taken["left"], self.right - self.taken["right"]
        self.naive.line(self.name, "binary", self.paid, matched)
        return exceeded

    def percent(self):
        rate = rate_of(self.plan["rate"].get(self.pack, "0"))
        matched = max(0, min(self.left, self.right))
        if matched < hundredths(self.plan.get("min_match", "0")) or rate == 0:
            matched = 0
        inside = min(matched, self.cap("volume", hundredths))
        self.earned = self.naive.money(matched, rate)
        earned_inside = self.naive.money(inside, rate)
        self.paid = min(earned_inside, self.cap_money)
        taken = matched
        if self.keeps:
            taken = inside
            if earned_inside > self.cap_money:
                taken = -(-self.paid * 1_000_000 // (self.naive.point_value * rate))
        self.taken = {"left": taken, "right": taken}
        return matched, inside < matched or self.paid < earned_inside

    def pairs(self):
        strong, weak, pay = (hundredths(self.plan[name]) for name in ("strong", "weak", "pay"))
        sides = self.sides_of_pairs(strong, weak)
        inside = min(len(sides), self.cap("pairs", int))
        self.earned, earned_inside = len(sides) * pay, inside * pay
        self.paid = min(earned_inside, self.cap_money)
        kept = len(sides)
        if self.keeps:
            kept = inside if self.paid == earned_inside else -(-self.paid // pay)
        for side in sides[:kept]:
            self.taken[side] += strong
            self.taken["right" if side == "left" else "left"] += weak
        return len(sides) * weak, inside < len(sides) or self.paid < earned_inside

    def sides_of_pairs(self, strong, weak):
        """For every pair the side that gives the strong part."""
        legs, sides = {"left": self.left, "right": self.right}, []
        while True:
            larger, other = ("left", "right") if legs["left"] >= legs["right"] else ("right", "left")
            if legs[larger] < strong or legs[other] < weak:
                return sides
            legs[larger] -= strong
            legs[other] -= weak
            sides.append(larger)

    def tiers(self):
        matched = 0
        for volume, pay in self.plan["tiers"]:
            if hundredths(volume) <= min(self.left, self.right):
                matched, self.earned = hundredths(volume), hundredths(pay)
        self.paid = min(self.earned, self.cap_money)
        self.taken = {"left": matched, "right": matched}
        return matched, self.paid < self.earned

    def carry_out(self, exceeded):
        if exceeded and self.plan.get("over_cap") == "flush":
            self.cut(0)
        if not self.qualified and self.plan.get("unqualified") == "flush":
            self.cut(0)
        if self.taken["left"] and self.plan.get("after_match") == "flush":
            self.cut(0)
        if "carry_limit" in self.plan:
            self.cut(hundredths(self.plan["carry_limit"]))
        if "carry_cycles" in self.plan and self.inactive >= self.plan["carry_cycles"]:
            self.cut(0)

    def cut(self, most):
        """What is above the limit goes; a negative leg stays."""
        self.expired["left"] += max(0, self.left - most)
        self.expired["right"] += max(0, self.right - most)
        self.left, self.right = min(self.left, most), min(self.right, most)
