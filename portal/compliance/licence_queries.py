"""Reads of the licence register: a consultant's own page, and the list of those who verify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from portal.compliance.licences import REJECTED, SUBMITTED, VERIFIED
from portal.kernel.errors import NotYours
from portal.models import (
    AccountUser,
    Consultant,
    HeldSale,
    Licence,
    LicenceDocument,
    Person,
    Service,
    TermsVersion,
    Vendor,
)

SOON: Final = timedelta(days=60)
PAGE: Final = 50
MOST_HELD: Final = 500
SHOWN_DIGITS: Final = 4
NOTHING_HERE: Final = "There is nothing here under this address."


@dataclass(frozen=True)
class Need:
    """A service that needs a licence by its terms of a day: which kind, in which states."""

    kind: str
    service: str
    vendor: str
    states: Sequence[str]


@dataclass(frozen=True)
class Own:
    """A licence as its owner sees it: how it stands today, what it lets them sell, what waits for it.

    `standing` is `submitted`, `rejected`, `ended`, `coming`, `running`, `ending` or `expired`; `held` counts
    own sales that are held because a licence of this kind is missing in this state.
    """

    licence: Licence
    standing: str
    days_left: int
    sells: Sequence[str]
    held: int


@dataclass(frozen=True)
class Line:
    """A licence in the list of those who verify."""

    licence: Licence
    standing: str
    days_left: int
    name: str
    code: str


@dataclass(frozen=True)
class Chosen:
    """Which licences are listed: in one state, `expired` ones being verified ones that are over.

    With `within` it is the verified ones that expire in so many days; `region` names a state of the country.
    """

    state: str
    within: int = 0
    region: str = ""


@dataclass(frozen=True)
class One:
    """A licence with its owner, its file without the content, and who decided on it."""

    licence: Licence
    standing: str
    consultant: Consultant
    file_name: str
    media_type: str
    sha256: str
    decided_by: str
    others: Sequence[Licence]


def standing(licence: Licence, today: date) -> str:
    """How a licence stands on a day, in one word."""
    if licence.state != VERIFIED:
        return licence.state
    if licence.expires_on < today:
        return "expired"
    if licence.valid_from > today:
        return "coming"
    return "ending" if licence.expires_on <= today + SOON else "running"


def masked(number: str) -> str:
    """The last characters of a number, as its owner sees it."""
    return f"••{number[-SHOWN_DIGITS:]}" if len(number) > SHOWN_DIGITS else "••••"


def needs(session: Session, today: date) -> list[Need]:
    """The services on sale today that need a licence somewhere, by vendor and name."""
    on_sale = (Vendor.disabled_at.is_(None), Service.withdrawn_at.is_(None), TermsVersion.valid_from <= today)
    rows = session.execute(
        select(Service, TermsVersion)
        .join(TermsVersion, TermsVersion.service_id == Service.id)
        .join(Vendor, Vendor.id == Service.vendor_id)
        .where(*on_sale)
        .options(joinedload(Service.vendor))
        .order_by(Vendor.name, Service.name, TermsVersion.valid_from)
    )
    newest = {service.id: (service, terms) for service, terms in rows}
    return [
        Need(terms.licence_kind, service.name, service.vendor.name, sorted(terms.licence_states))
        for service, terms in newest.values()
        if terms.licence_kind and terms.licence_states
    ]


def own_licences(
    session: Session, consultant_id: int, held: dict[tuple[str, str], int], *, today: date
) -> list[Own]:
    """A consultant's licences: those that count first, by state; then the others, the newest first."""
    mine = select(Licence).where(Licence.consultant_id == consultant_id)
    found = session.scalars(mine.order_by(Licence.region, Licence.kind, Licence.expires_on.desc())).all()
    asked = needs(session, today) if found else []
    shown = [
        Own(
            licence,
            standing(licence, today),
            (licence.expires_on - today).days,
            [need.service for need in asked if _is_for(need, licence)],
            held.get((licence.kind, licence.region), 0),
        )
        for licence in found
    ]
    first = {"ending": 0, "running": 0, "coming": 0, SUBMITTED: 1, REJECTED: 2, "expired": 3}
    return sorted(shown, key=lambda each: first.get(each.standing, 4))


def covered(session: Session, consultant_id: int, *, today: date) -> set[tuple[str, str]]:
    """Kind and state of every licence of a consultant that counts today."""
    rows = session.execute(
        select(Licence.kind, Licence.region).where(
            Licence.consultant_id == consultant_id,
            Licence.state == VERIFIED,
            Licence.valid_from <= today,
            Licence.expires_on >= today,
        )
    )
    return {(kind, region) for kind, region in rows}


def held_for_licences(session: Session, consultant_id: int) -> dict[tuple[str, str], int]:
    """By kind and state, how many sales of a consultant are held because such a licence is missing."""
    mine = select(HeldSale.reasons).where(HeldSale.consultant_id == consultant_id, HeldSale.state == "held")
    counted: dict[tuple[str, str], int] = {}
    for reasons in session.scalars(mine.order_by(HeldSale.id.desc()).limit(MOST_HELD)):
        for reason in reasons:
            if reason.get("code") == "licence":
                key = str(reason["kind"]), str(reason["region"])
                counted[key] = counted.get(key, 0) + 1
    return counted


def own_licence(session: Session, consultant_id: int, public_id: str) -> Licence:
    """One licence of a consultant. Raises `NotYours`."""
    mine = (Licence.consultant_id == consultant_id, Licence.public_id == public_id)
    found = session.scalar(select(Licence).where(*mine))
    if found is None:
        raise NotYours(NOTHING_HERE)
    return found


def document_of(session: Session, licence_id: int) -> LicenceDocument:
    """The file of a licence, with its content. Raises `NotYours`."""
    found = session.get(LicenceDocument, licence_id)
    if found is None:
        raise NotYours(NOTHING_HERE)
    return found


def queue(session: Session, chosen: Chosen, *, today: date, skip: int = 0) -> list[Line]:
    """A page of licences, with one more than fits where there are more.

    Those that wait come in their order, the others by the day they expire.
    """
    wanted = _lines().where(*_asked(chosen, today))
    order = Licence.submitted_at if chosen == Chosen(SUBMITTED, region=chosen.region) else Licence.expires_on
    rows = session.execute(wanted.order_by(order, Licence.id).offset(skip).limit(PAGE + 1))
    return [
        Line(licence, standing(licence, today), (licence.expires_on - today).days, name, code)
        for licence, name, code in rows
    ]


def waiting(session: Session) -> int:
    """How many licences wait to be verified."""
    return session.scalar(select(func.count(Licence.id)).where(Licence.state == SUBMITTED)) or 0


def expiring(session: Session, *, today: date, within: int) -> int:
    """How many verified licences expire in so many days."""
    conditions = _asked(Chosen(VERIFIED, within), today)
    return session.scalar(select(func.count(Licence.id)).where(*conditions)) or 0


def one(session: Session, public_id: str, *, today: date) -> One:
    """One licence for who verifies it. Raises `NotYours`."""
    licence = session.scalar(select(Licence).where(Licence.public_id == public_id))
    if licence is None:
        raise NotYours(NOTHING_HERE)
    columns = (LicenceDocument.file_name, LicenceDocument.media_type, LicenceDocument.sha256)
    file = session.execute(select(*columns).where(LicenceDocument.licence_id == licence.id)).one_or_none()
    decided = select(Person.name).join(AccountUser, AccountUser.person_id == Person.id)
    theirs = (Licence.consultant_id == licence.consultant_id, Licence.id != licence.id)
    return One(
        licence,
        standing(licence, today),
        session.get_one(Consultant, licence.consultant_id),
        *(file or ("", "", "")),
        decided_by=session.scalar(decided.where(AccountUser.id == licence.decided_by)) or "",
        others=session.scalars(select(Licence).where(*theirs).order_by(Licence.id.desc()).limit(PAGE)).all(),
    )


def _asked(chosen: Chosen, today: date) -> list[ColumnElement[bool]]:
    state, last = chosen.state, Licence.expires_on
    conditions = [Licence.region == chosen.region] if chosen.region else []
    if chosen.within:
        soon = last <= today + timedelta(days=chosen.within)
        return [*conditions, Licence.state == VERIFIED, last >= today, soon]
    if state in (VERIFIED, "expired"):
        return [*conditions, Licence.state == VERIFIED, last >= today if state == VERIFIED else last < today]
    return [*conditions, Licence.state == state]


def _lines() -> Any:
    return (
        select(Licence, Person.name, Consultant.code)
        .join(Consultant, Consultant.id == Licence.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
    )


def _is_for(need: Need, licence: Licence) -> bool:
    return need.kind == licence.kind and licence.region in need.states
