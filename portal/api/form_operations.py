"""What the door of forms says of itself in the description of the API."""

from __future__ import annotations

from typing import Final

from portal.api import form_bodies
from portal.api.lead_bodies import MOST_BYTES
from portal.ui.operations import Answer, Body, Operation, Parameter, ref

GROUP: Final = "By a form on your page"
_THANKS: Final = {"received": True, "thanks": "https://portal.example.com/forms/mfrggzdfmztwq2lknnwg/thanks"}

SEND_FORM: Final = Operation(
    "sendForm",
    "Send a form",
    "What the HTML of a form does by itself as `application/x-www-form-urlencoded`, answered with 303. "
    "A script of your page may send JSON instead. Only websites that the form names may do it, as `Origin` "
    "says. Somebody counts once a day for each form, and learns nothing of whether they were known.",
    GROUP,
    "nobody",
    {
        201: Answer(
            "It was received; `thanks` is where to lead them.",
            {
                "type": "object",
                "properties": {"received": {"const": True}, "thanks": {"type": "string"}},
                "required": ["received", "thanks"],
                "additionalProperties": False,
            },
            _THANKS,
        ),
        303: Answer("The same for a plain form.", {}),
        403: Answer("This page may not send the form."),
        404: Answer("There is no such form, or it is over."),
        409: Answer("A text that nobody could agree to: its version and hash never stood together."),
        413: Answer(f"The body is larger than {MOST_BYTES:,} bytes."),
        415: Answer("The body is neither plain `application/json` nor a form."),
        422: Answer("The body is JSON that we do not take; `errors` names every field. A page for a form."),
        429: Answer("Too many from this address or by this form; `Retry-After` says when to go on."),
    },
    parameters=(
        Parameter("form_id", "The id of the form.", {"type": "string"}, place="path", required=True),
    ),
    body=Body(
        "Who is interested. A form may send the same fields.",
        ref("SentForm"),
        MOST_BYTES,
        {
            "a form": {
                name: form_bodies.SENT[name].example for name in ("name", "email", "zip", "note", "contact")
            }
        },
    ),
    schemas={"SentForm": form_bodies.SCHEMA},
)
