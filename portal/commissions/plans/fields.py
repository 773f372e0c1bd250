"""What a plan document can say: every field with its unit, its effect in a sentence, and its kind.

The forms, the comparison and the plan in words are all made from this table; the engine alone decides what is
right. Texts that stand here are translated where they are shown.
"""

from __future__ import annotations

from typing import Final

from portal.commissions.plans.fields_binary import BINARY
from portal.commissions.plans.shape import Field, Part

RATES = Field("rates", "Rates by level", "rates", "The first is paid to the nearest level.", required=True)
COMPRESS = Field(
    "compress",
    "Pass over the inactive",
    "flag",
    "Yes: an inactive person uses up no level. No: the level is used up and nobody gets it.",
    default="yes",
)

BASICS = Part(
    "",
    "Basics",
    "What the plan is called and what a point is worth.",
    (
        Field("name", "Name", "text", "What people call this version."),
        Field("currency", "Currency", "text", "Three letters; everything is paid in it.", required=True),
        Field(
            "cycle",
            "Rhythm",
            "text",
            "A note for readers; the company's calendar decides how long cycles are.",
        ),
        Field(
            "point_value",
            "Value of a point",
            "money",
            "What one point of volume is worth when a rate is applied to it; 0.01 to 100.00.",
            required=True,
        ),
    ),
    optional=False,
)
ACTIVITY = Part(
    "activity",
    "Activity",
    "Who counts as active, and so can be paid from the team.",
    (
        Field(
            "personal_volume",
            "Own customers' volume needed",
            "volume",
            "Somebody with less over the window is inactive.",
            required=True,
        ),
        Field(
            "window_cycles",
            "Over how many cycles",
            "count",
            "The present cycle and those before it that still count; at least 1.",
            required=True,
        ),
    ),
    optional=False,
)
RETAIL = Part(
    "retail",
    "Own sales",
    "Pays the seller a share of the revenue of each sale to a customer.",
    (Field("rate", "Share of revenue", "rate_table", "Paid to the seller, by pack.", required=True),),
)
DIRECT = Part(
    "direct",
    "Sales of people sponsored",
    "Pays the sponsor of the seller a rate of the sale's volume.",
    (
        Field(
            "rate",
            "Rate of volume",
            "rate_table",
            "Paid to the seller's sponsor, by its pack.",
            required=True,
        ),
    ),
)
UNILEVEL = Part(
    "unilevel",
    "Unilevel",
    "Pays those above the seller, up the sponsor line, a rate of the sale's volume for each level.",
    (RATES, COMPRESS),
)
REVENUE_SHARE = Part(
    "revenue_share",
    "Revenue share",
    "Pays those above the seller, up the sponsor line, a share of the vendor's revenue for each level.",
    (RATES, COMPRESS),
)
SERVICES = Part(
    "services",
    "Services with rates of their own",
    "A service named here pays these rates instead of the plan's.",
    (
        Field(
            "retail", "Own sales, share of revenue", "rate_table", "Paid to the seller instead of the plan's."
        ),
        Field("revenue_share", "Revenue share by level", "rates", "Paid up the line instead of the plan's."),
    ),
    rows="names",
)
MATRIX = Part(
    "matrix",
    "Matrix",
    "Pays up a tree of limited width a rate of the sale's volume for each level.",
    (
        Field(
            "width", "Width", "count", "How many people stand below one person; at least 1.", required=True
        ),
        RATES,
        COMPRESS,
    ),
)
MATCHING = Part(
    "matching",
    "Matching on the team's pay",
    "Pays those above a person, up the sponsor line, a rate of what that person was paid for matching legs.",
    (
        Field(
            "rates",
            "Rates by generation",
            "rates",
            "The first is paid to the person's sponsor.",
            required=True,
        ),
        Field(
            "depth",
            "Generations",
            "count_table",
            "How many generations count, by pack; a rank can raise it.",
            required=True,
        ),
        COMPRESS,
    ),
)
RANKS = Part(
    "ranks",
    "Ranks",
    "Titles from low to high: somebody holds the highest whose needs, and those of all below it, are met.",
    (
        Field("name", "Name", "text", "What the rank is called; no two alike.", required=True),
        Field(
            "requires.personal_volume", "Needs own customers' volume", "volume", "Over the activity window."
        ),
        Field(
            "requires.weak_leg_volume", "Needs volume of the weaker leg", "volume", "New volume of the cycle."
        ),
        Field("requires.sponsored_active", "Needs active people sponsored", "count", "Anywhere in the team."),
        Field(
            "requires.leg_rank",
            "Needs a rank in each leg",
            "text",
            "The name of a rank below this one; somebody in each leg has to hold it.",
        ),
        Field(
            "cap",
            "Raises the cap on matching to",
            "money",
            "Counts where it is more than the pack's.",
            default="0.00",
        ),
        Field(
            "matching_depth",
            "Raises the generations to",
            "count",
            "Counts where it is more than the pack's.",
            default="0",
        ),
        Field("pool_shares", "Shares of the pool", "count", "How many shares each holder has.", default="0"),
    ),
    rows="list",
)
POOL = Part(
    "pool",
    "Company pool",
    "Shares a rate of the cycle's whole volume among holders of ranks.",
    (Field("rate", "Rate of all volume", "rate", "What goes into the pool.", required=True),),
)
LIMIT = Part(
    "",
    "Payout limit",
    "Keeps what is paid on volume within a rate of all volume.",
    (
        Field(
            "payout_limit",
            "Most that is paid on volume",
            "rate",
            "Above it matching, generations and pool are scaled down. Own sales and revenue share stand "
            "outside. Empty: no limit.",
        ),
    ),
    optional=False,
)

PARTS: Final = (
    *(BASICS, ACTIVITY, RETAIL, DIRECT, UNILEVEL, REVENUE_SHARE, SERVICES),
    *(MATRIX, BINARY, MATCHING, RANKS, POOL, LIMIT),
)
