"""What vendors may send as JSON Schema 2020-12, made of the tables that the parser reads by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from portal.gateways import vendor_fields as fields
from portal.gateways.vendor_batches import MOST_EVENTS
from portal.gateways.vendor_fields import FIELDS, PATTERNS, TYPES, EventType, Field
from portal.gateways.vendor_signatures import MESSAGE_ID
from portal.gateways.vendor_statements import (
    LINE_TYPES,
    MONEY_PATTERN,
    MOST_LINES,
    NEEDED_BY,
    OPTIONAL,
    REQUIRED,
    REVENUE,
)

Schema = dict[str, Any]

_MONEY: Final = "money"
MESSAGE: Final[Schema] = {"type": "string", "pattern": f"^{MESSAGE_ID.pattern}$", "examples": ["signed-K-1"]}
# No blank at an end and no control character; the parser refuses the rest of what cannot be printed.
TEXT_PATTERN: Final = "^[^\\s{0}](?:[^{0}]*[^\\s{0}])?$".format(r"\u0000-\u001f\u007f-\u00a0\u2028\u2029")
_MONTH: Final = "20[0-9]{2}-(0[1-9]|1[0-2])"
_DAY: Final = f"{_MONTH}-(0[1-9]|[12][0-9]|3[01])"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_NOT_ZERO: Final = r"(?!0+(\.0+)?$)"
# As the parser reads them, but for days that no calendar has and what lies too far in the future.
_PATTERNS: Final = {
    fields.INSTANT: rf"^{_DAY}T{_CLOCK}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{_CLOCK})$",
    fields.DAY: f"^{_DAY}$",
    fields.MONTH: f"^{_MONTH}$",
    fields.SIZE: f"^{_NOT_ZERO}{PATTERNS[fields.SIZE]}$",
    fields.SHARE: f"^{_NOT_ZERO}{PATTERNS[fields.SHARE]}$",
    _MONEY: f"^{MONEY_PATTERN}$",
}
_EXAMPLES: Final = {field.path: field.example for field in FIELDS}
_USUAL: Final = ("consultant_code", "customer.name", "customer.state", "contract.size", "contract.signed_on")


def event_schemas() -> dict[str, Schema]:
    """A schema for each type of event, by the type's name."""
    return {name: _event(about) for name, about in TYPES.items()}


def batch_schema() -> Schema:
    """A batch: events as they are sent one by one, each with its id beside its type."""
    events = [_event(about, id=MESSAGE) for about in TYPES.values()]
    listed = {"type": "array", "minItems": 1, "maxItems": MOST_EVENTS, "items": _by_type(events)}
    return _object({"events": listed}, required=("events",))


def statement_schema() -> Schema:
    """The statement of a day."""
    lines = {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_LINES,
        "items": _by_type(map(_line, LINE_TYPES)),
    }
    day = {"type": "string", "format": "date", "pattern": _PATTERNS[fields.DAY], "examples": ["2026-11-21"]}
    return _object({"day": day, "lines": lines}, required=("day", "lines"))


def event_example(name: str) -> dict[str, Any]:
    """An event of this type with what it must have, and what is usually sent with it."""
    about = TYPES[name]
    shown = (*about.required, *(path for path in _USUAL if path in about.optional))
    example: dict[str, Any] = {"type": name}
    for path in (path for path in _EXAMPLES if path in shown):
        parent, _, child = path.rpartition(".")
        (example.setdefault(parent, {}) if parent else example)[child] = _EXAMPLES[path]
    return example


def line_example() -> dict[str, Any]:
    """A line of a statement."""
    event = event_example("service.activated")
    del event["customer"]["name"]
    return {**event, "revenue": REVENUE.example}


def _by_type(schemas: Iterable[Schema]) -> Schema:
    return {"oneOf": list(schemas)}


def _event(about: EventType, **more: Schema) -> Schema:
    paths = [field for field in FIELDS if field.path in (*about.required, *about.optional)]
    schema = _fields(about.name, paths, required=about.required, more=more)
    repeated = {
        "milestone": (schema, (about.milestone,) if about.milestone else ()),
        "state": (schema["properties"].get("contract"), about.states),
    }
    for name, (place, choices) in repeated.items():
        if place is not None:
            words = "May repeat the type in other words."
            place["properties"][name] = {"enum": [*choices, None], "description": words}
    return {"title": about.name, "description": about.words, **schema}


def _line(name: str) -> Schema:
    required = (*REQUIRED, *NEEDED_BY.get(name, ()))
    taken = [field for field in FIELDS if field.path in (*REQUIRED, *OPTIONAL)]
    revenue = replace(REVENUE, kind=_MONEY)
    return {"title": name, **_fields(name, [*taken, revenue], required=required, more={})}


def _fields(
    kind: str, taken: Iterable[Field], *, required: Collection[str], more: Mapping[str, Schema]
) -> Schema:
    """An object of these fields; those with a dot in their path stand in an object of their own."""
    top: dict[str, Schema] = {**more, "type": {"const": kind}}
    inner: dict[str, dict[str, Schema]] = {}
    for field in taken:
        parent, _, child = field.path.rpartition(".")
        place = inner.setdefault(parent, {}) if parent else top
        place[child] = _field(field, required=field.path in required)
    for parent, properties in inner.items():
        needed = [child for child in properties if f"{parent}.{child}" in required]
        top[parent] = _object(properties, required=needed)
        if "age" in properties:
            top[parent]["allOf"] = _AGES
    needed = ["type", *more, *(name for name in top if name in required or top[name].get("required"))]
    return _object(top, required=needed)


def _object(properties: Mapping[str, Schema], *, required: Collection[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _field(field: Field, *, required: bool) -> Schema:
    """The schema of one field; what need not be there may be null."""
    if field.kind == fields.YEARS:
        schema: Schema = {"type": "integer", "minimum": 0, "maximum": fields.OLDEST_BUYER}
    elif field.kind == fields.FLAG:
        schema = {"type": "boolean"}
    else:
        schema = {"type": "string", "pattern": _PATTERNS.get(field.kind) or _pattern_of(field)}
    if field.kind == fields.TEXT:
        schema |= {"minLength": 1, "maxLength": field.longest}
    if field.kind == fields.DAY:
        schema["format"] = "date"
    if not required:
        schema["type"] = [schema["type"], "null"]
    return {**schema, "description": field.words, "examples": [field.example]}


def _pattern_of(field: Field) -> str:
    return f"^{field.pattern}$" if field.pattern else TEXT_PATTERN


def _says(over: bool) -> Schema:
    years = {"minimum": fields.SENIOR} if over else {"maximum": fields.SENIOR - 1}
    age = {"properties": {"age": {"type": "integer", **years}}, "required": ["age"]}
    return {"if": age, "then": {"properties": {"age_65_or_over": {"enum": [over, None]}}}}


_AGES: Final = [_says(True), _says(False)]
