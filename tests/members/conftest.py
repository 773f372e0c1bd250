"""A company with its packs and its agreement, and a quick hand that writes consultants into it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from portal.extensions import db
from portal.members import service
from portal.members.packs import ensure_defaults
from portal.members.service import Applicant, Invitation
from portal.models import Agreement, Consultant
from portal.payments.recording import PaymentNotice
from portal.store import perform
from tests import people

NOW = datetime(2026, 11, 16, 10, tzinfo=UTC)
HASH = "$argon2id$not-a-real-hash"


class Company:
    """What the tests do with people, each call in a unit of work of its own."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        with app.app_context():
            perform(ensure_defaults)

    def consultant(self, name: str, **where: object) -> int:
        with self.app.app_context():
            return perform(lambda uow: people.add_consultant(uow, name, **where))

    def begin(
        self, name: str, *, sponsor: int | None = None, side: str | None = None, pack: str = "pack"
    ) -> str:
        """A registration whose agreement is accepted; gives its public id."""
        invitation = Invitation(sponsor, side) if sponsor else None
        applicant = Applicant(name, f"{name.replace(' ', '.')}@example.com", HASH)
        with self.app.app_context():
            sha256 = db.session.scalars(select(Agreement.sha256)).one()
            public_id = perform(
                lambda uow: (
                    service.start_registration(
                        uow, applicant=applicant, pack=pack, invitation=invitation
                    ).public_id
                )
            )
            perform(lambda uow: service.accept_agreement(uow, public_id=public_id, sha256=sha256) and None)
        return public_id

    def complete(self, public_id: str, *, ref: str = "", cents: int = 4900, **more: object) -> int | None:
        """Complete it with a payment; gives the consultant's id."""
        notice = PaymentNotice(ref or f"pi_{public_id}", cents, NOW, "usd") if cents else None
        with self.app.app_context():
            return perform(
                lambda uow: _id(
                    service.complete_registration(
                        uow, registration_public_id=public_id, payment=notice, **more
                    )
                )
            )

    def join(self, name: str, *, sponsor: int | None = None, side: str | None = None, **more: object) -> int:
        """From the first form to a consultant."""
        consultant = self.complete(self.begin(name, sponsor=sponsor, side=side), **more)
        assert consultant is not None
        return consultant

    def prefer(self, consultant_id: int, preference: str) -> None:
        with self.app.app_context():
            perform(lambda uow: setattr(uow.session.get(Consultant, consultant_id), "preference", preference))

    def read(self, work: Callable[[object], object]) -> object:
        with self.app.app_context():
            return work(db.session)


def _id(consultant: Consultant | None) -> int | None:
    return consultant.id if consultant else None


@pytest.fixture
def company(app: Flask) -> Company:
    """On both engines."""
    return Company(app)


@pytest.fixture
def small_company(sqlite_app: Flask) -> Company:
    """On SQLite alone, for what does not depend on the engine."""
    return Company(sqlite_app)
