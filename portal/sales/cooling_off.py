"""For how long a buyer may call a contract off: the rules as data, and the last day of one contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel import us
from portal.kernel.business_days import after_business_days
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, CoolingOffRule, TermsVersion
from portal.store import UnitOfWork
from portal.store.insert import insert_missing

MOST_DAYS = 60
OLDEST = 120
SOLAR = "kW"
STATES = frozenset(us.STATES)
SHIPPED: tuple[dict[str, object], ...] = (
    {
        "state": "",
        "service_unit": "",
        "from_age": 0,
        "business_days": 3,
        "valid_from": date(1974, 6, 7),
        "source": "FTC Cooling-Off Rule, 16 CFR 429",
    },
    {
        "state": "CA",
        "service_unit": "",
        "from_age": 65,
        "business_days": 5,
        "valid_from": date(2021, 1, 1),
        "source": "California AB 2471 (2020), buyers of 65 and over",
    },
    {
        "state": "TX",
        "service_unit": SOLAR,
        "from_age": 0,
        "business_days": 5,
        "valid_from": date(2025, 9, 1),
        "source": "Texas SB 1036 (2025), Occupations Code 1806, residential solar",
    },
)


@dataclass(frozen=True)
class Rule:
    """A rule to be added; `state` and `service_unit` empty for all, `from_age` 0 for everybody."""

    state: str
    service_unit: str
    from_age: int
    business_days: int
    valid_from: date
    source: str


def ensure_rules(uow: UnitOfWork) -> None:
    """Insert the shipped rules where they are missing; what is there stays as it is."""
    insert_missing(uow.session, CoolingOffRule, SHIPPED)


def rules(session: Session) -> Sequence[CoolingOffRule]:
    """All rules, everywhere's first, and of the same kind the newest first."""
    order = (CoolingOffRule.state, CoolingOffRule.service_unit, CoolingOffRule.from_age)
    return session.scalars(select(CoolingOffRule).order_by(*order, CoolingOffRule.valid_from.desc())).all()


def add_rule(uow: UnitOfWork, rule: Rule, *, actor_id: int) -> CoolingOffRule:
    """A rule that counts for contracts signed from its day on; the past is never edited.

    Raises `BadInput` for what cannot be, and for a day before today; `Conflict` where one of the same kind
    begins on that day already.
    """
    _check(rule, today=uow.clock().date())
    same = (
        CoolingOffRule.state == rule.state,
        CoolingOffRule.service_unit == rule.service_unit,
        CoolingOffRule.from_age == rule.from_age,
        CoolingOffRule.valid_from == rule.valid_from,
    )
    if uow.session.scalar(select(CoolingOffRule.id).where(*same)) is not None:
        raise Conflict("A rule of this kind begins on this day already.", field="valid_from")
    made = CoolingOffRule(**vars(rule))
    uow.session.add(made)
    uow.session.flush()
    uow.note("cooling-off.add", thing="cooling_off_rule", thing_id=made.id, actor_id=actor_id)
    return made


def learn(uow: UnitOfWork, contract: Contract, event: VendorEvent) -> bool:
    """Keep where a contract was sold and to whom, when it is told for the first time, and its last day.

    Whether it was told for the first time.
    """
    told = (contract.sold_in or event.customer_state or None, contract.buyer_age)
    told = (told[0], event.customer_age if told[1] is None else told[1])
    if contract.cooling_off_until is not None and told == (contract.sold_in, contract.buyer_age):
        return False
    contract.sold_in, contract.buyer_age = told
    count_last_day(uow, contract)
    return True


def count_last_day(uow: UnitOfWork, contract: Contract) -> None:
    """Count the last day anew, from the day of signing, the terms, and what was told of the buyer."""
    contract.cooling_off_until = _last_day(uow, contract)


def business_days(all_rules: Sequence[CoolingOffRule], contract: Contract) -> int:
    """The business days of the longest rule that fits a contract on the day it was signed."""
    newest: dict[tuple[str, str, int], CoolingOffRule] = {}
    for rule in sorted(all_rules, key=lambda each: each.valid_from):
        if rule.valid_from <= contract.signed_on and _fits(rule, contract):
            newest[rule.state, rule.service_unit, rule.from_age] = rule
    return max((rule.business_days for rule in newest.values()), default=0)


def _last_day(uow: UnitOfWork, contract: Contract) -> date:
    """The later of the days in the vendor's terms and the business days of the law."""
    terms = uow.session.get_one(TermsVersion, contract.terms_version_id)
    known = rules(uow.session)
    if not known:
        ensure_rules(uow)
        known = rules(uow.session)
    by_law = after_business_days(contract.signed_on, business_days(known, contract))
    return max(contract.signed_on + timedelta(days=terms.cooling_off_days), by_law)


def _fits(rule: CoolingOffRule, contract: Contract) -> bool:
    return (
        rule.state in ("", contract.sold_in)
        and rule.service_unit in ("", contract.service.unit)
        and rule.from_age <= (contract.buyer_age or 0)
    )


def _check(rule: Rule, *, today: date) -> None:
    if rule.state and rule.state not in STATES:
        raise BadInput("Please write a state as two letters, such as CA, or leave it empty.", field="state")
    if not 0 <= rule.business_days <= MOST_DAYS:
        raise BadInput(f"Please write 0 to {MOST_DAYS} business days.", field="business_days")
    if not 0 <= rule.from_age <= OLDEST:
        raise BadInput(f"Please write an age from 0 to {OLDEST}.", field="from_age")
    if rule.valid_from < today:
        raise BadInput("A rule begins today or later: the past keeps its own.", field="valid_from")
    if not rule.source.strip():
        raise BadInput("Please name the law or the source.", field="source")
