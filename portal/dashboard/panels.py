"""The panels of a consultant's home: earnings, legs, newest sales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from flask import g
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from portal import live
from portal.commissions import projection
from portal.commissions.projection import Projected, Published
from portal.commissions.standings import standing
from portal.dashboard import queries
from portal.dashboard.queries import Week
from portal.extensions import db
from portal.kernel.money import round_half_away
from portal.ledger import statements
from portal.ledger.statements import Balances
from portal.models import Consultant, Cycle
from portal.sales.queries import SaleLine, newest_sales
from portal.ui.kinds import KINDS
from portal.ui.panels import Panel, register_panel

RATE_UNIT = 10_000
NEWEST = 6


@dataclass(frozen=True)
class Earnings:
    """The hero: what is projected, the weeks before, the wallet."""

    standing: Projected | None
    weeks: Sequence[Week]
    balances: Balances
    published: Published | None

    @property
    def projected(self) -> int:
        return self.standing.total if self.standing else 0

    @property
    def bars(self) -> list[int]:
        return [*(week.earned for week in self.weeks), self.projected]

    @property
    def change(self) -> int | None:
        """Cents more or less than the week before; None in the first week."""
        return self.projected - self.weeks[-1].earned if self.weeks else None

    @property
    def lines(self) -> list[tuple[object, int]]:
        """What the projection adds up from: words and cents."""
        if self.standing is None:
            return []
        amounts = [(words, self.standing.paid(kind)) for kind, words in KINDS.items()]
        return [(words, cents) for words, cents in amounts if cents]


@dataclass(frozen=True)
class LegsView:
    """The legs card; `rate` in ten-thousandths where matched volume times it is what is paid.

    `paid_from_tree` is false where the plan pays nothing for matched volume.
    """

    standing: Projected | None
    rate: int | None
    paid_from_tree: bool
    published: Published | None


def standing_now(consultant_id: int) -> Projected | None:
    """How a consultant stands; the panels of one page speak of one moment, and it is read once."""
    if "standings" not in g:
        g.standings = {}
    if consultant_id not in g.standings:
        g.standings[consultant_id] = standing(consultant_id)
    found: Projected | None = g.standings[consultant_id]
    return found


def load_earnings(consultant_id: int) -> Earnings:
    """The hero's figures."""
    session = db.session()
    return Earnings(
        standing=standing_now(consultant_id),
        weeks=queries.past_weeks(session, consultant_id),
        balances=statements.balances(session, consultant_id),
        published=projection.published(),
    )


def load_legs(consultant_id: int) -> LegsView:
    """Both legs as they stand now."""
    now, rate = standing_now(consultant_id), _rate(db.session(), consultant_id)
    explains = now and rate and round_half_away(now.matched * rate, RATE_UNIT) == now.binary
    return LegsView(
        now, rate if explains else None, paid_from_tree=rate != 0, published=projection.published()
    )


def load_sales(consultant_id: int) -> Sequence[SaleLine]:
    """The newest sales of one's own and of the people below."""
    return newest_sales(db.session(), consultant_id, below=live.below, limit=NEWEST)


def _rate(session: Session, consultant_id: int) -> int | None:
    """What the pack is paid for matched volume; None where it is not reckoned in percent."""
    published, consultant = projection.published(), session.get_one(Consultant, consultant_id)
    cycle = session.get(Cycle, published.cycle_id) if published else None
    binary = cycle.plan_version.document.get("binary") if cycle else None
    if not isinstance(binary, dict) or binary.get("mode") != "percent":
        return None
    return int(Decimal(str(binary["rate"].get(consultant.pack, "0"))) * RATE_UNIT)


for panel in (
    Panel(
        "earnings",
        _l("Projected now"),
        10,
        "see own business",
        "dashboard/panels/earnings.html",
        load_earnings,
    ),
    Panel("legs", _l("Your legs"), 20, "see own business", "dashboard/panels/legs.html", load_legs),
    Panel(
        "sales",
        _l("Newest sales"),
        30,
        "see own business",
        "dashboard/panels/sales.html",
        load_sales,
        aside=True,
    ),
):
    register_panel(panel)
