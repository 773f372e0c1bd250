"""Licences of the demo: in several states, one that expires soon, one that is over, some that wait.

Maya's licence for California waits: verifying it releases the sale that is held for want of it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple

from sqlalchemy import select

from portal.cli.demo.calendar import Calendar
from portal.cli.demo.network import MAYA
from portal.cli.demo.rows import Known
from portal.cli.demo.weeks import quietly
from portal.compliance import licences, own_use
from portal.compliance.documents import read_document
from portal.compliance.licences import Wish
from portal.models import AccountUser, Consultant
from portal.store import UnitOfWork

KIND: Final = "solar"
OWN_USE: Final = 300_00
_PAGE: Final = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
)
_FILE: Final = _PAGE + b"trailer<</Root 1 0 R>>\n%%EOF\n"


class Held(NamedTuple):
    """A licence: whose, of which state, since and until how many days from today, and whether it counts."""

    member: int
    state: str
    since: int
    until: int
    verified: bool


LICENCES: Final = (
    Held(MAYA, "TX", 500, 20, True),
    Held(MAYA, "NV", 200, 530, True),
    Held(MAYA, "AZ", 800, -12, True),
    Held(MAYA, "CA", 90, 640, False),
    Held(2, "CA", 300, 430, True),
    Held(2, "TX", 300, 5, True),
    Held(3, "CA", 40, 690, False),
    Held(4, "TX", 100, 55, True),
    Held(6, "NV", 10, 355, False),
)


def add_licences(calendar: Calendar, *, known: Known, actor_id: int) -> None:
    """The register, and how much own use counts in a month."""
    today = calendar.now.astimezone(calendar.zone).date()

    def write(uow: UnitOfWork) -> None:
        for number, held in enumerate(LICENCES):
            consultant_id = known.sellers[held.member]
            wish = _wish(held, today=today, number=f"{held.state} {48_213 + 1_117 * number}")
            file = read_document("licence.pdf", _FILE)
            named = {"consultant_id": consultant_id, "actor_id": _user_of(uow, consultant_id)}
            made = licences.submit(uow, wish, file, **named)
            if held.verified:
                seen = "Seen in the register of the state."
                licences.verify(uow, public_id=made.public_id, actor_id=actor_id, reason=seen)
        own_use.set_rule(uow, valid_from=uow.clock().date(), monthly_volume=OWN_USE, actor_id=actor_id)

    quietly(write, at=calendar.now)


def _wish(held: Held, *, today: date, number: str) -> Wish:
    return Wish(
        KIND, held.state, number, today - timedelta(days=held.since), today + timedelta(days=held.until)
    )


def _user_of(uow: UnitOfWork, consultant_id: int) -> int:
    of_consultant = Consultant.person_id == AccountUser.person_id
    user_id = uow.session.scalar(
        select(AccountUser.id).join(Consultant, of_consultant).where(Consultant.id == consultant_id)
    )
    assert user_id is not None, "every consultant of the demo has a sign-in"
    return user_id
