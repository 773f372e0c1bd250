"""/stop and /v/confirm: what a person does by the link in a mail, without signing in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.access.guard import public
from portal.desk.access import NOT_HERE
from portal.desk.room import desk
from portal.extensions import db, limiter
from portal.kernel.errors import NotYours
from portal.leads.signing_up import verify
from portal.leads.stopping import stop_contact
from portal.models import Person
from portal.store import UnitOfWork, perform
from portal.store.people import CONFIRM, STOP, person_of_token
from portal.ui import show
from portal.ui.htmx import request


def _stop(uow: UnitOfWork, person: Person) -> None:
    stop_contact(uow, person, reason="Asked for by the person", actor_id=None)


# What the button does, by what the link is good for; its page is the template of that name.
DOORS: Final[dict[str, Callable[[UnitOfWork, Person], None]]] = {STOP: _stop, CONFIRM: verify}


@desk.get("/stop/<token>", defaults={"purpose": STOP})
@desk.get("/v/confirm/<token>", defaults={"purpose": CONFIRM})
@public
@limiter.limit("60 per minute")
def door(token: str, purpose: str) -> Response:
    """What it means, and a button: programs that read mail open every link in it."""
    if person_of_token(db.session(), token, purpose) is None:
        raise NotYours(NOT_HERE)
    return show(f"desk/{purpose}.html", "main", token=token, done="done" in request.args)


@desk.post("/stop/<token>", defaults={"purpose": STOP})
@desk.post("/v/confirm/<token>", defaults={"purpose": CONFIRM})
@public
@limiter.limit("10 per minute; 60 per hour")
def pass_door(token: str, purpose: str) -> AnyResponse:
    """Do it."""

    def work(uow: UnitOfWork) -> None:
        person = person_of_token(uow.session, token, purpose)
        if person is None:
            raise NotYours(NOT_HERE)
        DOORS[purpose](uow, person)

    perform(work)
    return redirect(url_for("desk.door", token=token, purpose=purpose, done=1), 303)
