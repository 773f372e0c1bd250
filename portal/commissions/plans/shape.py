"""What a field and a part of a plan document are: the words in which `plan_fields` describes all of them.

Kinds: `text choice flag volume money rate count` are one value; `rates` is a list of rates, one for each
level; `tiers` a list of pairs; `rate_table money_table volume_table count_table` a value for each pack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNITS: Final = {
    "volume": "points",
    "money": "in the plan's currency",
    "rate": "rate: 0.05 is 5 percent",
    "count": "a whole number",
    "rates": "rate for each level: 0.05 is 5 percent",
    "tiers": "points, and money",
    "rate_table": "rate for each pack: 0.05 is 5 percent",
    "money_table": "money for each pack",
    "volume_table": "points for each pack",
    "count_table": "a whole number for each pack",
}
TABLES: Final = ("rate_table", "money_table", "volume_table", "count_table")
CELLS: Final = {
    "rate_table": "rate",
    "money_table": "money",
    "volume_table": "volume",
    "count_table": "count",
}
MODES: Final = ("percent", "pairs", "tiers")


@dataclass(frozen=True)
class Field:
    """One field; `path` lies within its part, such as `cap.money`; `modes` of the binary have it."""

    path: str
    label: str
    kind: str
    effect: str
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False
    default: str = ""
    modes: tuple[str, ...] = MODES

    @property
    def unit(self) -> str:
        return UNITS.get(self.kind, "")


@dataclass(frozen=True)
class Part:
    """A part of the document under one key; no key for those that stand at the top.

    `rows`: "" for a single part, `list` for ranks, `names` for services, whose key is their code.
    """

    key: str
    title: str
    effect: str
    fields: tuple[Field, ...]
    optional: bool = True
    rows: str = ""
