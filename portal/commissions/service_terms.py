"""The plan of a cycle together with the terms of what was sold in it.

Terms that share a service's revenue among vendor, company, consultant and upline take the place of what
the plan pays on revenue. The engine knows plans alone, so a cycle is computed with its plan and, beside the
plan's own services, one for each version of terms that its sales have. That whole document is frozen with
the inputs of a run: terms and names may change later, the run stays what it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session, joinedload

from portal.engine import Plan
from portal.models import Service, TermsVersion

Ints = NDArray[np.int64]

NONE: Final = -1
_FIRST: Final = -2
# No code of a service has a slash or an @: what a plan calls by its code is never taken for terms.
_NAME: Final = re.compile(r"([a-z0-9]+)/([A-Za-z0-9_.-]+)@(\d{4}-\d{2}-\d{2})")


class Named(NamedTuple):
    """Which terms an entry of a document stands for: all of it never changes."""

    vendor: str
    service: str
    valid_from: date


@dataclass(frozen=True)
class Shares:
    """Parts of the revenue in ten-thousandths; what nobody is paid stays with vendor and company."""

    consultant: int
    upline: tuple[int, ...]

    @staticmethod
    def of(terms: TermsVersion) -> Shares | None:
        """None where the terms leave that to the plan."""
        if terms.shares is None:
            return None
        shares = cast(Mapping[str, Any], terms.shares)
        return Shares(int(shares.get("consultant", 0)), tuple(shares.get("upline", ())))

    def entry(self, packs: Iterable[str]) -> dict[str, Any]:
        """The same as a plan document says it: to the seller alike on every pack."""
        consultant = _rate(self.consultant)
        return {
            "retail": dict.fromkeys(packs, consultant),
            "revenue_share": [_rate(share) for share in self.upline],
        }


def has_shares(session: Session) -> bool:
    """Whether the terms of anything sold share its revenue by themselves."""
    return (
        session.scalar(select(TermsVersion.id).where(TermsVersion.shares.is_not(None)).limit(1)) is not None
    )


def service_index(codes: Iterable[str], *, shares: bool) -> ColumnElement[int]:
    """A sale's place among the codes of a plan, or what says which terms share its revenue; -1 for neither.

    Needs `TermsVersion`, and for codes `Service` in the statement.
    """
    places = {code: index for index, code in enumerate(codes)}
    by_code: Any = case(places, value=Service.code, else_=NONE) if places else NONE
    if not shares:
        return cast(ColumnElement[int], by_code)
    return case((TermsVersion.shares.is_not(None), _FIRST - TermsVersion.id), else_=by_code)


def with_terms(session: Session, plan: Plan, services: Ints, *, packs: Iterable[str]) -> tuple[Plan, Ints]:
    """The plan with an entry for each version of terms among the services of some sales, and their places."""
    ids = sorted({_FIRST - int(value) for value in np.unique(services[services <= _FIRST])})
    if not ids:
        return plan, services
    named = _named(session, ids)
    packs = tuple(packs)
    entries = {name: shares.entry(packs) for name, shares in named.values()}
    whole = extended(plan, entries)
    wanted = {_FIRST - terms_id: name for terms_id, (name, _) in named.items()}
    wanted |= dict(enumerate(plan.services))
    return whole, moved(services, wanted, whole)


def extended(plan: Plan, entries: Mapping[str, Any]) -> Plan:
    """A plan with more services."""
    own = plan.document.get("services") or {}
    return Plan.parse({**plan.document, "services": {**own, **entries}}) if entries else plan


def moved(services: Ints, names: Mapping[int, str], plan: Plan) -> Ints:
    """Services by the name that each number stands for, as places in a plan; -1 for what it does not name."""
    found, at = np.unique(services, return_inverse=True)
    places = {name: place for place, name in enumerate(plan.services)}
    wanted = [places.get(names.get(int(value), ""), NONE) for value in found]
    return np.array(wanted, np.int64)[at] if len(found) else services


def entries_of(plan: Plan) -> dict[str, Any]:
    """The entries of a plan that stand for terms."""
    own = plan.document.get("services") or {}
    return {name: entry for name, entry in own.items() if named(name) is not None}


def entry_name(service: Service, terms: TermsVersion) -> str:
    """What terms are called in a plan: nothing of it ever changes."""
    return f"{service.vendor.public_id}/{service.code}@{terms.valid_from.isoformat()}"


def named(entry: str) -> Named | None:
    """Which terms an entry stands for; None for one of the plan's own."""
    found = _NAME.fullmatch(entry)
    return Named(found[1], found[2], date.fromisoformat(found[3])) if found else None


def _named(session: Session, ids: list[int]) -> dict[int, tuple[str, Shares]]:
    rows = session.execute(
        select(TermsVersion, Service)
        .join(Service, Service.id == TermsVersion.service_id)
        .where(TermsVersion.id.in_(ids), TermsVersion.shares.is_not(None))
        .options(joinedload(Service.vendor))
    )
    found = {}
    for terms, service in rows:
        shares = Shares.of(terms)
        assert shares is not None, "these were chosen for their shares"
        found[terms.id] = entry_name(service, terms), shares
    return found


def _rate(ten_thousandths: int) -> str:
    return f"{ten_thousandths // 10_000}.{ten_thousandths % 10_000:04d}"
