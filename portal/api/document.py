"""The OpenAPI 3.1 document, made of what each door says of itself beside its view."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

from flask import Flask

from portal.ui.operations import PROBLEM, Answer, Operation, Parameter, ref
from portal.ui.problems import CONTENT_TYPE

VERSION: Final = "1.0"
JSON: Final = "application/json"
NOBODY: Final = "nobody"
SIGNED_HEADERS: Final = {
    "webhookId": ("webhook-id", "A name of this message: 1 to 100 letters, digits, - and _."),
    "webhookTimestamp": ("webhook-timestamp", "Seconds since 1970, at most 300 from our clock."),
    "webhookSignature": (
        "webhook-signature",
        "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; the key is the bytes behind `whsec_`.",
    ),
}
SIGN_INS: Final[dict[str, dict[str, Any]]] = {
    "signature": {
        name: {"type": "apiKey", "in": "header", "name": header, "description": words}
        for name, (header, words) in SIGNED_HEADERS.items()
    },
    NOBODY: {},
    "token": {"token": {"type": "http", "scheme": "bearer", "description": "A token you made here."}},
}
ABOUT: Final = (
    "Every answer is JSON; what is refused is answered with a problem (RFC 9457) that names the fields. "
    "Whatever you send under an id may be sent again: it counts once. Text is what can be printed, without "
    "blanks at its ends; moments lie after 1999 and at most a day ahead."
)

_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What was refused and why (RFC 9457).",
    "properties": {
        "type": {"type": "string", "description": "Where it is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}
_RATES: Final = {
    name: {"description": words, "schema": {"type": "string"}}
    for name, words in (
        ("RateLimit-Policy", 'Each allowance: `"requests";q=600;w=60` is 600 of them in 60 seconds.'),
        ("RateLimit", 'What is left: `"requests";r=599;t=42` is 599 of them for the next 42 seconds.'),
    )
}
_CONVERTER: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


def document(app: Flask) -> dict[str, Any]:
    """The description of every door that has one, by path and method."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {PROBLEM: _PROBLEM}
    sign_ins: dict[str, Any] = {}
    for path, method, operation in operations(app):
        paths.setdefault(path, {})[method] = _described(operation)
        schemas |= operation.schemas
        sign_ins |= SIGN_INS[operation.sign_in]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Canopy", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": sign_ins},
    }


def operations(app: Flask) -> list[tuple[str, str, Operation]]:
    """Path, method in lower case and what is said of it, in the order of the paths."""
    found = []
    for rule in app.url_map.iter_rules():
        operation = getattr(app.view_functions[rule.endpoint], "operation", None)
        if operation is not None:
            [method] = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            found.append((_CONVERTER.sub(r"{\1}", rule.rule), method.lower(), operation))
    return sorted(found, key=lambda each: (each[0], each[1] == "get"))


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.title,
        "description": operation.words,
        "tags": [operation.group],
        "security": [{name: [] for name in proofs}] if (proofs := SIGN_INS[operation.sign_in]) else [],
        "parameters": [_parameter(each) for each in operation.parameters],
        "responses": {
            str(status): _answer(status, each, limited=operation.sign_in != NOBODY)
            for status, each in operation.answers.items()
        },
    }
    if operation.body is not None:
        examples = {name.replace(" ", "-"): {"value": each} for name, each in operation.body.examples.items()}
        described["requestBody"] = {
            "required": True,
            "description": f"{operation.body.words} At most {operation.body.most_bytes:,} bytes.",
            "content": {JSON: {"schema": operation.body.schema, "examples": examples}},
        }
    return described


def _parameter(each: Parameter) -> dict[str, Any]:
    shown = {"name": each.name, "in": each.place, "description": each.words, "schema": each.schema}
    return {**shown, "required": True} if each.required else shown


def _answer(status: int, each: Answer, *, limited: bool) -> dict[str, Any]:
    if status in (HTTPStatus.NOT_MODIFIED, HTTPStatus.SEE_OTHER):
        return {"description": each.words}
    form = CONTENT_TYPE if each.schema is None else JSON
    content: dict[str, Any] = {"schema": ref(PROBLEM) if each.schema is None else each.schema}
    if each.example is not None:
        content["example"] = each.example
    answer: dict[str, Any] = {"description": each.words, "content": {form: content}}
    headers: dict[str, Any] = {}
    if status in (429, 503):
        headers["Retry-After"] = {"description": "Seconds.", "schema": {"type": "integer"}}
    if limited and (status < 300 or status == 429):
        headers |= _RATES
    return answer | {"headers": headers} if headers else answer
