"""API tokens: shown once, kept as their SHA-256, never able to do more than their user."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.ids import new_id
from portal.models import AccountUser, ApiToken
from portal.store import UnitOfWork
from portal.store.locks import lock_row, lock_where

MEMBERS, LEADS, ADD_LEADS, SALES, EARNINGS = SCOPES = (
    "members:read",
    "leads:read",
    "leads:write",
    "sales:read",
    "earnings:read",
)
PREFIX: Final = "cnp_"
LONGEST_NAME: Final = 100
MOST_TOKENS: Final = 20
LIFETIMES: Final = (30, 90, 365)
NOTED_EVERY: Final = timedelta(minutes=1)

_SHAPE: Final = re.compile(r"cnp_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Wish:
    """A token as somebody wants it: what it is for, what it may do, for how many days (0 for no end)."""

    name: str
    scopes: tuple[str, ...]
    days: int


@dataclass(frozen=True)
class ShownToken:
    """A new token and its text, which is kept nowhere."""

    token: ApiToken
    text: str


def add_token(uow: UnitOfWork, *, user_id: int, wish: Wish) -> ShownToken:
    """Make a token. Raises `BadInput` naming the field, `Conflict` where there are too many."""
    name = " ".join(wish.name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadInput("Please say what the token is for, in up to 100 letters.", field="name")
    if not wish.scopes or not set(wish.scopes) <= set(SCOPES):
        raise BadInput("Please choose what the token may do.", field="scopes")
    if wish.days and wish.days not in LIFETIMES:
        raise BadInput("Please choose one of the terms.", field="days")
    lock_row(uow, AccountUser, user_id)
    if len(live_tokens(uow.session, user_id, uow.clock())) >= MOST_TOKENS:
        raise Conflict(f"There are {MOST_TOKENS} tokens already. Please revoke one first.")
    text, now = PREFIX + secrets.token_urlsafe(32), uow.clock()
    token = ApiToken(
        public_id=new_id(),
        user_id=user_id,
        name=name,
        scopes=[scope for scope in SCOPES if scope in wish.scopes],
        token_hash=_hashed(text),
        created_at=now,
        expires_at=now + timedelta(days=wish.days) if wish.days else None,
    )
    uow.session.add(token)
    uow.session.flush()
    uow.note("api-token.make", thing="api_token", thing_id=token.id, actor_id=user_id, scopes=token.scopes)
    return ShownToken(token, text)


def revoke_token(uow: UnitOfWork, *, user_id: int, public_id: str) -> None:
    """End a token at once. Raises `NotYours` for somebody else's; one that is over stays as it is."""
    mine = (ApiToken.public_id == public_id, ApiToken.user_id == user_id)
    token = lock_where(uow, ApiToken, *mine)
    if token is None:
        raise NotYours("There is nothing here under this address.")
    if token.revoked_at is None:
        token.revoked_at = uow.clock()
        uow.note("api-token.revoke", thing="api_token", thing_id=token.id, actor_id=user_id)


def live_tokens(session: Session, user_id: int, now: datetime) -> Sequence[ApiToken]:
    """A user's tokens that can be used, oldest first."""
    own = select(ApiToken).where(ApiToken.user_id == user_id, *_live(now))
    return session.scalars(own.order_by(ApiToken.id)).all()


def over_tokens(session: Session, user_id: int, now: datetime) -> Sequence[ApiToken]:
    """A user's tokens that were revoked or have expired, newest first, the last few."""
    ended = or_(ApiToken.revoked_at.is_not(None), ApiToken.expires_at <= now)
    own = select(ApiToken).where(ApiToken.user_id == user_id, ended)
    return session.scalars(own.order_by(ApiToken.id.desc()).limit(MOST_TOKENS)).all()


def token_of(session: Session, text: str, now: datetime) -> tuple[ApiToken, AccountUser] | None:
    """The token of this text and its user; None where nobody may use it any more."""
    if _SHAPE.fullmatch(text) is None:
        return None
    known = (
        select(ApiToken, AccountUser)
        .join(AccountUser, AccountUser.id == ApiToken.user_id)
        .where(ApiToken.token_hash == _hashed(text), AccountUser.disabled_at.is_(None), *_live(now))
    )
    found = session.execute(known).one_or_none()
    return None if found is None else (found[0], found[1])


def is_to_be_noted(token: ApiToken, now: datetime) -> bool:
    """Whether the time of the last use is to be written down: about once a minute."""
    return token.used_at is None or now - token.used_at >= NOTED_EVERY


def note_use(uow: UnitOfWork, *, token_id: int) -> None:
    """Write down that a token was used now."""
    uow.session.get_one(ApiToken, token_id).used_at = uow.clock()


def _live(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (ApiToken.revoked_at.is_(None), or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
