"""A vendor's event is read strictly, and what is wrong is named field by field."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime
from typing import Any

import pytest

from portal.gateways.vendor_events import MOST_BYTES, BadEvent, parse
from portal.kernel.vendor_events import VendorEvent

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ACTIVATED: dict[str, Any] = {
    "type": "service.activated",
    "occurred_at": "2026-11-20T09:30:00-07:00",
    "consultant_code": "ABCD2345",
    "customer": {"ref": "C-1", "name": "Zoë Q.", "email": "zoe@example.com"},
    "contract": {
        "ref": "K-1",
        "service": "solar",
        "size": "8.40",
        "state": "active",
        "signed_on": "2026-10-02",
    },
    "milestone": "activated",
}


def faults(event: Any) -> list[str]:
    with pytest.raises(BadEvent) as bad:
        parse(event if isinstance(event, bytes) else json.dumps(event).encode(), now=NOW)
    return bad.value.faults


def changed(**changes: Any) -> dict[str, Any]:
    """The good event with a field changed; `contract__size` reaches inwards, `...` leaves the field out."""
    event = json.loads(json.dumps(ACTIVATED))
    for path, value in changes.items():
        *parents, name = path.split("__")
        place = event
        for parent in parents:
            place = place[parent]
        if value is ...:
            del place[name]
        else:
            place[name] = value
    return event


def test_an_activation_is_read_with_all_it_says():
    assert parse(json.dumps(ACTIVATED).encode(), now=NOW) == VendorEvent(
        type="service.activated",
        occurred_at=datetime(2026, 11, 20, 16, 30, tzinfo=UTC),
        consultant_code="ABCD2345",
        customer_ref="C-1",
        customer_name="Zoë Q.",
        customer_email="zoe@example.com",
        contract_ref="K-1",
        service_code="solar",
        size_thousandths=8_400,
        signed_on=date(2026, 10, 2),
        milestone="activated",
    )


def test_a_registration_needs_no_contract_and_a_cancellation_only_its_name():
    registered = {
        "type": "customer.registered",
        "occurred_at": "2026-11-20T09:30Z",
        "consultant_code": "A",
        "customer": {"ref": "C-1"},
    }
    cancelled = {
        "type": "service.cancelled",
        "occurred_at": "2026-11-20T09:30:00.25Z",
        "customer": {"ref": "C-1"},
        "contract": {"ref": "K-1"},
    }

    assert parse(json.dumps(registered).encode(), now=NOW).contract_ref == ""
    event = parse(json.dumps(cancelled).encode(), now=NOW)
    assert (event.contract_ref, event.milestone, event.size_thousandths, event.signed_on) == (
        "K-1",
        "",
        0,
        None,
    )


@pytest.mark.parametrize(
    ("size", "thousandths"),
    [("8", 8_000), ("8.4", 8_400), ("0.001", 1), ("999999999.999", 999_999_999_999), ("007", 7_000)],
)
def test_sizes_are_whole_thousandths(size, thousandths):
    assert parse(json.dumps(changed(contract__size=size)).encode(), now=NOW).size_thousandths == thousandths


@pytest.mark.parametrize(
    "size", [8.4, 8, "0", "0.000", "-1", "1e3", "8.4005", "8,4", "", "٣", "1_0", True, None, []]
)
def test_a_size_that_is_none_is_named(size):
    if size is None:
        assert parse(json.dumps(changed(contract__size=None)).encode(), now=NOW).size_thousandths == 0
    else:
        assert [fault.split(":")[0] for fault in faults(changed(contract__size=size))] == ["contract.size"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"type": "service.paused"}, "type: must be customer.registered, service.signed, service.changed"),
        ({"type": ...}, "type: missing"),
        ({"type": 5}, "type: must be text"),
        ({"occurred_at": ...}, "occurred_at: missing"),
        ({"occurred_at": "2026-11-20T09:30:00"}, "occurred_at: must be an instant with its offset"),
        ({"occurred_at": "2026-02-30T09:30:00Z"}, "occurred_at: must be an instant"),
        (
            {"occurred_at": "2026-11-23T09:30:00Z"},
            "occurred_at: before the year 2000 or more than a day in the future",
        ),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at: before"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at: before"),
        ({"occurred_at": 1763633000}, "occurred_at: must be"),
        ({"consultant_code": "x" * 17}, "consultant_code: must be 1 to 16 characters"),
        ({"consultant_code": "a b"}, "consultant_code: is not well formed"),
        ({"customer__ref": ...}, "customer.ref: missing"),
        ({"customer__ref": " C-1"}, "customer.ref: holds blanks"),
        (
            {"customer__ref": "C\u0000"},
            "customer.ref: holds blanks at an end or characters that cannot be printed",
        ),
        ({"customer__name": "\ud800"}, "customer.name: holds"),
        ({"customer__email": "zoe"}, "customer.email: is not well formed"),
        ({"customer__phone": "1"}, "customer.phone: is not well formed"),
        ({"customer__address": "x" * 301}, "customer.address: must be 1 to 300 characters"),
        ({"customer__fax": "1"}, "customer.fax: unknown field"),
        ({"contract__period": "2026-11"}, "contract.period: unknown field"),
        ({"refund": {"share": "0.5"}}, "refund.share: unknown field"),
        ({"reason": "x" * 301}, "reason: must be 1 to 300 characters"),
        ({"reason": "two\nlines"}, "reason: holds"),
        ({"customer": []}, "customer.ref: missing"),
        ({"contract__ref": ""}, "contract.ref: must be 1 to 100 characters"),
        ({"contract__service": ...}, "contract.service: missing"),
        ({"contract__state": "cancelled"}, "contract.state: does not go with service.activated"),
        ({"contract__signed_on": "2026-W40"}, "contract.signed_on: must be a date"),
        ({"contract__signed_on": "2027-01-01"}, "contract.signed_on: before the year 2000 or"),
        ({"milestone": "signed"}, "milestone: does not go with service.activated"),
        ({"price": 5}, "price: unknown field"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_wanted(changes, fault):
    assert any(found.startswith(fault) for found in faults(changed(**changes)))


def test_all_faults_are_told_at_once():
    assert faults({"price": 1}) == [
        "type: missing",
        "occurred_at: missing",
        "customer.ref: missing",
        "price: unknown field",
    ]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"a": {"b": 1, "b": 2}}', "twice"),
        (b"\xff\xfe{}", "UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 9_000, "nested deeper"),
        (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "nested deeper"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b" " * (MOST_BYTES + 1), "more than"),
    ],
)
def test_a_body_that_is_no_clean_json_is_refused(body, fault):
    assert fault in faults(body)[0]


def test_brackets_within_text_do_not_count_as_depth():
    event = changed(customer__name='[[[[[[{{{{ "quoted" \\')

    assert parse(json.dumps(event).encode(), now=NOW).customer_name == '[[[[[[{{{{ "quoted" \\'


def test_two_thousand_mangled_bodies_raise_nothing_but_bad_event():
    dice = random.Random(13)
    original = json.dumps(ACTIVATED).encode()
    refused = 0
    for _ in range(2_000):
        body = bytearray(original)
        for _ in range(dice.randrange(1, 6)):
            place = dice.randrange(len(body))
            body[place : place + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
        try:
            parse(bytes(body), now=NOW)
        except BadEvent:
            refused += 1
    assert refused > 1_000


def sold(**about: Any) -> dict[str, Any]:
    event = changed()
    event["customer"] |= about
    return event


@pytest.mark.parametrize(
    ("about", "state", "age"),
    [
        ({"state": "CA"}, "CA", None),
        ({"age": 71}, "", 71),
        ({"age_65_or_over": True}, "", 65),
        ({"state": "TX", "age_65_or_over": False}, "TX", None),
        ({"age": 64, "age_65_or_over": False}, "", 64),
    ],
)
def test_where_it_was_sold_and_how_old_the_buyer_is_may_be_said(about, state, age):
    event = parse(json.dumps(sold(**about)).encode(), now=NOW)

    assert (event.customer_state, event.customer_age) == (state, age)


@pytest.mark.parametrize(
    "about",
    [
        {"state": "California"},
        {"state": "ca"},
        {"age": "70"},
        {"age": -1},
        {"age": True},
        {"age": 70.5},
        {"age_65_or_over": "yes"},
        {"age_65_or_over": 1},
        {"age": 40, "age_65_or_over": True},
    ],
)
def test_a_state_or_an_age_that_is_none_is_named(about):
    (fault,) = faults(sold(**about))

    assert fault.startswith(("customer.state:", "customer.age:", "customer.age_65_or_over:"))


def test_a_customer_without_a_contract_has_neither_state_nor_age():
    event = {
        "type": "customer.registered",
        "occurred_at": "2026-11-20T09:30:00Z",
        "consultant_code": "ABCD2345",
        "customer": {"ref": "C-1", "state": "CA"},
    }

    assert faults(event) == ["customer.state: unknown field"]
