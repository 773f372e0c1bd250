"""Customers and what they bought: drawn for all weeks first, written week by week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from portal.cli.demo.calendar import Calendar
from portal.cli.demo.network import MAYA, THEO, Member
from portal.cli.demo.offers import OFFERS, draw_size, worth_of
from portal.commissions.weeks import Week
from portal.sales.worth import Worth

SALES_FOR_2000 = 670
_SELLERS_PERCENT = 41
_LEAVERS_PERCENT = 4
_ONE_REFUND_IN = 33
_SECOND_CONTRACT_PERCENT = 10
_OWN_SALES = 2


@dataclass
class Buyer:
    """A customer of one seller and one vendor."""

    seller: int
    offered: int
    name: str
    registered_at: datetime
    row_id: int = 0


@dataclass
class Bought:
    """A contract, its activation, and perhaps its cancellation."""

    buyer: Buyer
    size: int
    worth: Worth
    at: datetime
    cancelled_at: datetime | None = None
    contract_id: int = 0
    sale_id: int = 0


@dataclass
class WeekOfSales:
    """What is sold and what is cancelled in one week, each in the order of time."""

    sold: list[Bought] = field(default_factory=list)
    cancelled: list[Bought] = field(default_factory=list)

    def days(self) -> Iterator[tuple[list[Bought], list[Bought]]]:
        """Day after day: what was sold, and what was cancelled, which was sold that day or before."""
        sold = _by_day((bought.at, bought) for bought in self.sold)
        cancelled = _by_day((bought.cancelled_at or bought.at, bought) for bought in self.cancelled)
        for day in sorted({*sold, *cancelled}):
            yield sold.get(day, []), cancelled.get(day, [])


class Market:
    """Draws the sales of all weeks: sellers come and go, customers cancel."""

    def __init__(self, rng: Random, *, members: Sequence[Member], calendar: Calendar) -> None:
        self._rng = rng
        self._members = members
        self._calendar = calendar
        self._sold = 0
        self._sellers: list[int] = []
        self._sponsored = Counter(member.sponsor for member in members)
        self._buyers: dict[tuple[int, int], list[Buyer]] = {}

    def draw(self, names: Sequence[str]) -> list[WeekOfSales]:
        """The weeks in order; nothing in them lies in the future. Customers are called by `names` in turn."""
        drawn = [WeekOfSales() for _ in self._calendar.weeks]
        per_week = SALES_FOR_2000 * len(self._members) // 2000
        for index, week in enumerate(self._calendar.weeks):
            self._change_sellers(week)
            for seller in self._who_sells(per_week):
                bought = self._buy(seller, week, names)
                if bought.at <= self._calendar.now:
                    drawn[index].sold.append(bought)
                    self._maybe_cancel(bought, drawn)
        for one in drawn:
            one.sold.sort(key=lambda bought: bought.at)
            one.cancelled.sort(key=lambda bought: bought.cancelled_at or bought.at)
        return drawn

    def _change_sellers(self, week: Week) -> None:
        """A few stop selling, others begin."""
        there = [at for at, member in enumerate(self._members) if member.joined_at < week.starts_at]
        wanted = len(there) * _SELLERS_PERCENT // 100
        stay = len(self._sellers) * (100 - _LEAVERS_PERCENT) // 100
        self._sellers = self._rng.sample(self._sellers, stay)
        known = set(self._sellers)
        others = [at for at in there if at not in known]
        # Who builds a team sells more often than who does not.
        drive = {at: self._rng.random() * (1 + self._sponsored[at]) for at in others}
        others.sort(key=lambda at: -drive[at])
        self._sellers += others[: max(wanted - stay, 0)]

    def _who_sells(self, count: int) -> list[int]:
        own = [MAYA] * _OWN_SALES + [THEO] * _OWN_SALES
        return own + self._rng.choices(self._sellers, k=max(count - len(own), 1))

    def _buy(self, seller: int, week: Week, names: Sequence[str]) -> Bought:
        rng = self._rng
        core_only = self._members[seller].pack == "pack"
        offered = 0 if core_only else rng.choices(range(len(OFFERS)), weights=(5, 2, 2, 3))[0]
        seconds = rng.randrange((week.until - week.starts_at) // timedelta(seconds=1))
        at = week.starts_at + timedelta(seconds=seconds)
        size = draw_size(rng, OFFERS[offered])
        return Bought(self._buyer(seller, offered, at, names), size, worth_of(OFFERS[offered], size), at)

    def _buyer(self, seller: int, offered: int, at: datetime, names: Sequence[str]) -> Buyer:
        rng = self._rng
        known = self._buyers.setdefault((seller, offered), [])
        earlier = [buyer for buyer in known if buyer.registered_at < at]
        if earlier and rng.randrange(100) < _SECOND_CONTRACT_PERCENT:
            return rng.choice(earlier)
        registered_at = max(at - timedelta(days=rng.randrange(4, 30)), self._members[seller].joined_at)
        buyer = Buyer(seller, offered, rng.choice(names), registered_at)
        known.append(buyer)
        return buyer

    def _maybe_cancel(self, bought: Bought, drawn: list[WeekOfSales]) -> None:
        self._sold += 1
        if self._sold % _ONE_REFUND_IN:
            return
        cancelled_at = bought.at + timedelta(hours=self._rng.randrange(12, 24 * 21))
        for index, week in enumerate(self._calendar.weeks):
            if week.starts_at <= cancelled_at < week.until and cancelled_at <= self._calendar.now:
                bought.cancelled_at = cancelled_at
                drawn[index].cancelled.append(bought)


def _by_day(dated: Iterable[tuple[datetime, Bought]]) -> dict[date, list[Bought]]:
    days: dict[date, list[Bought]] = {}
    for at, bought in dated:
        days.setdefault(at.date(), []).append(bought)
    return days
