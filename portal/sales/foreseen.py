"""What words that nobody said yet would do to the sales of contracts, by their terms. It writes nothing.

Licences, plans and own use are asked only when something is sold: what is held then is counted here too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.vendor_events import withdrawal_key
from portal.models import Contract, ContractFact, Order, Service, TermsVersion
from portal.sales import history
from portal.sales.history import ACTIVATED, INSTALLED, RENEWED, SIGNED, Fact
from portal.sales.refusals import NotYetKnown
from portal.sales.worth import WHOLE, is_paid_by_size, terms_on, worth
from portal.store.pieces import pieces

_MILESTONES = {SIGNED: "signed", INSTALLED: "installed", ACTIVATED: "activated"}


@dataclass
class Told:
    """One word about a contract; fields as in `ContractFact`, `fact` the key of the fact it takes back."""

    type: str
    occurred_at: datetime
    size_thousandths: int | None = None
    signed_on: date | None = None
    period: str | None = None
    share: int | None = None
    service_code: str | None = None
    fact: str | None = None

    key: str = field(init=False)
    milestone: str = field(init=False)

    def __post_init__(self) -> None:
        self.key = withdrawal_key(self.fact) if self.fact else f"told-{self.type}-{self.occurred_at}"
        self.milestone = f"renewed-{self.period}" if self.type == RENEWED else _MILESTONES.get(self.type, "")


@dataclass
class Foreseen:
    """Volume in hundredths and revenue in cents that would be added, below zero what would be taken back.

    `unknown` is how many words are about contracts of which that cannot be told, `sizeless` how many of those
    leave a contract that is paid by size without one.
    """

    volume: int = 0
    revenue: int = 0
    unknown: int = 0
    sizeless: int = 0


def foresee(session: Session, *, vendor_id: int, told: Mapping[str, Sequence[Told]]) -> Foreseen:
    """What these words, by the vendor's reference of the contract, would move in all."""
    sums = Foreseen()
    for refs in pieces(sorted(told)):
        here = _contracts(session, vendor_id, refs)
        said = _said(session, [contract.id for contract, _ in here.values()])
        for ref in refs:
            contract, is_order = here.get(ref, (None, False))
            try:
                terms = _Terms(session, vendor_id, contract, told[ref])
                before: Sequence[Fact] = said[contract.id] if contract else ()
                if is_order or (contract is not None and not before):
                    raise NotYetKnown("What it earned follows from more than what was said of it.")
                after: list[Fact] = [*before, *told[ref]]
                _count(sums, terms, before, after)
            except NotYetKnown as reason:
                sums.unknown += len(told[ref])
                sums.sizeless += len(told[ref]) if reason.field == "contract.size" else 0
    return sums


class _Terms:
    """The terms of one contract, which may not be here yet, by its day of signing."""

    def __init__(
        self, session: Session, vendor_id: int, contract: Contract | None, told: Sequence[Told]
    ) -> None:
        self._session, self._contract = session, contract
        codes = [each.service_code for each in told if each.service_code]
        if contract is not None:
            self._service = contract.service
            return
        named = select(Service).where(Service.vendor_id == vendor_id, Service.code.in_(codes))
        found = session.scalars(named.limit(1)).one_or_none()
        if found is None:
            raise NotYetKnown("There is no such service.", field="contract.service")
        self._service = found

    def on(self, day: date) -> TermsVersion:
        if self._contract is not None and self._contract.signed_on == day:
            return self._session.get_one(TermsVersion, self._contract.terms_version_id)
        return terms_on(self._session, service=self._service, day=day)


def _count(sums: Foreseen, terms: _Terms, before: Sequence[Fact], after: Sequence[Fact]) -> None:
    was, becomes = _worth(terms, before), _worth(terms, after)
    sums.volume += becomes[0] - was[0]
    sums.revenue += becomes[1] - was[1]


def _worth(terms: _Terms, facts: Sequence[Fact]) -> tuple[int, int]:
    if not facts:
        return 0, 0
    past = history.read(facts)
    version, volume, revenue = terms.on(past.signed_on), 0, 0
    for name, reached in past.reached.items():
        shares = ((WHOLE - past.refunded(name), WHOLE),)
        value = worth(version, size_thousandths=reached.size_thousandths, milestone=name, shares=shares)
        if value is not None and not reached.size_thousandths and is_paid_by_size(version, name):
            raise NotYetKnown("The size is not known yet.", field="contract.size")
        if value is not None:
            volume, revenue = volume + value.volume, revenue + value.revenue
    return volume, revenue


def _contracts(session: Session, vendor_id: int, refs: Sequence[str]) -> dict[str, tuple[Contract, bool]]:
    """By reference, the contracts that are here, and whether each was paid by an order of ours."""
    rows = select(Contract, Order.id).outerjoin(Order, Order.contract_id == Contract.id)
    mine = rows.where(Contract.vendor_id == vendor_id, Contract.ref.in_(refs))
    return {row[0].ref: (row[0], row[1] is not None) for row in session.execute(mine).unique()}


def _said(session: Session, contract_ids: Sequence[int]) -> dict[int, list[Fact]]:
    facts: dict[int, list[Fact]] = defaultdict(list)
    rows = select(ContractFact).where(ContractFact.contract_id.in_(contract_ids))
    for fact in session.scalars(rows.order_by(ContractFact.id)):
        facts[fact.contract_id].append(fact)
    return facts
