"""Tokens of the cast, and programs that call with them."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.integrations import tokens
from portal.integrations.tokens import SCOPES, Wish
from portal.models import AccountUser, Lead
from portal.store import perform
from tests.html import Visitor
from tests.people import PASSWORD


class Program:
    """Another system with a token; `get` and `send` call the portal as it would."""

    def __init__(self, app, text, public_id=""):
        self.client, self.text, self.public_id = app.test_client(), text, public_id

    def get(self, path, **headers):
        return self.client.get(f"/api/v1/{path}", headers={**self._proof(), **headers})

    def send(self, path, body, key="k1", **headers):
        sent = {**self._proof(), "Idempotency-Key": key, **headers}
        return self.client.post(f"/api/v1/{path}", json=body, headers=sent)

    def _proof(self):
        return {"Authorization": f"Bearer {self.text}"}


@pytest.fixture
def program(app, cast):
    """`program("Ana", "sales:read")`: a program with a token of hers; all scopes where none is named."""

    def make(name, *scopes, days=0):
        def work(uow):
            own = select(AccountUser.id).where(AccountUser.email == f"{name.lower()}@example.com")
            wish = Wish("a test", scopes or SCOPES, days)
            shown = tokens.add_token(uow, user_id=uow.session.scalars(own).one(), wish=wish)
            return shown.text, shown.token.public_id

        with app.app_context():
            return Program(app, *perform(work))

    return make


@pytest.fixture
def let_time_pass(app):
    """What was written just now is settled: lists show it."""

    def shift():
        def work(uow):
            from datetime import timedelta

            uow.session.execute(update(Lead).values(created_at=uow.clock() - timedelta(minutes=1)))

        with app.app_context():
            perform(work)
            db.session.rollback()

    return shift


@pytest.fixture
def signed_in(app, cast):
    """A browser in which one of the cast is signed in."""

    def browser(name):
        visitor = Visitor(app)
        visitor.sign_in(f"{name.lower()}@example.com", PASSWORD)
        return visitor

    return browser
