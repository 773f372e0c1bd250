"""A lead as a program sends it: what its fields may be, told and checked by one table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import abort, request
from sqlalchemy import select

from portal.extensions import db
from portal.gateways.vendor_schemas import TEXT_PATTERN
from portal.kernel.us import STATES
from portal.models import Service, Vendor
from portal.ui.operations import Schema
from portal.ui.problems import problem

JSON: Final = "application/json"
MOST_BYTES: Final = 20_000
KEY: Final = "Idempotency-Key"
KEY_PATTERN: Final = "[A-Za-z0-9_-]{1,100}"
# What people write between digits; the same numbers as `portal.store.people.phone_number` reads.
_GAP: Final = r"[ ().\-/\u2010-\u2015]*"
_AMERICAN: Final = rf"(\+?{_GAP}1{_GAP})?" + _GAP.join(["[2-9]", "[0-9]", "[0-9]", "[2-9]", *["[0-9]"] * 6])
PHONE: Final = rf"^{_GAP}({_AMERICAN}|\+{_GAP}[2-9]({_GAP}[0-9]){{7,14}}){_GAP}$"


@dataclass(frozen=True)
class Field:
    """A field of text: how long it may be, its shape, what to write, and an example."""

    longest: int
    shape: str
    wanted: str
    example: str
    words: str


FIELDS: Final = {
    "name": Field(100, TEXT_PATTERN, "text without blanks at its ends", "Dana Reed", "Who it is."),
    "email": Field(
        254,
        r"^[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$",
        "an e-mail address",
        "dana@example.com",
        "Needed where there is no phone.",
    ),
    "phone": Field(
        40,
        PHONE,
        "a number with its area code, as (303) 555-0142, or with its country, as +49 30 901820",
        "(303) 555-0142",
        "Needed where there is no e-mail address. Without a country it is an American number; it is kept as "
        "+13035550142.",
    ),
    "state": Field(2, f"^({'|'.join(STATES)})$", "a state, as CO", "CO", "Where they live."),
    "service": Field(64, "^[A-Za-z0-9._-]{1,64}$", "the code of a service", "solar-roof", "What they want."),
    "vendor": Field(
        20, "^[a-z2-7]{20}$", "the id of a vendor", "mfrggzdfmztwq2lknnwg", "Where two have such a service."
    ),
    "note": Field(1_000, TEXT_PATTERN, "text without blanks at its ends", "Asked on our page", "Kept."),
}

# By the field at which it is told when none is there: fields of which one is needed, and the words for it.
OneOf = Mapping[str, tuple[tuple[str, ...], str]]

NEEDED: Final = ("name",)
ONE_OF: Final = {"email": (("email", "phone"), "an e-mail address or a phone number is needed")}


def schema_of(fields: Mapping[str, Field], *, needed: Sequence[str], one_of: OneOf = ONE_OF) -> Schema:
    """The schema of an object of these fields, with those that are needed."""
    return {
        "type": "object",
        "properties": {
            name: {
                "type": "string",
                "pattern": field.shape,
                "maxLength": field.longest,
                "description": field.words,
                "examples": [field.example],
            }
            for name, field in fields.items()
        },
        "required": list(needed),
        "allOf": [{"anyOf": [{"required": [name]} for name in names]} for names, _words in one_of.values()],
        "additionalProperties": False,
    }


SCHEMA: Final = schema_of(FIELDS, needed=NEEDED)


def sent_lead() -> dict[str, str]:
    """The fields of the body; answers 413, 415 or 422 with every fault."""
    return sent_fields(FIELDS, needed=NEEDED)


def sent_fields(
    fields: Mapping[str, Field], *, needed: Sequence[str], one_of: OneOf = ONE_OF
) -> dict[str, str]:
    """The same for an object of other fields."""
    request.max_content_length = MOST_BYTES
    if request.mimetype != JSON or request.headers.get("Content-Encoding", "identity") != "identity":
        abort(problem(415, f"Please send plain JSON, as Content-Type: {JSON}."))
    try:
        document = json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        abort(problem(422, "The body is not a JSON object."))
    faults = _faults(document, fields, needed)
    faults |= {at: words for at, (names, words) in one_of.items() if not document.keys() & set(names)}
    if faults:
        errors = [{"field": name, "message": message} for name, message in faults.items()]
        abort(problem(422, "The lead is not well formed.", errors=errors))
    return document


def sent_key() -> str:
    """The key of the request; answers 422 without one."""
    key = request.headers.get(KEY, "")
    if not re.fullmatch(KEY_PATTERN, key):
        wanted = "must be 1 to 100 letters, digits, - and _: a new one for each lead"
        abort(problem(422, "A header is missing.", errors=[{"field": KEY, "message": wanted}]))
    return key


def service_of(sent: Mapping[str, str]) -> int | None:
    """The id of the service that is meant; None where none is named. Answers 404 or 409."""
    if "service" not in sent:
        return None
    named = select(Service.id).where(Service.code == sent["service"], Service.withdrawn_at.is_(None))
    if "vendor" in sent:
        named = named.join(Vendor, Vendor.id == Service.vendor_id).where(Vendor.public_id == sent["vendor"])
    found = db.session.scalars(named.limit(2)).all()
    if len(found) > 1:
        several = [{"field": "vendor", "message": "several vendors have such a service; please name one"}]
        abort(problem(409, "It is not clear which service is meant.", errors=several))
    if not found:
        missing = [{"field": "service", "message": "there is no such service"}]
        abort(problem(404, "There is no such service.", errors=missing))
    return found[0]


def _faults(
    document: Mapping[str, Any], fields: Mapping[str, Field], needed: Sequence[str]
) -> dict[str, str]:
    faults = {
        name: f"must be {fields[name].wanted}"
        for name, value in document.items()
        if name in fields and not fits(fields[name], value)
    }
    faults |= {name: "unknown field" for name in document if name not in fields}
    faults |= {name: "missing" for name in needed if name not in document}
    return faults


def fits(field: Field, value: object) -> bool:
    """Whether a value is what a field takes."""
    is_text = isinstance(value, str) and len(value) <= field.longest and value.isprintable()
    return is_text and re.fullmatch(field.shape, str(value)) is not None
