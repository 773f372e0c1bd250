"""Signing in: the password is looked at, a session begins."""

from __future__ import annotations

from flask import session

from portal.access import attempts, passwords, sessions
from portal.auth.queries import user_by_email
from portal.extensions import db
from portal.models import AccountUser
from portal.store import UnitOfWork, perform


def user_with_password(email: str, password: str, *, browser: str = "") -> AccountUser | None:
    """The user to whom both belong.

    An unknown e-mail, a wrong password, a disabled user and an account that waits after wrong tries take the
    same time and give the same answer: None.
    """
    allowed = attempts.may_try(email, browser=browser)
    user = user_by_email(db.session(), email)
    known = user is not None and user.is_active and allowed
    if not passwords.matches(user.password_hash if user and known else None, password):
        return None
    attempts.forget(email, browser=browser)
    return user


def begin(user: AccountUser, password: str) -> None:
    """Sign this browser in, under a fresh session; an old hash of the password is made anew."""
    fresh_hash = passwords.hash_password(password) if passwords.is_outdated(user.password_hash) else ""
    user_id = user.id
    before = session.get(sessions.TOKEN)
    sessions.keep_token(
        perform(lambda uow: _begin(uow, user_id=user_id, fresh_hash=fresh_hash, before=before))
    )


def confirm() -> None:
    """The password was right once more: note it, under a fresh token."""
    token = session[sessions.TOKEN]
    session[sessions.TOKEN] = perform(lambda uow: sessions.confirm_session(uow, token=token))


def end() -> None:
    """Sign this browser out; what it still holds opens nothing."""
    token = session.get(sessions.TOKEN)
    session.clear()
    if isinstance(token, str):
        perform(lambda uow: sessions.end_session(uow, token=token))


def _begin(uow: UnitOfWork, *, user_id: int, fresh_hash: str, before: object) -> str:
    if isinstance(before, str):
        sessions.end_session(uow, token=before)
    if fresh_hash:
        uow.session.get_one(AccountUser, user_id).password_hash = fresh_hash
    return sessions.open_session(uow, user_id=user_id)
