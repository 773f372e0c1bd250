"""What the doors for tokens say of themselves in the description of the API."""

from __future__ import annotations

from typing import Any, Final

from portal.api import lead_bodies, paging
from portal.models.lead import LEAD_SOURCES, LEAD_STAGES
from portal.ui.operations import MAYBE, Answer, Body, Operation, Parameter, Schema, page_of, ref, whole

GROUP: Final = "With a token"
TOKEN: Final = "token"

_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}


SCHEMAS: Final[dict[str, Schema]] = {
    "Member": whole(
        id=_TEXT,
        name=_TEXT,
        email=MAYBE,
        code=MAYBE,
        plan=_TEXT,
        status=_TEXT,
        side={"enum": ["left", "right", None]},
        level={"type": ["integer", "null"]},
        sponsored_by_me=_FLAG,
        joined_at=_TEXT,
    ),
    "MemberPage": page_of("members", "Member"),
    "Lead": whole(
        id=_TEXT,
        stage={"enum": list(LEAD_STAGES)},
        source={"enum": list(LEAD_SOURCES)},
        source_name=MAYBE,
        name=_TEXT,
        email=MAYBE,
        phone=MAYBE,
        state=MAYBE,
        service=MAYBE,
        do_not_contact_by={"type": "array", "items": {"enum": ["email", "phone"]}},
        archived=_FLAG,
        created_at=_TEXT,
        changed_at=_TEXT,
    ),
    "LeadPage": page_of("leads", "Lead"),
    "Sale": whole(
        id=_TEXT,
        kind={"enum": ["sale", "reversal"]},
        reverses=MAYBE,
        consultant=_TEXT,
        customer=_TEXT,
        service=_TEXT,
        milestone=_TEXT,
        volume=_TEXT,
        revenue=_TEXT,
        occurred_at=_TEXT,
        recorded_at=_TEXT,
    ),
    "SalePage": page_of("sales", "Sale"),
    "Earning": whole(
        id=_TEXT,
        cycle=_TEXT,
        consultant=_TEXT,
        kind=_TEXT,
        amount=_TEXT,
        currency=_TEXT,
        sale=MAYBE,
        level={"type": "integer"},
        closed_at=_TEXT,
    ),
    "EarningPage": page_of("earnings", "Earning"),
}
LEAD_EXAMPLE: Final[dict[str, Any]] = {
    "id": "mfrggzdfmztwq2lknnwg",
    "stage": "new",
    "source": "api",
    "source_name": "My CRM",
    "name": "Dana Reed",
    "email": "dana@example.com",
    "phone": "+13035550142",
    "state": "CO",
    "service": None,
    "do_not_contact_by": [],
    "archived": False,
    "created_at": "2026-11-22T10:00:00.000Z",
    "changed_at": "2026-11-22T10:00:00.000Z",
}

_REFUSALS: Final = {
    401: Answer("No token that can be used: it is missing, revoked or over, or its user is."),
    403: Answer("The token has no such scope, or its user may not do this."),
    429: Answer("More than 600 requests of this token in a minute; `Retry-After` says when to go on."),
    503: Answer("We cannot answer now. Ask again after `Retry-After` seconds."),
}
_OF_PAGES: Final = {
    304: Answer("The page is what `If-None-Match` names; no body.", {}),
    404: Answer("The list has no such place as `after` names."),
    422: Answer("A parameter is not what we take."),
    **_REFUSALS,
}
_KNOWN: Final = Parameter("If-None-Match", "The `ETag` of what you have.", _TEXT, place="header")
_PAGING: Final = (
    Parameter(
        "after",
        "What the page before gave as `next`; the first page without. What comes later stands behind.",
        {"type": "string", "pattern": f"^{paging.PLACE}$"},
    ),
    Parameter(
        "limit",
        "How many at most.",
        {"type": "integer", "minimum": 1, "maximum": paging.MOST, "default": paging.USUAL},
    ),
    _KNOWN,
)


def _list(name: str, title: str, words: str, schema: str) -> Operation:
    answers = {200: Answer("A page.", ref(schema)), **_OF_PAGES}
    return Operation(name, title, words, GROUP, TOKEN, answers, parameters=_PAGING, schemas=SCHEMAS)


MEMBERS: Final = _list(
    "listMembers",
    "List your team",
    "Scope `members:read`. Who stands below you, as far down as your plan shows it, by first name and "
    "initial; in full whom you sponsored. A token of the company lists everybody.",
    "MemberPage",
)
LEADS: Final = _list(
    "listLeads",
    "List your leads",
    "Scope `leads:read`. In the order they came in, about five seconds later. A channel on which somebody is "
    "not to be contacted is empty.",
    "LeadPage",
)
SALES: Final = _list(
    "listSales",
    "List your sales",
    "Scope `sales:read`. Sales and what took some back, in the order they were written; nothing written "
    "later comes before `next`.",
    "SalePage",
)
EARNINGS: Final = _list(
    "listEarnings",
    "List your earnings",
    "Scope `earnings:read`. What closed cycles credited, line by line, as soon as a close cannot be undone.",
    "EarningPage",
)
ONE_LEAD: Final = Operation(
    "showLead",
    "Read one lead",
    "Scope `leads:read`.",
    GROUP,
    TOKEN,
    {
        200: Answer("The lead.", ref("Lead"), LEAD_EXAMPLE),
        304: _OF_PAGES[304],
        404: Answer("There is no such lead of yours."),
        **_REFUSALS,
    },
    parameters=(
        Parameter("lead_id", "The id of the lead.", _TEXT, place="path", required=True),
        _KNOWN,
    ),
    schemas=SCHEMAS,
)
ADD_LEAD: Final = Operation(
    "addLead",
    "Bring a lead",
    "Scope `leads:write`. A lead of yours; one of the company finds its consultant by the rules for leads. "
    "Somebody who is a lead already stays one lead that asked again.",
    GROUP,
    TOKEN,
    {
        201: Answer("A new lead.", ref("Lead"), LEAD_EXAMPLE),
        200: Answer("The lead was there, or this key came before.", ref("Lead")),
        404: Answer("There is no such service."),
        409: Answer("This key came before with another body, or the service is not clear."),
        413: Answer(f"The body is larger than {lead_bodies.MOST_BYTES:,} bytes."),
        415: Answer("The body is not `application/json`, or it is compressed."),
        422: Answer("The body is JSON that we do not take, or there is no key; `errors` names every field."),
        **_REFUSALS,
    },
    parameters=(
        Parameter(
            lead_bodies.KEY,
            "A name of this request: with the same one it counts once, however often it comes.",
            {"type": "string", "pattern": f"^{lead_bodies.KEY_PATTERN}$"},
            place="header",
            required=True,
        ),
    ),
    body=Body(
        "Who is interested, and in what.",
        ref("NewLead"),
        lead_bodies.MOST_BYTES,
        {
            "a lead": {
                name: lead_bodies.FIELDS[name].example for name in ("name", "email", "phone", "state", "note")
            }
        },
    ),
    schemas={**SCHEMAS, "NewLead": lead_bodies.SCHEMA},
)
