"""A program is told what was refused in one form, wherever it knocks."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.ui.problems import by_field, problem


def test_a_problem_names_status_reason_and_every_field(sqlite_app: Flask) -> None:
    with sqlite_app.test_request_context():
        answer = problem(
            422, "The event is not well formed.", errors=by_field(["customer.ref: missing", "a: b: c"])
        )

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.json == {
        "type": "/api/docs#problem-422",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "The event is not well formed.",
        "errors": [{"field": "customer.ref", "message": "missing"}, {"field": "a", "message": "b: c"}],
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nothing", 404), ("POST", "/api/v1/vendors", 404), ("PUT", "/webhooks/stripe", 405)],
)
def test_what_no_door_answers_is_a_problem_too(
    sqlite_app: Flask, method: str, path: str, status: int
) -> None:
    answer = sqlite_app.test_client().open(path, method=method)

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json and answer.json["status"] == status and answer.json["detail"]
