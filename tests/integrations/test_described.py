"""The doors for tokens do what the description of the API says, whatever is sent."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import FailureGroup
from sqlalchemy import select

from portal.api import lead_doors
from portal.api.form_bodies import value_of
from portal.integrations import tokens
from portal.leads import consents, forms
from portal.models import AccountUser, Consultant, Person
from portal.store import perform
from tests.people import invite_cast

OPERATIONS = ["listMembers", "listLeads", "showLead", "listSales", "listEarnings", "addLead", "sendForm"]


@pytest.fixture
def token(sqlite_app) -> str:
    invite_cast(sqlite_app)

    def work(uow):
        user = uow.session.scalars(select(AccountUser.id).where(AccountUser.email == "ben@example.com"))
        return tokens.add_token(uow, user_id=user.one(), wish=tokens.Wish("a test", tokens.SCOPES, 0)).text

    with sqlite_app.app_context():
        return perform(work)


@pytest.fixture
def form(sqlite_app, token) -> dict[str, str]:
    """A form of Ben's: its id, and how it names the text that people agree to."""

    def work(uow):
        consents.ensure_texts(uow)
        ben = uow.session.scalars(select(Consultant).join(Person).where(Person.name == "Ben")).one()
        made = forms.add_form(uow, consultant_id=ben.id, wish=forms.Wish("A test"), actor_id=1)
        return {
            "id": made.public_id,
            "contact": value_of(consents.current_text(uow.session, consents.CONTACT)),
        }

    with sqlite_app.app_context():
        return perform(work)


def findings(app, token, name, *, examples=25, form=None) -> list[str]:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app=app)
    schema.config.generation.with_security_parameters = False

    @schema.auth()
    class Proved:
        def get(self, _case: Any, _ctx: Any) -> str:
            return f"Bearer {token}"

        def set(self, case: Any, data: str, _ctx: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": data}
            if form is not None:
                case.path_parameters = {"form_id": form["id"]}
            if case.meta.generation.mode == GenerationMode.POSITIVE and isinstance(case.body, dict):
                case.body = {field: printable(value) for field, value in case.body.items()}
                if form is not None:
                    case.body["contact"] = form["contact"]
                    case.body.pop("signup", None)

    operation = schema.find_operation_by_id(name)
    load_all_checks()
    found: list[str] = []

    @given(case=one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode]))
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        try:
            case.call_and_validate()
        except FailureGroup as group:
            found.extend(f"{each}: {case.as_curl_command()}" for each in group.exceptions)

    run()
    return found


def printable(value: Any) -> Any:
    """What no schema says: text that can be printed."""
    return "".join(one if one.isprintable() else "x" for one in value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_is_found_against_a_door(sqlite_app, token, form, name):
    assert findings(sqlite_app, token, name, form=form if name == "sendForm" else None) == []


def test_a_door_that_takes_what_the_description_forbids_is_found(sqlite_app, token, monkeypatch):
    anything = {"name": "Dana Reed", "email": "dana@example.com"}
    monkeypatch.setattr(lead_doors, "sent_lead", lambda: anything)

    assert findings(sqlite_app, token, "addLead", examples=60) != []
