"""What a load balancer asks before it sends people here."""

from __future__ import annotations

from flask import Response, jsonify, make_response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.access.guard import public
from portal.extensions import db
from portal.inbound.room import inbound


@inbound.get("/healthz")
@public
def health() -> Response:
    """200 while the database answers, else 503."""
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return make_response(jsonify(status="the database does not answer"), 503)
    return jsonify(status="ok")
