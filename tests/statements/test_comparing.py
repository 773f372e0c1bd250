"""What a statement and the events of its day disagree in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from portal.statements.comparing import Found, Ours, compare
from portal.statements.lines import Line

DAY = date(2026, 11, 16)
NOON = datetime(2026, 11, 16, 18, tzinfo=UTC)
LINE = Line(
    line=1,
    type="service.activated",
    contract_ref="K1",
    occurred_at=NOON,
    customer_ref="C1",
    consultant_code="BEN22222",
    service_code="solar",
    size_thousandths=8_400,
    revenue_cents=620_00,
)
FACT = Ours(
    fact_id=7,
    type="service.activated",
    contract_ref="K1",
    day=DAY,
    at=NOON,
    customer_ref="C1",
    consultant_code="BEN22222",
    service_code="solar",
    period="",
    size_thousandths=8_400,
    revenue_cents=620_00,
)


def found(lines: list[Line], ours: list[Ours], elsewhere: Any = None) -> list[Found]:
    return compare(lines, ours, day=DAY, elsewhere=elsewhere or {})


def test_what_agrees_is_no_difference() -> None:
    assert found([LINE], [FACT]) == []


def test_what_the_vendor_does_not_say_is_not_held_against_them() -> None:
    bare = Line(line=1, type="service.activated", contract_ref="K1", occurred_at=NOON)

    assert found([bare], [FACT]) == []


def test_a_line_without_an_event_is_missing_and_an_event_without_a_line_extra() -> None:
    other = replace(FACT, fact_id=8, contract_ref="K2")

    missing, extra = found([LINE], [other])

    assert (missing.kind, missing.contract_ref, missing.line) == ("missing", "K1", 1)
    assert missing.fields["size"] == [None, 8_400]
    assert (extra.kind, extra.contract_ref, extra.fact_id) == ("extra", "K2", 8)
    assert extra.fields["revenue"] == [620_00, None]


def test_each_field_that_differs_is_named_with_both_values() -> None:
    said = replace(LINE, size_thousandths=9_000, revenue_cents=650_00, consultant_code="ana22222")

    (different,) = found([said], [FACT])

    assert different.kind == "different"
    assert different.fields == {
        "size": [8_400, 9_000],
        "revenue": [620_00, 650_00],
        "consultant": ["BEN22222", "ANA22222"],
    }


def test_renewals_of_two_months_are_two_things() -> None:
    line = replace(LINE, type="service.renewed", period="2026-11")
    fact = replace(FACT, type="service.renewed", period="2026-10")

    assert [each.kind for each in found([line], [fact])] == ["missing", "extra"]
    assert found([line], [replace(fact, period="2026-11")]) == []


def test_the_same_thing_told_twice_is_one_thing() -> None:
    again = replace(FACT, fact_id=8, size_thousandths=9_000)

    assert found([LINE], [FACT, again]) == []
    assert [each.fact_id for each in found([], [FACT, again])] == [7]


def test_changes_are_counted_each() -> None:
    change = replace(LINE, type="service.changed")
    ours = replace(FACT, type="service.changed")

    assert found([change, replace(change, line=2)], [ours, replace(ours, fact_id=8)]) == []
    assert [each.kind for each in found([change], [ours, replace(ours, fact_id=8)])] == ["extra"]


def test_an_event_of_another_day_is_a_difference_of_the_day_alone() -> None:
    late = replace(FACT, day=date(2026, 11, 17))

    (different,) = found([LINE], [], {late.key: late})

    assert different.fields == {"day": ["2026-11-17", "2026-11-16"]}


def test_what_was_booked_for_a_statement_needs_no_line() -> None:
    ours = replace(FACT, type="service.changed", settled=True)

    assert found([LINE], [FACT, ours]) == []


def test_two_changes_of_a_day_are_told_apart_by_their_moment() -> None:
    """The first was lost, the second told with a wrong size: neither is taken for the other."""
    first = replace(LINE, type="service.changed", occurred_at=NOON.replace(hour=15), size_thousandths=9_000)
    second = replace(LINE, type="service.changed", line=2, size_thousandths=9_600)
    came = replace(FACT, type="service.changed", size_thousandths=9_000)

    assert [(each.kind, each.line) for each in found([first, second], [came])] == [
        ("missing", 1),
        ("different", 2),
    ]
