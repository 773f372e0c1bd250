"""What a program is told when something was refused: RFC 9457, with every field that is wrong by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

CONTENT_TYPE = "application/problem+json"


def problem(
    status: int,
    detail: str,
    *,
    errors: Iterable[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem answer: `title` in the words of HTTP, `detail` in ours, and `errors` as `{field, message}`.

    What an error means in general stands on the page about the API under its status.
    """
    document: dict[str, Any] = {
        "type": f"/api/docs#problem-{status}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if listed := [dict(error) for error in errors]:
        document["errors"] = listed
    response = jsonify(document)
    response.status_code = status
    response.content_type = CONTENT_TYPE
    response.headers.update(headers or {})
    return response


def by_field(faults: Iterable[str]) -> list[dict[str, str]]:
    """Faults written as `field: what is wrong` as errors of a problem answer."""
    parted = [fault.partition(": ") for fault in faults]
    return [{"field": field, "message": message} for field, _, message in parted]
