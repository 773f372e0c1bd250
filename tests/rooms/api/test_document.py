"""The API's own description: valid, whole, and the same as what the doors do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.serving import make_server

from portal.api.reading import SAMPLES
from portal.gateways.vendor_fields import TYPES
from tests.people import invite_cast
from tests.vendors import Vera, invite_vera

SAMPLES_PLACE = Path(__file__).resolve().parents[3] / "portal/api/samples"


@pytest.fixture
def document(sqlite_app: Flask) -> Any:
    return sqlite_app.test_client().get("/api/v1/openapi.json").json


def examples(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every example of a body or an answer with its schema."""
    for path in document["paths"].values():
        for operation in path.values():
            contents = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (each for part in contents for each in part.get("content", {}).values()):
                shown = [each["value"] for each in content.get("examples", {}).values()]
                shown += [content["example"]] if "example" in content else []
                yield from ((example, content["schema"]) for example in shown)


def test_the_document_is_openapi_3_1(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_the_validator_sees_a_broken_document(document: Any) -> None:
    document["paths"]["/api/v1/vendors/{public_id}/events"]["post"]["operationId"] = 7

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) != []


def test_every_example_fits_its_schema(document: Any) -> None:
    checked = 0
    for example, schema in examples(document):
        whole = {**schema, "components": document["components"]}
        faults = [fault.message for fault in Draft202012Validator(whole).iter_errors(example)]
        assert faults == [], example
        checked += 1
    assert checked > len(TYPES)


def test_every_signed_door_says_what_it_does(sqlite_app: Flask, document: Any) -> None:
    rules = [rule for rule in sqlite_app.url_map.iter_rules() if rule.rule.startswith("/api/v1/vendors")]

    assert len(rules) == 6
    for rule in rules:
        [method] = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        path = rule.rule.replace("<", "{").replace(">", "}")
        assert {"401", "413", "429", "503"} <= document["paths"][path][method.lower()]["responses"].keys()


def test_only_who_has_to_wait_is_told_for_how_long(document: Any) -> None:
    told = {"Retry-After": set(), "RateLimit": set()}
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                for name in told.keys() & answer.get("headers", {}):
                    told[name].add((status, bool(operation["security"])))

    assert {status for status, _ in told["Retry-After"]} == {"429", "503"}
    assert told["RateLimit"] == {(status, True) for status in ("200", "201", "202", "429")}


def test_the_page_shows_every_operation_type_and_refusal(sqlite_app: Flask, document: Any) -> None:
    page = sqlite_app.test_client().get("/api/docs").text

    for path in document["paths"].values():
        for operation in path.values():
            assert f'id="{operation["operationId"]}"' in page
    assert all(f"<code>{name}</code>" in page for name in TYPES)
    for status in (401, 404, 409, 413, 415, 422, 429, 503):
        assert f'id="problem-{status}"' in page


@pytest.fixture
def served(sqlite_app: Flask) -> Iterator[tuple[str, Vera]]:
    vera = invite_vera(sqlite_app, invite_cast(sqlite_app))
    server = make_server("127.0.0.1", 0, sqlite_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}", vera
    server.shutdown()
    thread.join()


def signed_in(url: str, vera: Vera) -> dict[str, str]:
    """What the page says to set."""
    named = {"CANOPY_URL": url, "CANOPY_VENDOR": vera.public_id, "CANOPY_SECRET": vera.key.secret}
    return {**os.environ, **named}


PROGRAMS = {
    "bash": ["bash", "-c", '. "$0"; canopy GET events?limit=10'],
    "Python": [sys.executable],
    "Node": ["node"],
}


@pytest.mark.parametrize("language", SAMPLES)
def test_each_way_to_sign_is_believed(served: tuple[str, Vera], language: str) -> None:
    url, vera = served
    if shutil.which(PROGRAMS[language][0]) is None:
        pytest.skip(f"{PROGRAMS[language][0]} is not installed")
    command = [*PROGRAMS[language], str(SAMPLES_PLACE / SAMPLES[language])]

    done = subprocess.run(
        command,
        env=signed_in(url, vera),
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert done.stdout.strip().replace("'", '"').replace("None", "null") in (
        '{"events": [], "next": null}',
        '{"events":[],"next":null}',
    ), done.stderr


def test_the_commands_of_the_page_work_as_they_stand(served: tuple[str, Vera], sqlite_app: Flask) -> None:
    from portal.api.reading import shown_operations

    url, vera = served
    commands = {each.about.name: each.command for each in shown_operations(sqlite_app)["For vendors"]}
    answers = {}
    for name in ("sendEvent", "sendBatch", "showEvent", "listEvents", "sendStatement", "listSignups"):
        done = subprocess.run(
            ["bash", "-c", f'. "{SAMPLES_PLACE}/sign.sh"; {commands[name]}'],
            env=signed_in(url, vera),
            capture_output=True,
            text=True,
            timeout=20,
        )
        answers[name] = json.loads(done.stdout)

    assert answers["sendEvent"] == {"id": "my-event-1", "result": "stored"}
    assert answers["sendBatch"]["counts"]["refused"] == 0
    assert (answers["showEvent"]["id"], answers["showEvent"]["state"]) == ("my-event-1", "waiting")
    assert len(answers["listEvents"]["events"]) >= 2
    assert answers["sendStatement"]["lines"] == 1
    assert answers["listSignups"] == {"signups": [], "next": None}
