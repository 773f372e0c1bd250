"""The portal with the sandbox as its mail provider, and short ways to queue, send and read mails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import mail
from portal.extensions import db
from portal.messages import service
from portal.models import Consultant, Message
from portal.store import perform
from tests.gateways.conftest import outside  # noqa: F401
from tests.gateways.outside import Outside
from tests.people import Cast, invite_cast

SHORT = {"timeout_seconds": (0.5, 0.4)}


class Desk:
    """Where mails are queued and sent."""

    def __init__(self, app: Flask, outside: Outside, cast: Cast) -> None:  # noqa: F811
        self.app, self.outside, self.cast = app, outside, cast

    def queue(self, key: str = "welcome:1", **named: Any) -> None:
        self.do(service.queue_message, key=key, **{**self._to_ben(), **named})

    def do(self, work: Callable[..., Any], **named: Any) -> Any:
        with self.app.app_context():
            return perform(lambda uow: work(uow, **named))

    def send_next(self) -> bool:
        with self.app.app_context():
            return mail.send_next(self.outside.brevo(**SHORT))

    def message(self) -> Message:
        with self.app.app_context():
            return db.session.scalars(select(Message)).one()

    def let_pass(self, minutes: int) -> None:
        """So much time goes by for the only message: it is due, and its tries lie back."""
        self.do(_pass, minutes=minutes)

    def sent(self) -> list[dict[str, Any]]:
        return list(self.outside.books("mail"))

    def _to_ben(self) -> dict[str, Any]:
        with self.app.app_context():
            person_id = db.session.get_one(Consultant, self.cast.ben).person_id
        return {"template": "welcome", "person_id": person_id, "params": {"code": "BENS2345"}}


def _pass(uow: Any, *, minutes: int) -> None:
    message = uow.session.scalars(select(Message)).one()
    message.next_at = uow.clock()
    if message.first_tried_at is not None:
        message.first_tried_at -= timedelta(minutes=minutes)


@pytest.fixture
def desk(sqlite_app: Flask, outside: Outside) -> Desk:  # noqa: F811
    return Desk(sqlite_app, outside, invite_cast(sqlite_app))
