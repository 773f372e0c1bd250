"""What a provider of payouts has to be able to do: the one interface, for every provider alike.

An adapter translates and does not decide. Every call is one try over the wire, without retries of its own;
whatever is not certain is `Unknown`. A new provider is a class with these methods and a row in
`jobs/providers.py`; one that speaks plain JSON over HTTPS needs no code at all (`http_payouts.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do; amounts in cents.

    Without `can_lookup` nobody can find out what became of a call without answer, so that such a payout is
    never tried again by itself. One that `keeps_keys` carries an order out once for a key, whatever happens
    to the answer. One that `tells_balance` is sent nothing while it does not. What goes `by_file` is written
    into a file that people carry to the bank: no job sends it, and a look-up knows what the bank sent back.
    """

    currencies: frozenset[str]
    minimum_cents: int
    maximum_cents: int
    can_lookup: bool
    can_reverse: bool
    keeps_keys: bool = False
    tells_balance: bool = False
    by_file: bool = False


@dataclass(frozen=True)
class Payout:
    """One payout as it was approved; every try for it says the same.

    `group` names it at the provider for ever, `generation` counts the keys that were used for it.
    `destination` is the provider's id of the account that is paid, `details` what else it needs (bank
    numbers), `payee` the person's name, `reference` what stands on the statement.
    """

    group: str
    generation: int
    amount_cents: int
    currency: str
    destination: str
    payee: str
    reference: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Accepted:
    """The provider has the order; it calls it `ref`."""

    ref: str


@dataclass(frozen=True)
class Rejected:
    """The provider will never carry this order out, and has not: the money may go back."""

    code: str


@dataclass(frozen=True)
class RetryLater:
    """Nothing was carried out; try again after so many seconds.

    `for_all`: not the payout is the reason but our balance or account there, so the others wait too.
    `key_is_spent`: the provider stored this answer under the key, so that only another key can succeed.
    """

    after_seconds: int
    reason: str
    for_all: bool = False
    key_is_spent: bool = False


@dataclass(frozen=True)
class Unknown:
    """It may or may not have been carried out. `by_hand`: a fault of ours, which a person has to look at."""

    reason: str
    by_hand: bool = False


@dataclass(frozen=True)
class Found:
    """The payout is there: its `ref`, `state` (sent, paid, returned), and further ones that must not be."""

    ref: str
    state: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Absent:
    """The provider answered, and has no such payout."""


@dataclass(frozen=True)
class Transfer:
    """A line of the provider's own record, for the daily match; `amount_cents` is what was not reversed."""

    ref: str
    group: str
    amount_cents: int
    currency: str
    state: str
    created: datetime


@dataclass(frozen=True)
class ProviderEvent:
    """What a provider tells by itself: about `ref`, in the account `account`, that `transition` happened.

    `transition` is arrived, failed, reversed, account, bank or nothing; `reason` is the provider's code.
    `bank` is the provider's mark of the bank account that `account` is paid out to: empty for none any more,
    None where it says nothing about that. `gone` is one that was taken away.
    """

    ref: str
    transition: str
    account: str = ""
    group: str = ""
    amount_cents: int = 0
    created: datetime | None = None
    ready: bool = False
    reason: str = ""
    bank: str | None = None
    gone: str = ""


Answer: TypeAlias = Accepted | Rejected | RetryLater | Unknown
Finding: TypeAlias = Found | Absent | Unknown


class PayoutAdapter(Protocol):
    """A provider of payouts."""

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do."""

    def send(self, payout: Payout, key: str) -> Answer:
        """Give the order once; where keys are kept, the same `key` with the same payout never pays twice."""

    def lookup(self, payout: Payout) -> Finding:
        """Whether the provider has this payout, under whatever key it was given."""

    def reverse(self, payout: Payout, ref: str, key: str) -> Answer:
        """Get the money of `ref` back; `Accepted` also where it came back before."""

    def balance_cents(self, currency: str, *, pending: bool = False) -> int | None:
        """What can be paid out now, in cents; all there is with what is `pending`. None where untold."""

    def transfers(self, since: datetime, until: datetime) -> Sequence[Transfer] | None:
        """All that was paid out in a window, from the provider's record, oldest first; None without a list.

        Raises `ProviderUnavailable`.
        """
