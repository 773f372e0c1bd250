"""Who is signed in: a row for each browser, found by the hash of a random token. Nothing else decides.

Flask's signed cookie only carries the token. Ending the row ends the session, whatever cookies are left.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from flask import Flask, Request, g, request, session
from sqlalchemy import select, update

from portal.extensions import db, login_manager
from portal.kernel.clock import utc_now
from portal.models import AccountUser, LoginSession
from portal.store import UnitOfWork, perform

TOKEN = "token"
TICK_HEADER = "Canopy-Tick"

IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=90)
STAFF_IDLE = timedelta(minutes=15)
STAFF_ABSOLUTE = timedelta(hours=12)
NOTED_EVERY = timedelta(minutes=1)


def register(app: Flask) -> None:
    """Let Flask-Login read our rows, and keep its own cookies out of it."""
    app.config.update(
        # The row decides how long a session lives; the cookie only has to live as long as any row may.
        PERMANENT_SESSION_LIFETIME=ABSOLUTE,
        SESSION_REFRESH_EACH_REQUEST=False,
        # Flask-Login asks for a remember-me cookie before it asks us; nobody can send one of this name.
        REMEMBER_COOKIE_NAME="=",
    )
    login_manager.session_protection = None
    login_manager.login_message = None
    login_manager.request_loader(_load_user)
    app.before_request(_note_use)


def open_session(uow: UnitOfWork, *, user_id: int) -> str:
    """Begin a session; gives the token, which is kept nowhere else."""
    token = secrets.token_urlsafe(32)
    now = uow.clock()
    row = LoginSession(
        token_hash=_hashed(token), user_id=user_id, created_at=now, used_at=now, confirmed_at=now
    )
    uow.session.add(row)
    uow.session.flush()
    return token


def confirm_session(uow: UnitOfWork, *, token: str) -> str:
    """The password was given again: the session counts as confirmed now, under a new token."""
    fresh = secrets.token_urlsafe(32)
    uow.session.execute(
        update(LoginSession)
        .where(LoginSession.token_hash == _hashed(token), LoginSession.ended_at.is_(None))
        .values(token_hash=_hashed(fresh), confirmed_at=uow.clock())
    )
    return fresh


def end_session(uow: UnitOfWork, *, token: str) -> None:
    """Sign one browser out."""
    _end(uow, LoginSession.token_hash == _hashed(token))


def end_all_sessions(uow: UnitOfWork, *, user_id: int) -> None:
    """Sign a user out everywhere."""
    _end(uow, LoginSession.user_id == user_id)


def disable_user(uow: UnitOfWork, *, user_id: int) -> None:
    """Shut a user out, at once and everywhere."""
    user = uow.session.get_one(AccountUser, user_id)
    user.disabled_at = user.disabled_at or uow.clock()
    end_all_sessions(uow, user_id=user_id)


def change_password(uow: UnitOfWork, *, user_id: int, password_hash: str) -> None:
    """Set a new password and end every session that was opened with the old one."""
    uow.session.get_one(AccountUser, user_id).password_hash = password_hash
    end_all_sessions(uow, user_id=user_id)


def keep_token(token: str) -> None:
    """Start the browser's session afresh with this token: nothing that was planted before survives."""
    session.clear()
    session[TOKEN] = token
    session.permanent = True


def current_session() -> LoginSession | None:
    """The row of this request's session, when it is valid."""
    if "login_session" not in g:
        g.login_session = _find(session.get(TOKEN), utc_now())
    return g.login_session


def confirmed_within(minutes: int) -> bool:
    """Whether the password was entered in the last `minutes`."""
    row = current_session()
    return row is not None and utc_now() - row.confirmed_at <= timedelta(minutes=minutes)


def is_tick() -> bool:
    """Whether the page asked by itself, without a hand: that does not keep a session alive."""
    return TICK_HEADER in request.headers or request.args.get("tick") == "1"


def is_over(row: LoginSession, now: datetime) -> bool:
    """Whether a session has ended, was left alone too long, is too old, or its user is disabled."""
    staff = bool(row.user.roles - {"consultant"})
    idle, absolute = (STAFF_IDLE, STAFF_ABSOLUTE) if staff else (IDLE, ABSOLUTE)
    too_old = now - row.used_at > idle or now - row.created_at > absolute
    return row.ended_at is not None or too_old or not row.user.is_active


def _load_user(_request: Request) -> AccountUser | None:
    row = current_session()
    return row.user if row else None


def _find(token: object, now: datetime) -> LoginSession | None:
    if not isinstance(token, str):
        return None
    row = db.session.scalar(select(LoginSession).where(LoginSession.token_hash == _hashed(token)))
    return None if row is None or is_over(row, now) else row


def _note_use() -> None:
    """Write down, once a minute at most, that the session is in use."""
    if request.endpoint == "static" or TOKEN not in session or is_tick():
        return
    row, now = current_session(), utc_now()
    if row is not None and now - row.used_at >= NOTED_EVERY:
        row_id = row.id
        perform(lambda uow: _set_used(uow, row_id=row_id))


def _set_used(uow: UnitOfWork, *, row_id: int) -> None:
    statement = update(LoginSession).where(LoginSession.id == row_id, LoginSession.ended_at.is_(None))
    uow.session.execute(statement.values(used_at=uow.clock()))


def _end(uow: UnitOfWork, condition: object) -> None:
    statement = update(LoginSession).where(condition, LoginSession.ended_at.is_(None))  # type: ignore[arg-type]
    uow.session.execute(statement.values(ended_at=uow.clock()))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
