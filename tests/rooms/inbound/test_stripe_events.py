"""Stripe's door: a signed event is stored once; what is not signed leaves no trace."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from jobs import inbox
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Inbox


def checkout(**more: Any) -> dict[str, Any]:
    session = {
        "id": "cs_1",
        "object": "checkout.session",
        "client_reference_id": "a" * 20,
        "payment_intent": "pi_1",
        "payment_status": "paid",
        "amount_total": 14900,
        "currency": "usd",
    }
    return {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "created": int(utc_now().timestamp()),
        "data": {"object": session},
        **more,
    }


def post(app: Flask, event: dict[str, Any] | bytes, **wrong: Any) -> TestResponse:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    timestamp = wrong.get("timestamp", int(utc_now().timestamp()))
    secret = wrong.get("secret", app.config["SETTINGS"].webhook_secret)
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    header = wrong.get("header", f"t={timestamp},v1={signed}")
    return app.test_client().post("/webhooks/stripe", data=body, headers={"Stripe-Signature": header})


def stored(app: Flask) -> list[Inbox]:
    with app.app_context():
        return list(db.session.scalars(select(Inbox).order_by(Inbox.id)))


def test_a_signed_event_is_stored_once_however_often_it_comes(app: Flask) -> None:
    codes = [post(app, checkout(pending_webhooks=number)).status_code for number in (2, 1)]

    assert codes == [200, 200]
    [row] = stored(app)
    assert (row.source, row.event_id, row.kind, row.vendor_id) == (
        "stripe",
        "evt_1",
        "checkout.session.completed",
        None,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "whsec_other"},
        {"timestamp": 1},
        {"timestamp": 4_000_000_000},
        {"header": "é"},
        {"header": ""},
    ],
    ids=["another secret", "stale", "from the future", "not ASCII", "none"],
)
def test_what_is_not_proved_is_refused_without_a_trace(app: Flask, wrong: dict[str, Any]) -> None:
    answer = post(app, checkout(), **wrong)

    assert answer.status_code == 400
    assert answer.json and answer.json["detail"]
    assert stored(app) == []


@pytest.mark.parametrize("body", [b"[]", b"null", b"{", b"{}"])
def test_a_signed_body_that_is_no_event_is_refused(app: Flask, body: bytes) -> None:
    assert post(app, body).status_code == 400
    assert stored(app) == []


def test_a_kind_that_concerns_nobody_is_ignored(app: Flask) -> None:
    post(app, checkout(type="customer.updated"))

    with app.app_context():
        inbox.drain()

    [row] = stored(app)
    assert (row.state, row.last_error) == ("ignored", "We do nothing on customer.updated.")


def test_a_payment_for_an_unknown_registration_waits(app: Flask) -> None:
    post(app, checkout())

    with app.app_context():
        inbox.drain()

    [row] = stored(app)
    assert (row.state, row.attempts) == ("retry", 1)


def test_an_unpaid_checkout_makes_nobody_a_consultant(app: Flask) -> None:
    event = checkout()
    event["data"]["object"]["payment_status"] = "unpaid"
    post(app, event)

    with app.app_context():
        inbox.drain()

    [row] = stored(app)
    assert (row.state, row.last_error) == (
        "ignored",
        "The money is not there yet; another event will tell.",
    )


@pytest.mark.parametrize("kind", ["checkout.session.completed", "transfer.reversed", "charge.refunded"])
def test_what_happens_in_another_account_moves_none_of_our_money(app: Flask, kind: str) -> None:
    post(app, checkout(type=kind, account="acct_foreign"))

    with app.app_context():
        inbox.drain()

    [row] = stored(app)
    assert (row.state, row.last_error) == ("ignored", "It happened in the account acct_foreign, not in ours.")


@pytest.mark.parametrize(
    ("account", "secret", "status"),
    [
        ("", "own", 200),
        ("", "whsec_connect", 400),
        ("acct_1", "own", 400),
        ("acct_1", "whsec_connect", 200),
        ("acct_1", "", 400),
    ],
)
def test_each_endpoint_tells_of_its_own_accounts_only(
    make_app: Callable[..., Flask], database: str, account: str, secret: str, status: int
) -> None:
    app = make_app(database, STRIPE_CONNECT_WEBHOOK_SECRET="whsec_connect")
    own = app.config["SETTINGS"].webhook_secret

    answer = post(app, checkout(account=account), secret=own if secret == "own" else secret)

    assert answer.status_code == status
    assert len(stored(app)) == (status == 200)


def test_an_empty_secret_signs_nothing(app: Flask) -> None:
    nothing = replace(app.config["SETTINGS"], environment="production", stripe_webhook_secret="whsec_own")
    app.config["SETTINGS"] = nothing

    assert post(app, checkout(account="acct_1", livemode=True), secret="").status_code == 400
    assert stored(app) == []
