"""The fields of a plan's `binary` part, in its three modes."""

from __future__ import annotations

from portal.commissions.plans.shape import Field, Part

PERCENT, PAIRS, TIERS = ("percent",), ("pairs",), ("tiers",)
BINARY = Part(
    "binary",
    "Binary",
    "Matches the left and the right leg of each person and pays for what matches.",
    (
        Field(
            "mode",
            "How legs are matched",
            "choice",
            "By percent of the smaller leg, by whole pairs, or by the highest tier that both legs reach.",
            (("percent", "Percent of the smaller leg"), ("pairs", "Pairs"), ("tiers", "Tiers")),
            required=True,
        ),
        Field(
            "rate",
            "Rate",
            "rate_table",
            "Paid for the matched volume, by pack.",
            required=True,
            modes=PERCENT,
        ),
        Field(
            "min_match",
            "Least match",
            "volume",
            "A smaller match pays nothing and stays in the legs.",
            default="0.00",
            modes=PERCENT,
        ),
        Field(
            "strong",
            "Volume of the larger leg",
            "volume",
            "What a pair takes there.",
            required=True,
            modes=PAIRS,
        ),
        Field(
            "weak",
            "Volume of the other leg",
            "volume",
            "What a pair takes there; not more than from the larger.",
            required=True,
            modes=PAIRS,
        ),
        Field("pay", "Pay of a pair", "money", "Each pair earns this.", required=True, modes=PAIRS),
        Field(
            "tiers",
            "Tiers",
            "tiers",
            "The highest volume that both legs reach earns its amount, once; both rise.",
            required=True,
            modes=TIERS,
        ),
        Field(
            "qualify.active",
            "Must be active",
            "flag",
            "No: being registered and not suspended is enough.",
            default="yes",
        ),
        Field(
            "qualify.each_leg",
            "Active people sponsored in each leg",
            "count",
            "So many have to stand in each leg before matching is paid.",
            default="1",
        ),
        Field(
            "cap.money",
            "Cap on pay",
            "money_table",
            "The most that matching pays in a cycle, by pack; a rank can raise it. Empty: no cap.",
        ),
        Field(
            "cap.volume",
            "Cap on volume",
            "volume_table",
            "The most volume that is paid for in a cycle, by pack.",
            modes=PERCENT,
        ),
        Field(
            "cap.pairs",
            "Cap on pairs",
            "count_table",
            "The most pairs that are paid in a cycle, by pack.",
            modes=PAIRS,
        ),
        Field(
            "over_cap",
            "Volume above a cap",
            "choice",
            "What happens to volume that was matched and not paid for.",
            (
                ("keep", "Stays in the legs"),
                ("consume", "Is used up"),
                ("flush", "Is used up, and both legs go to 0"),
            ),
            default="keep",
        ),
        Field(
            "unqualified",
            "Legs of those who do not qualify",
            "choice",
            "Whether their volume waits for them.",
            (("hold", "Stay as they are"), ("flush", "Go to 0")),
            default="hold",
        ),
        Field(
            "debt",
            "Refunds of volume that was paid for",
            "choice",
            "Either later sales fill the leg again, or the pay for it is taken back.",
            (("carry", "The leg goes below 0"), ("clawback", "Pay is taken back")),
            default="carry",
        ),
        Field(
            "after_match",
            "What is left after a match",
            "choice",
            "Whether the rest of the larger leg goes on into the next cycle.",
            (("carry", "Is carried on"), ("flush", "Goes to 0")),
            default="carry",
        ),
        Field(
            "carry_limit", "Most that a leg carries on", "volume", "Volume above it expires. Empty: no limit."
        ),
        Field(
            "carry_cycles",
            "Inactive cycles until legs expire",
            "count",
            "After so many in a row both legs go to 0; at least 1. Empty: never.",
        ),
    ),
)
