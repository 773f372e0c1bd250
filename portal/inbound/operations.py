"""What the vendors' doors say of themselves in the description of the API."""

from __future__ import annotations

from typing import Final

from portal.gateways import vendor_schemas as schemas
from portal.gateways.vendor_batches import MOST_BATCH_BYTES, MOST_EVENTS
from portal.gateways.vendor_events import MOST_BYTES
from portal.gateways.vendor_fields import TYPES
from portal.gateways.vendor_schemas import MESSAGE
from portal.gateways.vendor_statements import MOST_LINES, MOST_STATEMENT_BYTES
from portal.inbound import pages
from portal.inbound.queries import STATES
from portal.kernel.vendor_events import WITHDRAWN
from portal.ui.operations import MAYBE, Answer, Body, Operation, Parameter, Schema, page_of, ref, whole

RESULTS: Final = ("stored", "seen before", "conflict", "refused")
GROUP: Final = "For vendors"
SIGNATURE: Final = "signature"

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_FIELD: Final = ("field", "message")


_ERRORS: Final[Schema] = {"type": "array", "minItems": 1, "items": ref("FieldError")}
_ITEM: Final[Schema] = {
    "type": "object",
    "properties": {"id": MAYBE, "result": {"enum": list(RESULTS)}, "errors": _ERRORS},
    "required": ["id", "result"],
    "additionalProperties": False,
}
SCHEMAS: Final[dict[str, Schema]] = {
    "FieldError": whole(field=_TEXT, message=_TEXT),
    "Taken": whole(id=MESSAGE, result={"enum": ["stored", "seen before"]}),
    "BatchResults": whole(
        results={"type": "array", "items": _ITEM}, counts=whole(**dict.fromkeys(RESULTS, _COUNT))
    ),
    "EventStatus": whole(
        id=_TEXT,
        type={"enum": [*TYPES, WITHDRAWN]},
        state={"enum": list(STATES)},
        outcome=MAYBE,
        problem={"oneOf": [ref("FieldError"), {"type": "null"}]},
        attempts=_COUNT,
        deliveries=_COUNT,
        received_at=_TEXT,
        next_try_at=MAYBE,
        done_at=MAYBE,
    ),
    "EventPage": page_of("events", "EventStatus"),
    "StatementTaken": whole(id=_TEXT, day=_TEXT, lines=_COUNT),
    "Signup": whole(
        id=_TEXT,
        signed_up_at=_TEXT,
        service=_TEXT,
        size=MAYBE,
        consultant_code=_TEXT,
        customer=whole(
            ref=_TEXT,
            name=_TEXT,
            email=MAYBE,
            phone=MAYBE,
            address=MAYBE,
            state=MAYBE,
            verified={"type": "boolean"},
        ),
        consent=whole(version=_TEXT, sha256=_TEXT, given_at=_TEXT),
        do_not_contact_by={"type": "array", "items": {"enum": ["email", "phone"]}},
    ),
    "SignupPage": page_of("signups", "Signup"),
}

_REFUSALS: Final = {
    401: Answer("No signature of a live key fits, or its time is more than 300 seconds from our clock."),
    413: Answer("The body is larger than this address takes."),
    429: Answer("Too much in one minute; `Retry-After` says in how many seconds to go on."),
    503: Answer("We cannot answer now; nothing was stored. Send it again after `Retry-After` seconds."),
}
_REFUSALS_OF_BODIES: Final = {
    400: Answer("The body broke off on its way."),
    **_REFUSALS,
    415: Answer("The body is not `application/json`, or it is compressed."),
    422: Answer("The body is JSON that we do not take; `errors` names every field."),
}
_REFUSALS_OF_PAGES: Final = {
    **_REFUSALS,
    404: Answer("Nothing of yours is known under what was asked for."),
    422: Answer("A parameter is not what we take."),
}
_VENDOR: Final = Parameter(
    "public_id", "Your vendor id, or the id of one of your keys.", _TEXT, place="path", required=True
)
_AFTER: Final = Parameter("after", "What the page before gave as `next`; the first page without.", MESSAGE)
_LIMIT: Final = Parameter(
    "limit",
    "How many at most.",
    {"type": "integer", "minimum": 1, "maximum": pages.MOST, "default": pages.USUAL},
)

SEND_EVENT: Final = Operation(
    "sendEvent",
    "Send one event",
    "Tells us of one thing that happened to a customer or a contract. Its id is the `webhook-id`: the same "
    "id with the same body may come as often as you like and counts once.",
    GROUP,
    SIGNATURE,
    {
        202: Answer(
            "Stored; what came of it can be asked for.",
            ref("Taken"),
            {"id": "signed-K-1", "result": "stored"},
        ),
        200: Answer("We had it already.", ref("Taken"), {"id": "signed-K-1", "result": "seen before"}),
        409: Answer("This id came before with another body. Nothing was changed."),
        **_REFUSALS_OF_BODIES,
    },
    parameters=(_VENDOR,),
    body=Body(
        "One event; the type says which fields it has.",
        {"oneOf": [ref(name) for name in TYPES]},
        MOST_BYTES,
        {name: schemas.event_example(name) for name in TYPES},
    ),
    schemas={**SCHEMAS, **schemas.event_schemas()},
)
SEND_BATCH: Final = Operation(
    "sendBatch",
    f"Send up to {MOST_EVENTS:,} events at once",
    "Each event has its own `id` beside its `type`, from the same ids as single events. One that is refused "
    "does not keep the others from being stored: look at every result.",
    GROUP,
    SIGNATURE,
    {
        200: Answer(
            "A result for each event, in the order sent.",
            ref("BatchResults"),
            {
                "results": [
                    {"id": "signed-K-1", "result": "stored"},
                    {
                        "id": "signed-K-2",
                        "result": "refused",
                        "errors": [{"field": "customer.ref", "message": "missing"}],
                    },
                ],
                "counts": {"stored": 1, "seen before": 0, "conflict": 0, "refused": 1},
            },
        ),
        **_REFUSALS_OF_BODIES,
    },
    parameters=(_VENDOR,),
    body=Body(
        "Events with an id each.",
        ref("Batch"),
        MOST_BATCH_BYTES,
        {
            "two events": {
                "events": [
                    {"id": "registered-C-1", **schemas.event_example("customer.registered")},
                    {"id": "signed-K-1", **schemas.event_example("service.signed")},
                ]
            }
        },
    ),
    schemas={**SCHEMAS, "Batch": schemas.batch_schema()},
)
ONE_EVENT: Final = Operation(
    "showEvent",
    "Ask what became of an event",
    "`waiting` events are tried again by themselves, `done` ones had their effect, `dead` ones were given up "
    "and can be sent again by us once their problem is solved.",
    GROUP,
    SIGNATURE,
    {
        200: Answer("The event.", ref("EventStatus")),
        404: Answer("Nothing of yours is known under what was asked for."),
        **_REFUSALS,
    },
    parameters=(
        _VENDOR,
        Parameter("event_id", "The id it was sent under.", MESSAGE, place="path", required=True),
    ),
    schemas=SCHEMAS,
)
LIST_EVENTS: Final = Operation(
    "listEvents",
    "List your events",
    "In the order they came.",
    GROUP,
    SIGNATURE,
    {200: Answer("A page of events.", ref("EventPage")), **_REFUSALS_OF_PAGES},
    parameters=(
        _VENDOR,
        Parameter("state", "Only events in this state.", {"enum": list(STATES)}),
        _AFTER,
        _LIMIT,
    ),
    schemas=SCHEMAS,
)
SEND_STATEMENT: Final = Operation(
    "sendStatement",
    "Send the statement of a day",
    f"What happened on one day in your own books, up to {MOST_LINES:,} lines. We compare it with your events "
    "and settle every difference with you. A later statement of the same day replaces the earlier one; an "
    "empty day needs none.",
    GROUP,
    SIGNATURE,
    {
        202: Answer("Kept; it is compared within a minute.", ref("StatementTaken")),
        **_REFUSALS_OF_BODIES,
    },
    parameters=(_VENDOR,),
    body=Body(
        "The day, and a line for each thing that happened.",
        ref("Statement"),
        MOST_STATEMENT_BYTES,
        {"one line": {"day": "2026-11-21", "lines": [schemas.line_example()]}},
    ),
    schemas={**SCHEMAS, "Statement": schemas.statement_schema()},
)
LIST_SIGNUPS: Final = Operation(
    "listSignups",
    "List people who asked for your services",
    "Who signed up on our page for one of your services and agreed that you learn of it; send events about "
    "them under `customer.ref`. Who took the agreement back is left out, and a channel on which somebody is "
    "not to be contacted is empty.",
    GROUP,
    SIGNATURE,
    {200: Answer("A page of sign-ups, in the order they came.", ref("SignupPage")), **_REFUSALS_OF_PAGES},
    parameters=(_VENDOR, _AFTER, _LIMIT),
    schemas=SCHEMAS,
)
