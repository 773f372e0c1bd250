"""/stop: the link in every mail by which a person says that nobody may contact them."""

from __future__ import annotations

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.access.guard import public
from portal.desk.room import desk
from portal.extensions import db, limiter
from portal.kernel.errors import NotYours
from portal.leads.stopping import stop_contact
from portal.store import UnitOfWork, people, perform
from portal.ui import show
from portal.ui.htmx import request

NOT_HERE = "There is nothing here under this address."


@desk.get("/stop/<token>")
@public
@limiter.limit("60 per minute")
def stop_page(token: str) -> Response:
    """What a stop means, and a button: programs that read mail open every link in it."""
    if people.person_of_token(db.session(), token, people.STOP) is None:
        raise NotYours(NOT_HERE)
    return show("desk/stop.html", "main", token=token, done="done" in request.args)


@desk.post("/stop/<token>")
@public
@limiter.limit("10 per minute; 60 per hour")
def stopped(token: str) -> AnyResponse:
    """Stop it."""

    def work(uow: UnitOfWork) -> None:
        person = people.person_of_token(uow.session, token, people.STOP)
        if person is None:
            raise NotYours(NOT_HERE)
        stop_contact(uow, person, reason="Asked for by the person", actor_id=None)

    perform(work)
    return redirect(url_for("desk.stop_page", token=token, done=1), 303)
