"""Vera the vendor: a company with one service, its terms and a key, and the events it sends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.gateways.vendor_signatures import sign
from portal.kernel.clock import utc_now
from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant
from portal.store import UnitOfWork, perform
from portal.vendors.service import Offer, ShownKey, Terms, add_key, add_service, add_terms, add_vendor

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Vera:
    """Vera's vendor, its key, and the codes of Ana and Ben; her service `solar` gives 10 volume a kW."""

    vendor_id: int
    public_id: str
    key: ShownKey
    service_id: int
    ana: str
    ben: str


def invite_vera(app: Flask, cast: Any, *, name: str = "Vera Solar") -> Vera:
    """A vendor with one service; 100.00 volume flat and 10.00 a kW, $200.00 flat and $50.00 a kW."""

    def write(uow: UnitOfWork) -> Vera:
        vendor = add_vendor(uow, name=name, core=True, actor_id=None)
        service = add_service(uow, vendor_id=vendor.id, offer=Offer("solar", "Solar", "kW"), actor_id=None)
        terms = Terms(
            valid_from=date(2026, 1, 1),
            volume_flat=100_00,
            volume_per_unit=10_00,
            revenue_flat_cents=200_00,
            revenue_per_unit_cents=50_00,
        )
        add_terms(uow, service_id=service.id, terms=terms, actor_id=None)
        return Vera(
            vendor_id=vendor.id,
            public_id=vendor.public_id,
            key=add_key(uow, vendor_id=vendor.id, actor_id=None),
            service_id=service.id,
            ana=uow.session.get_one(Consultant, cast.ana).code,
            ben=uow.session.get_one(Consultant, cast.ben).code,
        )

    with app.app_context():
        return perform(write)


def registered(vera: Vera, **more: Any) -> VendorEvent:
    """*customer registered*: the customer C1 by Ben at noon."""
    event = VendorEvent(
        type="customer.registered",
        occurred_at=NOON,
        consultant_code=vera.ben,
        customer_ref="C1",
        customer_name="",
        customer_email="",
        contract_ref="",
        service_code="",
        size_thousandths=0,
        signed_on=None,
        milestone="",
    )
    return replace(event, **more)


def activated(vera: Vera, **more: Any) -> VendorEvent:
    """*service activated*: the contract K1 of C1 over 8.4 kW, an hour after noon."""
    about = {
        "type": "service.activated",
        "occurred_at": NOON + timedelta(hours=1),
        "contract_ref": "K1",
        "service_code": "solar",
        "size_thousandths": 8_400,
        "signed_on": date(2026, 11, 2),
        "milestone": "activated",
    }
    return registered(vera, **{**about, **more})


def cancelled(vera: Vera, **more: Any) -> VendorEvent:
    """*service cancelled*: the contract K1, two hours after noon."""
    about = {"type": "service.cancelled", "occurred_at": NOON + timedelta(hours=2), "milestone": ""}
    return activated(vera, **{**about, **more})


def body_of(event: VendorEvent, **more: Any) -> dict[str, Any]:
    """The JSON document a vendor sends for an event."""
    size = event.size_thousandths
    customer = {"ref": event.customer_ref, "name": event.customer_name, "email": event.customer_email}
    contract = {
        "ref": event.contract_ref,
        "service": event.service_code,
        "size": f"{size // 1000}.{size % 1000:03d}" if size else "",
        "signed_on": event.signed_on.isoformat() if event.signed_on else "",
        "period": event.period,
    }
    share = divmod(event.refund_share, 10_000)
    document = {
        "type": event.type,
        "occurred_at": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "consultant_code": event.consultant_code,
        "customer": {name: value for name, value in customer.items() if value},
        "contract": {name: value for name, value in contract.items() if value},
        "refund": {"share": f"{share[0]}.{share[1]:04d}"} if event.refund_share else None,
        **more,
    }
    return {name: value for name, value in document.items() if value}


def send(
    client: FlaskClient, vera: Vera, event: VendorEvent | bytes, *, event_id: str = "e1", **wrong: Any
) -> TestResponse:
    """Post a signed event; `secret`, `timestamp`, `public_id`, `headers`, `content_type` can be wrong."""
    body = event if isinstance(event, bytes) else json.dumps(body_of(event)).encode()
    return knock(client, vera, "POST", "events", body, message_id=event_id, **wrong)


def send_batch(client: FlaskClient, vera: Vera, events: Sequence[Any], **wrong: Any) -> TestResponse:
    """Post a signed batch of documents, or of pairs of an id and an event."""
    listed = [{"id": each[0], **body_of(each[1])} if isinstance(each, tuple) else each for each in events]
    return knock(client, vera, "POST", "events/batch", json.dumps({"events": listed}).encode(), **wrong)


def ask(client: FlaskClient, vera: Vera, path: str, **wrong: Any) -> TestResponse:
    """A signed GET of a path below the vendor's address."""
    return knock(client, vera, "GET", path, b"", **wrong)


def knock(client: FlaskClient, vera: Vera, method: str, path: str, body: bytes, **wrong: Any) -> TestResponse:
    """A signed request at one of the vendor's doors."""
    timestamp = wrong.get("timestamp", int(utc_now().timestamp()))
    message_id = wrong.get("message_id", "m1")
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(wrong.get("secret", vera.key.secret), message_id, timestamp, body),
        **wrong.get("headers", {}),
    }
    if method == "POST":
        headers.setdefault("Content-Type", wrong.get("content_type", "application/json"))
    address = f"/api/v1/vendors/{wrong.get('public_id', vera.public_id)}/{path}"
    return client.open(address, method=method, data=body, headers=headers)
