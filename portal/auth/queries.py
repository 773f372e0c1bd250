"""Reads at the door."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import AccountUser


def user_by_email(session: Session, email: str) -> AccountUser | None:
    """The sign-in of an e-mail, however it is typed."""
    return session.scalar(select(AccountUser).where(AccountUser.email == email.strip().lower()))
