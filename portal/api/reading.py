"""The document as people read it: operations with commands to copy, and schemas as tables of fields."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from flask import Flask

from portal.api.document import document, operations
from portal.ui.operations import Operation

SAMPLES: Final = {"bash": "sign.sh", "Python": "sign.py.txt", "Node": "sign.mjs"}
VENDOR_BASE: Final = "/api/v1/vendors/{public_id}/"

_PLACES: Final = Path(__file__).parent / "samples"
_ONE_OF: Final = "as for a single event"
_EXAMPLE_ID: Final = "my-event-1"


@dataclass(frozen=True)
class Field:
    """A row of a table of fields: its dotted path, what it may be, whether it must be there, words."""

    path: str
    kind: str
    required: bool
    words: str
    example: str


@dataclass(frozen=True)
class Shown:
    """An operation on the page."""

    path: str
    method: str
    about: Operation
    command: str


def samples() -> dict[str, str]:
    """How to sign in, by language."""
    return {language: (_PLACES / name).read_text() for language, name in SAMPLES.items()}


def shown_operations(app: Flask) -> dict[str, list[Shown]]:
    """The operations under the heading they belong to."""
    groups: dict[str, list[Shown]] = {}
    for path, method, about in operations(app):
        shown = Shown(path, method.upper(), about, _command(path, method.upper(), about))
        groups.setdefault(about.group, []).append(shown)
    return groups


def bodies(app: Flask) -> dict[str, dict[str, list[Field]]]:
    """By operation the tables of what may be sent: one, or one for each type."""
    schemas = document(app)["components"]["schemas"]
    tables: dict[str, dict[str, list[Field]]] = {}
    for _path, _method, about in operations(app):
        if about.body is not None:
            kinds = _kinds(about.body.schema, schemas)
            tables[about.name] = {title: list(_fields(schema, schemas)) for title, schema in kinds.items()}
    return tables


def _command(path: str, method: str, about: Operation) -> str:
    """What to type, once one is signed in as the page says."""
    body = next(iter(about.body.examples.values())) if about.body and about.body.examples else None
    sent = "" if body is None else " " + shlex.quote(json.dumps(body, indent=2, ensure_ascii=False))
    if about.sign_in == "signature":
        name = f"ID={_EXAMPLE_ID} " if about.name == "sendEvent" else ""
        return (
            f"{name}canopy {method} {path.removeprefix(VENDOR_BASE).replace('{event_id}', _EXAMPLE_ID)}{sent}"
        )
    signed = ' -H "authorization: Bearer $CANOPY_TOKEN"' if about.sign_in == "token" else ""
    headers = "".join(
        f" \\\n  -H '{each.name.lower()}: {_EXAMPLE_ID}'"
        for each in about.parameters
        if each.place == "header" and each.required
    )
    data = f" \\\n  -H 'content-type: application/json' -d{sent}" if sent else ""
    return f'curl -sS -X {method} "$CANOPY_URL{path}"{signed}{headers}{data}'


def _kinds(schema: Any, schemas: Any) -> dict[str, Any]:
    """The schemas somebody may choose from, by title."""
    schema = _resolved(schema, schemas)
    choices = [_resolved(each, schemas) for each in schema.get("oneOf", [])]
    return {each.get("title", ""): each for each in choices} if choices else {"": schema}


def _fields(schema: Any, schemas: Any, prefix: str = "") -> Iterator[Field]:
    required = schema.get("required", [])
    for name, raw in schema.get("properties", {}).items():
        each = _resolved(raw, schemas)
        if each.get("type") == "object":
            yield from _fields(each, schemas, f"{prefix}{name}.")
            continue
        if each.get("type") == "array":
            yield from _of_each(each["items"], schemas, f"{prefix}{name}[].")
            continue
        example = next(iter(each.get("examples", [])), "")
        words = each.get("description", "")
        yield Field(f"{prefix}{name}", _kind(each), name in required, words, _as_json(example))


def _of_each(items: Any, schemas: Any, prefix: str) -> Iterator[Field]:
    """The fields of the things in a list, of whatever kind; required are those that all kinds require."""
    kinds = [list(_fields(kind, schemas, prefix)) for kind in _kinds(items, schemas).values()]
    named = [{field.path: field for field in kind} for kind in kinds]
    for path, field in {path: field for kind in named for path, field in kind.items()}.items():
        everywhere = all(path in kind and kind[path].required for kind in named)
        same = {kind[path].kind for kind in named if path in kind}
        yield replace(field, required=everywhere, kind=field.kind if len(same) == 1 else _ONE_OF)


def _as_json(example: Any) -> str:
    return "" if example == "" else json.dumps(example, ensure_ascii=False)


def _kind(schema: Any) -> str:
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " · ".join(json.dumps(value) for value in schema["enum"] if value is not None)
    kinds = schema.get("type", "")
    kind = next((each for each in kinds if each != "null"), "") if isinstance(kinds, list) else kinds
    limits = {"maxLength": "at most {:,} characters", "maximum": "at most {:,}", "format": "{}"}
    words = [text.format(schema[name]) for name, text in limits.items() if name in schema]
    return ", ".join(
        [{"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind), *words]
    )


def _resolved(schema: Any, schemas: Any) -> Any:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema
