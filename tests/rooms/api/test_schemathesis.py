"""Whatever the description of the API allows is taken, whatever it forbids is refused, and nothing breaks."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import FailureGroup

from portal.gateways import vendor_signatures
from portal.gateways.vendor_reader import Reader
from portal.gateways.vendor_signatures import sign
from portal.kernel.clock import utc_now
from tests.people import invite_cast
from tests.vendors import Vera, invite_vera, registered, send

OPERATIONS = ["sendEvent", "sendBatch", "showEvent", "listEvents", "sendStatement", "listSignups"]
TO_SIGN = "to be signed"
_DATE = re.compile(r"20([0-9]{2})-([0-9]{2})(?:-([0-9]{2}))?")

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def signing(app: Wsgi, vera: Vera) -> Wsgi:
    """The application as a vendor's program reaches it: what asks for it is signed on its way."""

    def door(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ.get("HTTP_WEBHOOK_SIGNATURE") == TO_SIGN:
            body = environ["wsgi.input"].read()
            timestamp = int(utc_now().timestamp())
            environ["wsgi.input"] = io.BytesIO(body)
            environ["HTTP_WEBHOOK_TIMESTAMP"] = str(timestamp)
            environ["HTTP_WEBHOOK_ID"] = message_id = f"m-{hash(body) % 10**12}"
            environ["HTTP_WEBHOOK_SIGNATURE"] = sign(vera.key.secret, message_id, timestamp, body)
        return app(environ, start)

    return door


def schema_of(app: Flask, vera: Vera) -> Any:
    """The served description, with cases that a vendor with a key could send."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app=signing(app, vera))
    # What signs repairs every header on the way; who sends none is still tried by a check of its own.
    schema.config.generation.with_security_parameters = False

    @schema.auth()
    class Signed:
        def get(self, _case: Any, _ctx: Any) -> str:
            return TO_SIGN

        def set(self, case: Any, data: str, _ctx: Any) -> None:
            case.headers = {**(case.headers or {}), "webhook-signature": data}
            case.path_parameters["public_id"] = vera.public_id
            if case.meta.generation.mode == GenerationMode.POSITIVE and isinstance(case.body, dict):
                case.body = possible(case.body)

    return schema


def possible(value: Any) -> Any:
    """What no schema says: text that can be printed, and days that the calendar has, before today."""
    if isinstance(value, str):
        return _DATE.sub(_in_time, "".join(letter if letter.isprintable() else "x" for letter in value))
    if isinstance(value, list):
        return [possible(each) for each in value]
    return {name: possible(each) for name, each in value.items()} if isinstance(value, dict) else value


def _in_time(found: re.Match[str]) -> str:
    year, month, day = int(found[1]) % 26, int(found[2]), found[3]
    return f"20{year:02}-{month:02}" + (f"-{min(int(day), 28):02}" if day else "")


def for_each_case(app: Flask, vera: Vera, name: str, *, examples: int, do: Callable[[Any], None]) -> None:
    """Do something with cases of one operation, half of them against its schema; the same at every run."""
    operation = schema_of(app, vera).find_operation_by_id(name)
    load_all_checks()
    kinds = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @given(case=one_of(kinds))
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        do(case)

    run()


def findings(app: Flask, vera: Vera, name: str, *, examples: int) -> list[str]:
    """What is found against one operation."""
    found: list[str] = []

    def check(case: Any) -> None:
        try:
            case.call_and_validate()
        except FailureGroup as group:
            found.extend(f"{each}: {case.as_curl_command()}" for each in group.exceptions)

    for_each_case(app, vera, name, examples=examples, do=check)
    return found


@pytest.fixture
def vera(sqlite_app: Flask) -> Vera:
    vera = invite_vera(sqlite_app, invite_cast(sqlite_app))
    send(sqlite_app.test_client(), vera, registered(vera))
    return vera


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "sendBatch"])
def test_nothing_is_found_against_a_door(sqlite_app: Flask, vera: Vera, name: str) -> None:
    assert findings(sqlite_app, vera, name, examples=20) == []


def test_nothing_is_found_against_batches_but_that_a_bad_event_is_no_bad_batch(
    sqlite_app: Flask, vera: Vera
) -> None:
    found = findings(sqlite_app, vera, "sendBatch", examples=20)

    assert [fault for fault in found if not fault.startswith("Schema-violating request accepted")] == []


def test_in_a_batch_an_event_is_refused_where_the_schema_forbids_it(sqlite_app: Flask, vera: Vera) -> None:
    schema = sqlite_app.test_client().get("/api/v1/openapi.json").json["components"]["schemas"]["Batch"]
    event = Draft202012Validator(schema["properties"]["events"]["items"])
    counts: Counter[str] = Counter()

    def compare(case: Any) -> None:
        answer = case.call()
        if answer.status_code != 200:
            return
        positive = case.meta.generation.mode == GenerationMode.POSITIVE
        for each, told in zip(case.body["events"], answer.json()["results"], strict=True):
            counts[told["result"]] += 1
            assert not (positive and told["result"] == "refused"), (each, told)
            assert told["result"] == "refused" or event.is_valid(each), (each, told)

    for_each_case(sqlite_app, vera, "sendBatch", examples=30, do=compare)
    assert min(counts["refused"], counts["stored"]) >= 5


def test_a_check_that_takes_only_some_whole_numbers_is_found(
    sqlite_app: Flask, vera: Vera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def naive(self: Reader, path: str) -> int | None:
        years = self._unread.pop(path, None)
        if years is None or type(years) is int:
            return years
        self.faults.append(f"{path}: must be a whole number")
        return None

    monkeypatch.setattr(Reader, "_years", naive)

    assert any("Valid data" in fault for fault in findings(sqlite_app, vera, "sendEvent", examples=400))


def test_a_door_that_believes_everybody_is_found(
    sqlite_app: Flask, vera: Vera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor_signatures, "verify", lambda *_: "e1")

    assert findings(sqlite_app, vera, "listEvents", examples=10) != []
