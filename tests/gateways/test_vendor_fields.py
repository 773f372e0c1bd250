"""The fields of an event stand in one place as data, and are read exactly as they stand there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.gateways.vendor_events import ACCEPTED_TYPES, BadEvent, parse, read
from portal.gateways.vendor_fields import FIELDS, FLAG, PATTERNS, REQUIRABLE, TEXT, TYPES, YEARS

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def faults(event: dict[str, Any]) -> list[str]:
    with pytest.raises(BadEvent) as bad:
        read(event, now=NOW)
    return bad.value.faults


def later(kind: str, **fields: Any) -> dict[str, Any]:
    """A later event of the same contract; `contract__period` reaches inwards."""
    event: dict[str, Any] = {
        "type": kind,
        "occurred_at": "2026-11-20T09:30:00Z",
        "customer": {"ref": "C-1"},
        "contract": {"ref": "K-1"},
    }
    for path, value in fields.items():
        parent, _, name = path.rpartition("__")
        (event.setdefault(parent, {}) if parent else event)[name] = value
    return event


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (later("service.changed", contract__size="9.1"), {"size_thousandths": 9_100}),
        (
            later("service.renewed", contract__period="2026-11", milestone="renewed"),
            {"period": "2026-11", "milestone": "renewed-2026-11"},
        ),
        (
            later("service.suspended", reason="Not paid", contract__state="suspended"),
            {"reason": "Not paid", "milestone": ""},
        ),
        (later("service.refunded", refund__share="0.25"), {"refund_share": 2_500}),
        (later("service.refunded", refund__share="1"), {"refund_share": 10_000, "period": ""}),
        (
            later("service.refunded", refund__share="1", contract__period="2026-11"),
            {"refund_share": 10_000, "period": "2026-11", "milestone": ""},
        ),
        (later("service.refunded", refund__share="0.0001"), {"refund_share": 1}),
        (
            later("service.cancelled", customer__phone="+1 (801) 555-0123", customer__address="1 Elm St"),
            {"customer_phone": "+1 (801) 555-0123", "customer_address": "1 Elm St"},
        ),
    ],
)
def test_later_events_say_what_they_are_about(event, told):
    found = parse(json.dumps(event).encode(), now=NOW)

    assert {name: getattr(found, name) for name in told} == told


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        (later("service.changed"), "contract.size: missing"),
        (later("service.renewed"), "contract.period: missing"),
        (later("service.renewed", contract__period="2026-13"), "contract.period: must be a month"),
        (later("service.renewed", contract__period="26-11"), "contract.period: must be a month"),
        (later("service.renewed", contract__period="1999-12"), "contract.period: before the year 2000"),
        (later("service.renewed", contract__period="2028-01"), "contract.period: before the year 2000 or"),
        (later("service.renewed", contract__period=202611), "contract.period: must be a month"),
        (later("service.refunded"), "refund.share: missing"),
        (later("service.refunded", refund__share="0"), "refund.share: must be a number above 0"),
        (later("service.refunded", refund__share="1.1"), "refund.share: must be"),
        (later("service.refunded", refund__share="0.12345"), "refund.share: must be"),
        (later("service.refunded", refund__share=0.25), "refund.share: must be"),
        (later("service.refunded", refund="0.25"), "refund.share: missing"),
        (later("service.suspended", milestone="activated"), "milestone: does not go with"),
        (later("service.changed", contract__size="9", contract__state="active"), "contract.state: does not"),
    ],
)
def test_what_a_later_event_lacks_or_says_wrong_is_named(event, fault):
    assert faults(event)[0].startswith(fault)


def test_an_event_that_is_an_object_already_is_read_the_same():
    event = later("service.refunded", refund__share="0.25")

    assert read(event, now=NOW) == parse(json.dumps(event).encode(), now=NOW)


def filled(name: str, paths: tuple[str, ...]) -> dict[str, Any]:
    examples = {field.path: field.example for field in FIELDS}
    return later(name, **{path.replace(".", "__"): examples[path] for path in paths})


@pytest.mark.parametrize("name", ACCEPTED_TYPES)
def test_the_schema_as_data_is_the_schema_that_is_read(name):
    about = TYPES[name]
    full = filled(name, (*about.required, *about.optional))
    least = filled(name, about.required)

    assert read(full, now=NOW).type == read(least, now=NOW).type == name
    for path in about.required:
        parent, _, field = path.rpartition(".")
        lacking = json.loads(json.dumps(full))
        (lacking[parent] if parent else lacking).pop(field, None)
        assert f"{path}: missing" in faults(lacking)
    for other in {field.path for field in FIELDS} - {*about.required, *about.optional}:
        assert f"{other}: unknown field" in faults(filled(name, (*about.required, other)))


def test_every_field_of_the_schema_can_be_told_by_its_kind():
    assert {field.kind for field in FIELDS} == {TEXT, YEARS, FLAG, *PATTERNS}
    assert set(REQUIRABLE) <= {field.path for field in FIELDS}


@pytest.mark.parametrize(("written", "years"), [(71, 71), (71.0, 71), (0.0, 0)])
def test_a_whole_number_is_whole_however_json_writes_it(written, years):
    assert read(later("service.cancelled", customer__age=written), now=NOW).customer_age == years


def test_a_name_with_a_dot_is_no_path():
    event = {**later("service.cancelled"), "customer.ref": "C-2"}

    assert faults(event) == ["`customer.ref`: unknown field"]
