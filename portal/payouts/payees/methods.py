"""Ways to pay: their terms are data, edited by an admin; a provider's settings are sealed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.money import Cents, round_half_away
from portal.models import PayoutMethod
from portal.payouts.payees.providers import changed
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

AUTOMATIC_KINDS = ("stripe", "http")
_COUNTRY = re.compile("[A-Z]{2}")


@dataclass(frozen=True)
class MethodTerms:
    """What an admin edits: amounts in cents, `fee_rate` in ten-thousandths, countries as two letters."""

    name: str
    enabled: bool
    countries: tuple[str, ...]
    minimum_cents: int
    maximum_cents: int
    daily_limit_cents: int
    run_limit_cents: int
    automatic_limit_cents: int
    fee_cents: int
    fee_rate: int


def change_method(
    uow: UnitOfWork, terms: MethodTerms, *, code: str, actor_id: int, settings: dict[str, Any] | None = None
) -> PayoutMethod:
    """Give a method other terms; `settings` None keeps the ones it has.

    Raises `BadInput` naming the field that is not right, `NotYours` for an unknown method.
    """
    _check(terms)
    method = lock_row(uow, PayoutMethod, _id_of(uow.session, code))
    if terms.enabled and method.kind in ("nacha", "http") and not (settings or method.settings):
        raise BadInput("This method needs its settings before it can be offered.", field="enabled")
    names = _changed(method, terms, settings)
    _write(method, terms, settings)
    uow.note("method.change", thing="payout_method", thing_id=method.id, actor_id=actor_id, changed=names)
    uow.session.flush()
    return method


def add_http_method(
    uow: UnitOfWork, terms: MethodTerms, *, code: str, actor_id: int, settings: dict[str, Any]
) -> PayoutMethod:
    """Add a provider that is called over HTTP as its settings say.

    Raises `BadInput` naming the field that is not right, `Conflict` for a code that is taken.
    """
    _check(terms)
    if not re.fullmatch("[a-z][a-z0-9-]{1,30}", code):
        raise BadInput("A code is 2 to 31 small letters, digits and dashes.", field="code")
    if uow.session.scalar(select(PayoutMethod.id).where(PayoutMethod.code == code)) is not None:
        raise Conflict("There is a method of this code already.", field="code")
    position = (uow.session.scalar(select(func.max(PayoutMethod.position))) or 0) + 1
    method = PayoutMethod(code=code, kind="http", position=position, created_at=uow.clock())
    _write(method, terms, settings)
    uow.session.add(method)
    uow.session.flush()
    uow.note("method.add", thing="payout_method", thing_id=method.id, actor_id=actor_id)
    return method


def fee_of(method: PayoutMethod, amount: int) -> Cents:
    """What the method costs for an amount, in cents: the flat fee and its share."""
    return Cents(method.fee_cents + round_half_away(amount * method.fee_rate, 10_000))


def all_methods(session: Session) -> Sequence[PayoutMethod]:
    """Every method in its order, those not on offer too."""
    return session.scalars(select(PayoutMethod).order_by(PayoutMethod.position, PayoutMethod.id)).all()


def offered(session: Session) -> list[PayoutMethod]:
    """The methods that consultants may choose."""
    return [method for method in all_methods(session) if method.enabled]


def method_by_code(session: Session, code: str) -> PayoutMethod:
    """A method; raises `NotYours` for an unknown one."""
    return session.get_one(PayoutMethod, _id_of(session, code))


def settings_of(method: PayoutMethod) -> dict[str, Any]:
    """What a provider or a bank file needs to know, unsealed; empty where nothing was written."""
    found = json.loads(method.settings) if method.settings else {}
    return dict(found)


def _id_of(session: Session, code: str) -> int:
    found = session.scalar(select(PayoutMethod.id).where(PayoutMethod.code == code))
    if found is None:
        raise NotYours("There is nothing here under this address.")
    return found


def _changed(method: PayoutMethod, terms: MethodTerms, settings: dict[str, Any] | None) -> list[str]:
    """What is not what it was, by name; what a provider's settings hold is for nobody to read."""
    now = {**vars(terms), "countries": list(terms.countries)}
    names = [name for name, value in now.items() if getattr(method, name) != value]
    return names + [f"settings.{name}" for name in changed(settings_of(method), settings)]


def _write(method: PayoutMethod, terms: MethodTerms, settings: dict[str, Any] | None) -> None:
    for name, value in vars(terms).items():
        setattr(method, name, list(value) if name == "countries" else value)
    if settings is not None:
        method.settings = json.dumps(settings)


def _check(terms: MethodTerms) -> None:
    if not terms.name.strip() or len(terms.name) > 60:
        raise BadInput("Please give the method a name of up to 60 letters.", field="name")
    if not terms.countries or not all(_COUNTRY.fullmatch(country) for country in terms.countries):
        raise BadInput("Please write countries as two letters, such as US.", field="countries")
    _check_limits(terms)
    if terms.fee_cents < 0 or not 0 <= terms.fee_rate < 10_000:
        raise BadInput("A fee is 0 or more, and its share below 100 %.", field="fee_cents")
    if terms.fee_cents + terms.minimum_cents * terms.fee_rate // 10_000 >= terms.minimum_cents:
        raise BadInput("The fee would eat up the smallest amount.", field="fee_cents")


def _check_limits(terms: MethodTerms) -> None:
    if terms.minimum_cents <= 0:
        raise BadInput("The smallest amount is more than 0.", field="minimum_cents")
    if terms.maximum_cents < terms.minimum_cents:
        raise BadInput("The largest amount is below the smallest.", field="maximum_cents")
    for field in ("daily_limit_cents", "run_limit_cents"):
        if getattr(terms, field) < terms.minimum_cents:
            raise BadInput("With this limit nobody could be paid.", field=field)
    if terms.automatic_limit_cents < 0:
        raise BadInput("A limit is not below 0.", field="automatic_limit_cents")
