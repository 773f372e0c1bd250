"""Who knocks here with a token, what it may do, and for whom: never more than its user at this moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, NoReturn, TypeVar

from flask import Response, abort, current_app, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolIsEmpty

from portal.access.permissions import granted
from portal.extensions import db
from portal.integrations import tokens
from portal.kernel.clock import utc_now
from portal.members.team import Viewer, viewer_for
from portal.models import AccountUser, ApiToken, Pack
from portal.store import perform
from portal.ui import rates
from portal.ui.problems import problem

REQUESTS: Final = rates.Allowance("requests", 600, "TOKEN_REQUESTS_A_MINUTE")
REFUSALS: Final = rates.Allowance("refusals", 120, "TOKEN_REFUSALS_A_MINUTE")
COME_AGAIN: Final = {"Retry-After": "10"}
# By scope: what a consultant, and what somebody of the company must be allowed on our pages.
NEEDED: Final = {
    tokens.MEMBERS: ("see own business", "see company"),
    tokens.LEADS: ("work leads", "route leads"),
    tokens.ADD_LEADS: ("work leads", "route leads"),
    tokens.SALES: ("see own business", "see company"),
    tokens.EARNINGS: ("see own business", "see company"),
}
OF_LEADS: Final = (tokens.LEADS, tokens.ADD_LEADS)

View = TypeVar("View", bound=Callable[..., Response])


@dataclass(frozen=True)
class Caller:
    """The user behind a token, which has a name; `viewer` is their consultant, None for the whole company."""

    user_id: int
    viewer: Viewer | None
    token_name: str

    @property
    def consultant_id(self) -> int | None:
        return self.viewer.id if self.viewer else None


def tokened(scope: str) -> Callable[[View], View]:
    """Give the view the `Caller` of a token with this scope: 401 without one, 403 where it may not."""

    def sign(view: View) -> View:
        @wraps(view)
        def door(**more: Any) -> Response:
            try:
                return view(_caller(scope), **more)
            except (OperationalError, InterfaceError, PoolIsEmpty):
                current_app.logger.exception("the database cannot be reached")
                return problem(503, "We cannot answer now. Please ask again.", headers=COME_AGAIN)

        return door  # type: ignore[return-value]

    return sign


def _caller(scope: str) -> Caller:
    now = utc_now()
    known = tokens.token_of(db.session(), _offered(), now)
    if known is None:
        _turn_away()
    token, user = known
    rates.spend(REQUESTS, f"token-{token.id}")
    caller = _allowed(token, user, scope)
    _note(token)
    return caller


def _turn_away() -> NoReturn:
    nobody = f"no-token-{request.remote_addr or ''}"
    if wait := rates.wait_for(REFUSALS, nobody):
        abort(problem(429, "Too many refused tokens from here.", headers={"Retry-After": str(wait)}))
    rates.count(REFUSALS, nobody)
    asked = {"WWW-Authenticate": 'Bearer realm="canopy"'}
    abort(problem(401, "No token of ours that can be used now.", headers=asked))


def _offered() -> str:
    sent = request.authorization
    return (sent.token or "") if sent is not None and sent.type == "bearer" else ""


def _allowed(token: ApiToken, user: AccountUser, scope: str) -> Caller:
    if scope not in token.scopes:
        _forbid(f"This token has no scope {scope}.")
    own, company = NEEDED[scope]
    may = granted(user.roles)
    if company in may:
        return Caller(user.id, None, token.name)
    if own not in may:
        _forbid("The user of this token may not do this.")
    viewer = viewer_for(db.session(), user.person_id)
    if scope in OF_LEADS and not _has_desk(viewer):
        _forbid("The plan of this token's user has no lead desk.")
    return Caller(user.id, viewer, token.name)


def _has_desk(viewer: Viewer) -> bool:
    pack = db.session.get_one(Pack, viewer.consultant.pack)
    return bool(pack.features.get("lead_desk"))


def _forbid(words: str) -> NoReturn:
    abort(problem(403, words))


def _note(token: ApiToken) -> None:
    """Only now and then: a read must not wait for a write each time."""
    if tokens.is_to_be_noted(token, utc_now()):
        token_id = token.id
        perform(lambda uow: tokens.note_use(uow, token_id=token_id))
