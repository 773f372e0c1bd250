"""A provider's settings: its token stays with its hosts, its words mean one thing, changes are noted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.gateways.http_payouts import HttpPayouts
from portal.kernel.errors import BadInput
from portal.models import Audit
from portal.payouts.payees import methods
from portal.payouts.payees.providers import http_settings
from tests.payouts.test_payees import PROVIDER, TERMS


@pytest.fixture
def app(sqlite_app):
    return sqlite_app


@pytest.mark.parametrize("name", ["url", "lookup_url", "list_url", "reverse_url"])
@pytest.mark.parametrize("origin", ["https://evil.example.com", "https://pay.example.com:444"])
def test_the_token_goes_to_no_other_host_unless_it_is_written_again(name, origin):
    before = http_settings(PROVIDER, before={}, insecure=False)
    places = "?r={reference}&s={since}&u={until}&i={ref}"
    moved = {**PROVIDER, "token": "", name: f"{origin}/v1{places}"}

    with pytest.raises(BadInput) as refused:
        http_settings(moved, before=before, insecure=False)

    assert refused.value.field == "token"
    assert http_settings({**moved, "token": "new"}, before=before, insecure=False)["token"] == "new"


def test_what_was_taken_out_of_the_form_is_gone():
    before = http_settings(PROVIDER, before={}, insecure=False) | {"currencies": ["USD"]}

    after = http_settings({**PROVIDER, "token": "", "lookup_url": ""}, before=before, insecure=False)

    assert "lookup_url" not in after and after["currencies"] == ["USD"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"lookup_url": "https://pay.example.com/all"}, "lookup_url"),
        ({"list_url": "https://pay.example.com/all?since={since}"}, "list_url"),
        ({"reverse_url": "https://pay.example.com/reverse"}, "reverse_url"),
        ({"url": "https://pay.example.com:port/"}, "url"),
        ({"states": {"sent": "taken", "rejected": "no, Taken"}}, "state_rejected"),
        ({"states": {"rejected": "no"}}, "state_sent"),
        ({"currencies": "dollars"}, "currencies"),
        ({"currencies": "EUR"}, "currencies"),
        ({"minimum_cents": 5_00, "maximum_cents": 4_99}, "provider_maximum"),
    ],
)
def test_addresses_and_words_that_say_too_little_name_their_field(changed, field):
    with pytest.raises(BadInput) as refused:
        http_settings({**PROVIDER, **changed}, before={}, insecure=False)

    assert refused.value.field == field


def test_what_was_changed_is_named_in_the_note_and_not_told(do, cast):
    settings = http_settings(PROVIDER, before={}, insecure=False)
    do(methods.add_http_method, TERMS, code="acme", actor_id=cast.ada, settings=settings)
    other = http_settings({**PROVIDER, "token": "another"}, before=settings, insecure=False)

    do(methods.change_method, replace(TERMS, fee_cents=5), code="acme", actor_id=cast.ada, settings=other)

    noted = do(lambda uow: uow.session.scalar(select(Audit.detail).where(Audit.action == "method.change")))
    assert noted["changed"] == ["fee_cents", "settings.token"]


def test_what_a_provider_takes_is_kept_as_it_is_written_and_reaches_its_adapter():
    written = {**PROVIDER, "currencies": "usd, EUR", "minimum_cents": 5_00, "maximum_cents": 900_00}
    settings = http_settings(written, before={}, insecure=False)
    can = HttpPayouts(settings).capabilities

    assert (can.currencies, can.minimum_cents, can.maximum_cents) == ({"USD", "EUR"}, 5_00, 900_00)
    emptied = {**written, "currencies": "", "minimum_cents": None, "maximum_cents": None, "token": ""}
    after = http_settings(emptied, before=settings, insecure=False)
    assert {"currencies", "minimum_cents", "maximum_cents"}.isdisjoint(after)
