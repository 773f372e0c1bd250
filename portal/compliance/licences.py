"""The licence register: a consultant sends a licence in, somebody else verifies it, and only then it counts.

A licence is never changed into another one: a renewal is a row of its own. Sales are held against the rows
that are verified for the day of signing, so ending one early leaves the days before its end covered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.compliance.documents import Document
from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.facts import LicenceRejected, LicenceVerified
from portal.kernel.ids import new_id
from portal.kernel.us import STATES
from portal.models import AccountUser, Consultant, Licence, LicenceDocument, TermsVersion
from portal.store import UnitOfWork
from portal.store.locks import advisory, lock_where

SUBMITTED, VERIFIED, REJECTED, ENDED = "submitted", "verified", "rejected", "ended"
LONGEST_NUMBER: Final = 60
LONGEST_REASON: Final = 500
MOST_YEARS: Final = 30
MOST_WAITING: Final = 20
# `reminded_days` of a licence about whose end nobody has to be reminded.
NEVER_MIND: Final = 0
_NUMBER: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z .,/#-]*")


@dataclass(frozen=True)
class Wish:
    """A licence as its owner writes it down."""

    kind: str
    region: str
    number: str
    valid_from: date
    expires_on: date


def kinds(session: Session) -> list[str]:
    """Every kind of licence that the terms of some service ask for."""
    asked = select(TermsVersion.licence_kind).where(TermsVersion.licence_kind.is_not(None))
    return sorted(kind for kind in session.scalars(asked.distinct()) if kind)


def submit(uow: UnitOfWork, wish: Wish, document: Document, *, consultant_id: int, actor_id: int) -> Licence:
    """Send a licence in; it counts once somebody verified it. Raises `BadInput`, `Conflict`."""
    number = _checked(uow, wish)
    advisory(uow, f"licences-{consultant_id}")
    _refuse_again(uow, wish, number=number, consultant_id=consultant_id)
    licence = Licence(
        public_id=new_id(),
        consultant_id=consultant_id,
        kind=wish.kind,
        region=wish.region,
        number=number,
        valid_from=wish.valid_from,
        expires_on=wish.expires_on,
        state=SUBMITTED,
        submitted_at=uow.clock(),
    )
    uow.session.add(licence)
    uow.session.flush()
    uow.session.add(
        LicenceDocument(
            licence_id=licence.id,
            file_name=document.file_name,
            media_type=document.media_type,
            sha256=document.sha256,
            content=document.content,
        )
    )
    uow.note("licence submitted", thing="licence", thing_id=licence.id, actor_id=actor_id)
    return licence


def verify(uow: UnitOfWork, *, public_id: str, actor_id: int, reason: str) -> Licence:
    """Vouch for a licence: from now on it counts for every day from its first to its last.

    A reason is needed where it begins before the day on which it was sent in, since sales of days that are
    past may count then. Raises `NotYours`, `BadInput`, `Conflict`.
    """
    licence = _locked(uow, public_id, actor_id=actor_id, among=(SUBMITTED, REJECTED))
    said = _said(reason, needed=is_backdated(licence))
    _decide(uow, licence, state=VERIFIED, actor_id=actor_id, reason=said)
    uow.publish(LicenceVerified(licence_id=licence.id), key=f"licence-{licence.id}-verified")
    return licence


def reject(uow: UnitOfWork, *, public_id: str, actor_id: int, reason: str) -> Licence:
    """Send a licence back with the reason. Raises `NotYours`, `BadInput`, `Conflict`."""
    licence = _locked(uow, public_id, actor_id=actor_id, among=(SUBMITTED,))
    _decide(uow, licence, state=REJECTED, actor_id=actor_id, reason=_said(reason, needed=True))
    uow.publish(LicenceRejected(licence_id=licence.id), key=f"licence-{licence.id}-rejected")
    return licence


def end_early(uow: UnitOfWork, *, public_id: str, last_day: date, actor_id: int, reason: str) -> Licence:
    """Let a verified licence end on a day before the one it was given to.

    Days up to the last one stay covered; with a last day before its first one it never counted. What was
    sold already stays sold. Raises `NotYours`, `BadInput`, `Conflict`.
    """
    licence = _locked(uow, public_id, actor_id=actor_id, among=(VERIFIED,))
    said = _said(reason, needed=True)
    if last_day >= licence.expires_on:
        raise BadInput("Please give a day before the one on which it expires.", field="last_day")
    never = last_day < licence.valid_from
    licence.expires_on = licence.expires_on if never else last_day
    licence.reminded_days = NEVER_MIND
    _decide(uow, licence, state=ENDED if never else VERIFIED, actor_id=actor_id, reason=said)
    return licence


def is_backdated(licence: Licence) -> bool:
    """Whether verifying it lets sales count that were signed before it was sent in."""
    return licence.valid_from < licence.submitted_at.astimezone(UTC).date()


def _checked(uow: UnitOfWork, wish: Wish) -> str:
    """The number in one form. Raises `BadInput` at the field that is wrong."""
    number = " ".join(wish.number.split())
    today = uow.clock().date()
    if wish.kind not in kinds(uow.session):
        raise BadInput("Please choose what the licence is for.", field="kind")
    if wish.region not in STATES:
        raise BadInput("Please choose the state that gave the licence.", field="region")
    if len(number) > LONGEST_NUMBER or not _NUMBER.fullmatch(number):
        raise BadInput("Please write the number as it stands on the licence.", field="number")
    if wish.expires_on < wish.valid_from:
        raise BadInput("It cannot expire before it begins.", field="expires_on")
    if abs(wish.valid_from.year - today.year) > MOST_YEARS:
        raise BadInput("Please check the year.", field="valid_from")
    if wish.expires_on.year - today.year > MOST_YEARS:
        raise BadInput("Please check the year.", field="expires_on")
    return number


def _refuse_again(uow: UnitOfWork, wish: Wish, *, number: str, consultant_id: int) -> None:
    mine = Licence.consultant_id == consultant_id
    waiting = select(func.count(Licence.id)).where(mine, Licence.state == SUBMITTED)
    if (uow.session.scalar(waiting) or 0) >= MOST_WAITING:
        raise Conflict("Please wait until we looked at the licences that you sent in.")
    same = select(Licence.number).where(
        mine,
        Licence.kind == wish.kind,
        Licence.region == wish.region,
        Licence.expires_on == wish.expires_on,
        Licence.state.in_((SUBMITTED, VERIFIED)),
    )
    if number in uow.session.scalars(same).all():
        raise Conflict("You sent this licence in already.", field="number")


def _locked(uow: UnitOfWork, public_id: str, *, actor_id: int, among: tuple[str, ...]) -> Licence:
    licence = lock_where(uow, Licence, Licence.public_id == public_id)
    if licence is None:
        raise NotYours("There is nothing here under this address.")
    owner = select(Consultant.person_id).where(Consultant.id == licence.consultant_id)
    actor = select(AccountUser.person_id).where(AccountUser.id == actor_id)
    if uow.session.scalar(owner) == uow.session.scalar(actor):
        raise Conflict("This is your own licence: somebody else has to decide on it.")
    if licence.state not in among:
        raise Conflict("Somebody decided on this licence already.")
    return licence


def _decide(uow: UnitOfWork, licence: Licence, *, state: str, actor_id: int, reason: str) -> None:
    """Write a decision down; the reason for which it was verified stays as long as there is room for both."""
    is_end = licence.state == VERIFIED
    both = f"{licence.decision} {reason}" if is_end and licence.decision else reason
    licence.decision = (both if len(both) <= LONGEST_REASON else reason) or None
    licence.state, licence.decided_by, licence.decided_at = state, actor_id, uow.clock()
    uow.session.flush()
    last_day = licence.expires_on.isoformat()
    action = f"licence {ENDED if is_end else state}"
    uow.note(action, thing="licence", thing_id=licence.id, actor_id=actor_id, last_day=last_day)


def _said(reason: str, *, needed: bool) -> str:
    said = " ".join(reason.split())
    if (needed and not said) or len(said) > LONGEST_REASON:
        raise BadInput(f"Please write why, in at most {LONGEST_REASON} characters.", field="reason")
    return said
