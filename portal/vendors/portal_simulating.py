"""Sending the events of a scenario as the vendor's own program would, without leaving this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.gateways import vendor_events, vendor_signatures
from portal.kernel.errors import BadInput, Conflict
from portal.kernel.vendor_scenarios import Offered, Sent, events_of
from portal.models import Consultant, Inbox, Vendor
from portal.store import UnitOfWork
from portal.store.inbox import Arrival, receive, vendor_source

MOST_CONTRACTS = 20


@dataclass(frozen=True)
class Trial:
    """A scenario of some contracts; the same seed on the same day names the same events."""

    scenario: str
    service: str
    consultant_code: str
    count: int
    seed: int

    def events(self, now: datetime) -> list[Sent]:
        """The events in the order they are sent. Raises `BadInput` for a scenario that does not exist."""
        offered = Offered(self.consultant_code, self.service)
        try:
            return events_of(self.scenario, offered, count=self.count, seed=self.seed, now=now)
        except (LookupError, ValueError) as wrong:
            raise BadInput(str(wrong), field="scenario") from wrong


def send(uow: UnitOfWork, *, vendor_id: int, secret: str, events: Sequence[Sent]) -> int:
    """Sign each event, believe it as the door does, and store it; how many were new.

    Raises `BadInput` where the parser of the door would refuse one.
    """
    new = 0
    for sent in events:
        body, now = body_of(sent), uow.clock()
        headers = headers_of(sent, secret=secret, body=body, now=now)
        event_id = vendor_signatures.verify([secret], headers, body, now)
        try:
            event = vendor_events.parse(body, now=now)
        except vendor_events.BadEvent as bad:
            raise BadInput("; ".join(bad.faults)) from bad
        arrival = Arrival(
            source=vendor_source(vendor_id),
            event_id=event_id,
            kind=event.type,
            body=body,
            vendor_id=vendor_id,
            object_ref=event.contract_ref or event.customer_ref,
            found_by="simulator",
        )
        receipt = receive(uow, arrival=arrival)
        if not receipt.same_body:
            raise Conflict("Events of this name were sent before; please try again.")
        new += receipt.is_new
    uow.published = True
    return new


def check_seller(session: Session, code: str) -> None:
    """Raises `BadInput` for a code that no consultant has."""
    if session.scalar(select(Consultant.id).where(Consultant.code == code.upper())) is None:
        raise BadInput("There is no consultant with this code.", field="consultant_code")


def results(session: Session, vendor: Vendor, events: Sequence[Sent]) -> list[tuple[Sent, Inbox | None]]:
    """Each event once, with what became of it."""
    unique = {sent.id: sent for sent in events}
    rows = select(Inbox).where(Inbox.source == vendor_source(vendor.id), Inbox.event_id.in_(list(unique)))
    found = {row.event_id: row for row in session.scalars(rows)}
    return [(sent, found.get(name)) for name, sent in unique.items()]


def curl(sent: Sent, *, url: str, secret: str, now: datetime) -> str:
    """The signed request as a command; its signature is good for five minutes."""
    body = body_of(sent)
    headers = headers_of(sent, secret=secret, body=body, now=now)
    named = "".join(f" \\\n  -H '{name}: {value}'" for name, value in headers.items())
    text = body.decode().replace("'", "'\\''")
    return (
        f"curl -X POST '{url}' \\\n  -H 'content-type: application/json'{named} \\\n  --data-binary '{text}'"
    )


def headers_of(sent: Sent, *, secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers of a signed event."""
    at = int(now.timestamp())
    return {
        vendor_signatures.ID_HEADER: sent.id,
        vendor_signatures.TIMESTAMP_HEADER: str(at),
        vendor_signatures.SIGNATURE_HEADER: vendor_signatures.sign(secret, sent.id, at, body),
    }


def body_of(sent: Sent) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(sent.event, separators=(",", ":")).encode()
