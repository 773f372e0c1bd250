"""A bank file (NACHA) as a payout adapter: `send` writes a line, people carry the file, the bank answers.

What a file cannot do is said by its capabilities: nobody's job sends it, nothing comes back because we ask,
and the bank does not tell what it has of ours. The name of a payment for ever is what fits into the file,
its reference; the provider's name for it is the trace number of its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from portal.gateways import nacha
from portal.gateways.nacha import Credit, Originator, Returned
from portal.gateways.payout_adapter import (
    Absent,
    Accepted,
    Answer,
    Capabilities,
    Finding,
    Found,
    Payout,
    Rejected,
    Transfer,
    Unknown,
)
from portal.kernel.business_days import is_business_day

CURRENCY: Final = "USD"
# A return has to be at our bank by the opening of the second banking day after the settlement (Nacha
# Operating Rules, 3.8); a day more lets it reach us.
DAYS_TO_RETURN: Final = 3
_SATURDAY: Final = 5


@dataclass(frozen=True)
class _Line:
    """A line of the file: under which key it was asked for, its trace number, and what it says."""

    key: str
    trace: str
    credit: Credit


class NachaPayouts:
    """One file: lines are added by `send`, `content` is what goes to the bank; `returns` came back from it.

    `made_at` is the moment of the file as the bank's clock shows it, `today` the day on which it is asked.
    """

    capabilities = Capabilities(
        currencies=frozenset({CURRENCY}),
        minimum_cents=1,
        maximum_cents=nacha.MOST_CENTS,
        can_lookup=True,
        can_reverse=False,
        keeps_keys=True,
        by_file=True,
    )

    def __init__(
        self,
        originator: Originator,
        *,
        made_at: datetime,
        returns: Sequence[Returned] = (),
        today: date | None = None,
    ) -> None:
        self._originator = originator
        self._made_at = made_at
        self._returns = returns
        self._today = today or made_at.date()
        self._lines: dict[str, _Line] = {}
        self._by_key: dict[str, _Line] = {}
        self._cents = 0

    @property
    def settles_on(self) -> date:
        """The banking day on which the bank pays what is in the file."""
        return banking_days_after(self._made_at.date(), 1)

    @property
    def arrives_by(self) -> date:
        """From this day on, what did not come back has arrived."""
        return banking_days_after(self.settles_on, DAYS_TO_RETURN)

    def send(self, payout: Payout, key: str) -> Answer:
        """Write the line of a payment, once for its key; what no bank would take is refused."""
        credit = Credit(
            reference=payout.group,
            name=payout.payee,
            routing=payout.details.get("routing", ""),
            account=payout.destination,
            account_type=payout.details.get("type", ""),
            amount_cents=payout.amount_cents,
        )
        if known := self._by_key.get(key):
            same = known.credit == credit
            return Accepted(known.trace) if same else Unknown("The key stands for another payment.", True)
        if payout.group in self._lines or payout.currency != CURRENCY:
            return Rejected("It is in the file already, or in a currency that the file does not know.")
        try:
            nacha.check(credit, beside_cents=self._cents)
        except nacha.BadFile as refusal:
            return Rejected(str(refusal))
        trace = nacha.trace_number(self._originator.bank_routing, len(self._lines) + 1)
        self._lines[payout.group] = self._by_key[key] = _Line(key, trace, credit)
        self._cents += payout.amount_cents
        return Accepted(trace)

    def content(self) -> bytes:
        """The whole file. Raises `nacha.BadFile` for one without lines."""
        credits = [line.credit for line in self._lines.values()]
        return nacha.nacha_file(
            credits, originator=self._originator, made_at=self._made_at, effective_on=self.settles_on
        )

    def lookup(self, payout: Payout) -> Finding:
        """By the trace number of its line: came back, has arrived, or may still come back."""
        line = self._lines.get(payout.group)
        if line is None:
            return Absent()
        for returned in self._returns:
            if returned.trace != line.trace:
                continue
            if (returned.reference, returned.amount_cents) != (payout.group, line.credit.amount_cents):
                return Unknown(f"What came back under {line.trace} is not what was sent.", by_hand=True)
            return Found(line.trace, "returned")
        return Found(line.trace, "paid" if self._today >= self.arrives_by else "sent")

    def reverse(self, payout: Payout, ref: str, key: str) -> Answer:
        """A file gets nothing back."""
        return Rejected("not_reversible")

    def balance_cents(self, currency: str, *, pending: bool = False) -> int | None:
        """A file does not know what lies at the bank."""
        return None

    def transfers(self, since: datetime, until: datetime) -> Sequence[Transfer]:
        """The lines of the file, where it was made in the window; what came back counts for nothing."""
        if not since <= self._made_at < until:
            return []
        back = {returned.trace for returned in self._returns}
        return [
            Transfer(
                ref=line.trace,
                group=group,
                amount_cents=0 if line.trace in back else line.credit.amount_cents,
                currency=CURRENCY,
                state="returned" if line.trace in back else "sent",
                created=self._made_at,
            )
            for group, line in self._lines.items()
        ]


def banking_days_after(day: date, number: int) -> date:
    """The last of `number` banking days after `day`; banks rest on Saturdays too."""
    while number > 0:
        day += timedelta(days=1)
        number -= day.weekday() < _SATURDAY and is_business_day(day)
    return day
