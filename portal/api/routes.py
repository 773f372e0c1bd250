"""The document for programs and the page for people; both say the same."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, current_app, jsonify

from portal.access.guard import public
from portal.api.document import document
from portal.api.reading import bodies, samples, shown_operations
from portal.api.room import api
from portal.config import Settings
from portal.ui import show
from portal.ui.operations import Operation


@api.get("/api/v1/openapi.json")
@public
def openapi() -> Response:
    """The API as OpenAPI 3.1."""
    return jsonify(document(current_app))


@api.get("/api/docs")
@public
def docs() -> Response:
    """The API as a page."""
    settings: Settings = current_app.config["SETTINGS"]
    groups = shown_operations(current_app)
    told = {
        status: words
        for shown in groups.values()
        for each in shown
        for status, words in _refusals(each.about)
    }
    return show(
        "api/docs.html",
        "main",
        groups=groups,
        bodies=bodies(current_app),
        samples=samples(),
        refusals=[(status, HTTPStatus(status).phrase, told[status]) for status in sorted(told)],
        base_url=settings.base_url,
    )


def _refusals(about: Operation) -> list[tuple[int, str]]:
    return [(status, answer.words) for status, answer in about.answers.items() if status >= 400]
