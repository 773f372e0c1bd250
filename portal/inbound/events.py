"""The vendors' doors for events: one, or many at once; and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, make_response, request

from portal.access.guard import public
from portal.extensions import db
from portal.gateways import vendor_events
from portal.gateways.vendor_batches import MOST_BATCH_BYTES, Item, read_batch
from portal.gateways.vendor_events import BadEvent
from portal.gateways.vendor_signatures import MESSAGE_ID
from portal.inbound import pages
from portal.inbound.operations import LIST_EVENTS, ONE_EVENT, RESULTS, SEND_BATCH, SEND_EVENT
from portal.inbound.queries import STATES, event_of, events_after
from portal.inbound.room import EVENTS, answers_plainly, inbound
from portal.inbound.signed import Message, signed
from portal.inbound.told import told
from portal.kernel.vendor_events import VendorEvent
from portal.store import perform
from portal.store.inbox import Arrival, Receipt, receive
from portal.store.inbox_batches import receive_all
from portal.store.wake import wake
from portal.ui import rates
from portal.ui.operations import documented
from portal.ui.problems import by_field, problem

VENDOR = "/api/v1/vendors/<public_id>"
STORED, SEEN, CONFLICT, REFUSED = RESULTS


@inbound.post(f"{VENDOR}/events")
@documented(SEND_EVENT)
@public
@answers_plainly
@signed(most_bytes=vendor_events.MOST_BYTES)
def take_vendor_event(message: Message) -> Response:
    """One signed event of a vendor: 202 new, 200 seen before, 4xx with the reason and nothing stored."""
    try:
        event = vendor_events.parse(message.body)
    except BadEvent as bad:
        return problem(422, "The event is not well formed.", errors=by_field(bad.faults))
    arrival = _arrival(message, message.id, event, message.body)
    result = _result(perform(lambda uow: receive(uow, arrival=arrival)))
    if result == CONFLICT:
        return problem(409, "This webhook-id came before with another body.")
    if result == STORED:
        wake()
    return make_response({"id": message.id, "result": result}, 202 if result == STORED else 200)


@inbound.post(f"{VENDOR}/events/batch")
@documented(SEND_BATCH)
@public
@answers_plainly
@signed(most_bytes=MOST_BATCH_BYTES)
def take_batch(message: Message) -> Response:
    """Many events in one signed body: 200 with a result for each, in their order."""
    try:
        items = read_batch(message.body)
    except BadEvent as bad:
        return problem(422, "The batch is not well formed.", errors=by_field(bad.faults))
    rates.spend(EVENTS, message.source, cost=len(items))
    results = _store_all(message, items)
    if STORED in results:
        wake()
    counts = Counter(results)
    answers = [_item_answer(item, result) for item, result in zip(items, results, strict=True)]
    return jsonify(results=answers, counts={name: counts[name] for name in RESULTS})


@inbound.get(f"{VENDOR}/events")
@documented(LIST_EVENTS)
@public
@answers_plainly
@signed()
def list_events(message: Message) -> Response:
    """A vendor's events in the order they came, page by page."""
    after, most = pages.asked_for()
    state = request.args.get("state")
    if state is not None and state not in STATES:
        pages.wrong("state", f"must be {', '.join(STATES)}")
    states = STATES[state] if state else ()
    rows = events_after(db.session(), message.vendor_id, after=after, states=states, most=most + 1)
    if rows is None:
        pages.lost()
    return pages.page("events", [told(row) for row in rows], most=most)


@inbound.get(f"{VENDOR}/events/<event_id>")
@documented(ONE_EVENT)
@public
@answers_plainly
@signed()
def show_event(message: Message, event_id: str) -> Response:
    """What became of one event."""
    row = event_of(db.session(), message.source, event_id) if MESSAGE_ID.fullmatch(event_id) else None
    return problem(404, "No event of yours came under this id.") if row is None else jsonify(told(row))


def _arrival(message: Message, event_id: str, event: VendorEvent, body: bytes) -> Arrival:
    about = event.contract_ref or event.customer_ref
    return Arrival(
        message.source, event_id, kind=event.type, body=body, vendor_id=message.vendor_id, object_ref=about
    )


def _store_all(message: Message, items: Sequence[Item]) -> list[str]:
    """Store what is sound; the result of each item."""
    arrivals = {
        place: _arrival(message, item.id, item.event, item.body)
        for place, item in enumerate(items)
        if item.event is not None and item.id is not None
    }
    stored = perform(lambda uow: receive_all(uow, arrivals=list(arrivals.values())))
    receipts = dict(zip(arrivals, stored, strict=True))
    return [_result(receipts[place]) if place in receipts else REFUSED for place in range(len(items))]


def _result(receipt: Receipt) -> str:
    if receipt.is_new:
        return STORED
    return SEEN if receipt.same_body else CONFLICT


def _item_answer(item: Item, result: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": item.id, "result": result}
    if item.faults:
        answer["errors"] = by_field(item.faults)
    return answer
