"""What cannot be right is refused, all of it at once, one line each, naming the place."""

import json

import pytest

from portal.engine import calculate, case
from tests.engine.sound import SOUND, changed, faults


def test_the_sound_case_is_not_refused():
    inputs, _ = case.read(json.dumps(SOUND).encode())

    assert calculate(inputs).totals.volume == 0


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "line 1, column 1: this is not JSON (Expecting value)"),
        (b"\xff{}", "byte 0: this is not UTF-8"),
        (b"[1]", "the file must hold one JSON object"),
        (b"[" * 200_000, "the file is nested too deeply"),
        (b'{"plan": ' * 200_000, "the file is nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_refused(data, fault):
    assert faults(data) == [fault]


def test_a_key_that_stands_twice_is_refused_with_its_place():
    data = json.dumps(SOUND).replace('"id": "ben"', '"id": "ben", "id": "ben"')
    data = data.replace('"rate": {"plus": "0.1"}', '"rate": {"plus": "0.1", "plus": "0.1"}')

    assert faults(data.encode()) == [
        "plan.binary.rate.plus: this key stands there more than once",
        "members[1].id: this key stands there more than once",
    ]


@pytest.mark.parametrize(
    ("path", "to", "fault"),
    [
        (["plan"], [], "plan: must be an object"),
        (["plan", "color"], 1, "plan.color: this field is unknown"),
        (["plan", "a b\n"], 1, 'plan["a b\\n"]: this field is unknown'),
        (["plan", "currency"], ..., "plan.currency: is missing"),
        (["plan", "currency"], "usd", 'plan.currency: must be three capital letters, like "USD"'),
        (["plan", "name"], 7, "plan.name: must be a string"),
        (["plan", "point_value"], "0.00", "plan.point_value: is too small"),
        (["plan", "point_value"], "100.01", "plan.point_value: is too large"),
        (["plan", "point_value"], 1.0, 'plan.point_value: must be a string like "12.50"'),
        (["plan", "point_value"], float("nan"), 'plan.point_value: must be a string like "12.50"'),
        (["plan", "activity"], ..., "plan.activity: is missing"),
        (["plan", "activity", "window_cycles"], 0, "plan.activity.window_cycles: is too small"),
        (["plan", "activity", "window_cycles"], 2.0, "plan.activity.window_cycles: must be a whole number"),
        (["plan", "activity", "window_cycles"], True, "plan.activity.window_cycles: must be a whole number"),
        (["plan", "activity", "window_cycles"], 10**40, "plan.activity.window_cycles: is too large"),
        (["plan", "activity", "window_cycles"], -(10**40), "plan.activity.window_cycles: is too small"),
        (["plan", "activity", "extra"], 1, "plan.activity.extra: this field is unknown"),
        (
            ["plan", "activity", "personal_volume"],
            "-1.00",
            "plan.activity.personal_volume: must not be negative",
        ),
        (
            ["plan", "activity", "personal_volume"],
            "1.001",
            "plan.activity.personal_volume: has more than 2 decimals",
        ),
        (
            ["plan", "activity", "personal_volume"],
            "10000000000.01",
            "plan.activity.personal_volume: is too large",
        ),
        (["plan", "activity", "personal_volume"], "9" * 9999, "plan.activity.personal_volume: is too large"),
        *(
            (
                ["plan", "activity", "personal_volume"],
                text,
                'plan.activity.personal_volume: must be written in digits, like "12.50"',
            )
            for text in ("1e3", "+1", " 1", "1.", ".5", "", "NaN", "1_0", "١", "--1", "1\n")
        ),
        (["plan", "retail", "rate", "plus"], "1.0001", "plan.retail.rate.plus: is too large"),
        (["plan", "retail", "rate", "plus"], "-0.1", "plan.retail.rate.plus: must not be negative"),
        (["plan", "retail", "rate", "plus"], "0.12345", "plan.retail.rate.plus: has more than 4 decimals"),
        (["plan", "retail"], None, "plan.retail: must be an object"),
        (["plan", "direct"], {}, "plan.direct.rate: is missing"),
        (["plan", "services", "solar"], 5, "plan.services.solar: must be an object"),
        (["plan", "services", "solar", "x"], 5, "plan.services.solar.x: this field is unknown"),
        (["plan", "binary", "mode"], ..., "plan.binary.mode: is missing"),
        (["plan", "binary", "mode"], "mixed", "plan.binary.mode: must be one of percent, pairs, tiers"),
        (["plan", "binary", "rate"], ..., "plan.binary.rate: is missing"),
        (["plan", "binary", "strong"], "1.00", "plan.binary.strong: this field is unknown"),
        (["plan", "binary", "over_cap"], "lose", "plan.binary.over_cap: must be one of keep, consume, flush"),
        (
            ["plan", "binary", "over_cap"],
            ["keep"],
            "plan.binary.over_cap: must be one of keep, consume, flush",
        ),
        (["plan", "binary", "qualify", "active"], "yes", "plan.binary.qualify.active: must be true or false"),
        (["plan", "binary", "qualify", "each_leg"], -1, "plan.binary.qualify.each_leg: must not be negative"),
        (["plan", "binary", "cap", "pairs"], {}, "plan.binary.cap.pairs: this field is unknown"),
        (
            ["plan", "binary", "cap", "money"],
            {"plus": "-1"},
            "plan.binary.cap.money.plus: must not be negative",
        ),
        (["plan", "binary", "carry_cycles"], 0, "plan.binary.carry_cycles: is too small"),
        (["members"], ..., "members: is missing"),
        (["members"], {}, "members: must be a list"),
        (["members", 3], "dia", "members[3]: must be an object"),
        (["members", 0, "pack"], ..., "members[0].pack: is missing"),
        (["members", 0, "pack"], None, "members[0].pack: must be a string"),
        (["members", 2, "sponsor"], "dia", 'members[2].sponsor: "dia" is unknown'),
        (["members", 2, "sponsor"], 4, "members[2].sponsor: must be a string or null"),
        (["members", 2, "parent"], "dia", 'members[2].parent: "dia" is unknown'),
        (["members", 2, "leg"], "M", "members[2].leg: must be L, R or null"),
        (["members", 2, "leg"], "L", "members[2].parent: members[1] already stands there"),
        (["members", 2, "leg"], None, "members[2].parent: a parent without a leg"),
        (["members", 2, "parent"], None, "members[2].leg: a leg without a parent"),
        (["members", 2, "matrix_parent"], "dia", 'members[2].matrix_parent: "dia" is unknown'),
        (["members", 2, "matrix_parent"], "cem", "members[2].matrix_parent: is part of a cycle"),
        (["members", 0, "sponsor"], "cem", "members[0].sponsor: is part of a cycle"),
        (["members", 2, "status"], "gone", "members[2].status: must be one of active, suspended, terminated"),
        (["members", 2, "status"], None, "members[2].status: must be one of active, suspended, terminated"),
        (["members", 2, "carry", "up"], "1.00", "members[2].carry.up: this field is unknown"),
        (["members", 2, "carry", "left"], "92233720368547758.08", "members[2].carry.left: is too large"),
        (["members", 2, "matched_to_date"], "-1.00", "members[2].matched_to_date: must not be negative"),
        (["members", 2, "inactive_cycles"], "1", "members[2].inactive_cycles: must be a whole number"),
        (["members", 3], {"id": "ana", "pack": "x"}, 'members[3].id: "ana" is there more than once'),
        (["events", 1, "id"], "h1", 'events[1].id: "h1" is there more than once'),
        (["events", 0, "member"], "dia", 'events[0].member: "dia" is unknown'),
        (["events", 0, "member"], None, "events[0].member: must be a string"),
        (["events", 0, "at"], 5, "events[0].at: must be a string"),
        *(
            (
                ["events", 0, "at"],
                text,
                'events[0].at: must be a time with its offset, like "2026-11-16T10:00:00Z"',
            )
            for text in (
                "2026-11-16T10:00:00",
                "2026-02-30T10:00:00Z",
                "2026-11-16 10:00:00Z",
                "2026-11-16T10:00Z",
            )
        ),
        (["events", 0, "volume"], "10000000000.01", "events[0].volume: is too large"),
        (["events", 0, "revenue"], "-1.00", "events[0].revenue: is negative, but this is not a reversal"),
        (["events", 1, "volume"], "1.00", "events[1].volume: is positive, but this is a reversal"),
        (["events", 1, "volume"], "-9.01", "events[1].volume: reverses more than there was"),
        (["events", 1, "reverses"], "e9", 'events[1].reverses: "e9" is unknown'),
        (["events", 1, "reverses"], "h1", "events[1].member: is not the one of what it reverses"),
        (["events", 1, "at"], "2026-11-16T09:59:59Z", "events[1].at: is earlier than what it reverses"),
        (["events", 0, "service"], 1, "events[0].service: must be a string or null"),
        (["history"], [], "history: must be an object"),
        (["history", "more"], [], "history.more: this field is unknown"),
        (["history", "events", 0, "volume"], "-5.00", "history.events[0].volume: must not be negative"),
        (
            ["history", "events", 0, "reversed_revenue"],
            "5.01",
            "history.events[0].reversed_revenue: is more than there was",
        ),
        (["history", "lines", 0, "member"], "dia", 'history.lines[0].member: "dia" is unknown'),
        (["history", "lines", 0, "source"], "h2", 'history.lines[0].source: "h2" is unknown'),
        (["history", "lines", 0, "source"], None, "history.lines[0].source: must be a string"),
        (["history", "lines", 0, "amount"], "-1.00", "history.lines[0].amount: must not be negative"),
        (
            ["history", "lines", 0, "kind"],
            "gift",
            (
                "history.lines[0].kind: must be one of retail, direct, unilevel, revenue_share, matrix, "
                "binary, matching, pool"
            ),
        ),
    ],
)
def test_a_fault_is_named_with_its_place(path, to, fault):
    assert fault in faults(changed(*path, to=to))


@pytest.mark.parametrize(("sign", "fault"), [("", "is too large"), ("-", "is too small")])
def test_a_number_with_more_digits_than_a_machine_reads_is_refused(sign, fault):
    data = json.dumps(SOUND).replace('"window_cycles": 1', f'"window_cycles": {sign}{"9" * 5000}')

    assert faults(data.encode()) == [f"plan.activity.window_cycles: {fault}"]


def test_a_deeply_nested_field_is_refused_like_any_other():
    data = json.dumps(SOUND).replace('"name": "small"', f'"name": {"[" * 700}{"]" * 700}')

    assert faults(data.encode()) == ["plan.name: must be a string"]


@pytest.mark.parametrize("at", ["2026-11-16T10:59:59+01:00", "2026-11-16T08:59:59.999-01:00"])
def test_a_reversal_before_its_sale_is_refused_whatever_the_offsets(at):
    assert faults(changed("events", 1, "at", to=at)) == ["events[1].at: is earlier than what it reverses"]


@pytest.mark.parametrize("at", ["2026-11-16T11:00:00+01:00", "2026-11-16T09:00:00-01:00"])
def test_a_reversal_at_the_moment_of_its_sale_is_sound(at):
    case.read(json.dumps(changed("events", 1, "at", to=at)).encode())


def test_a_sale_without_revenue_has_no_revenue_to_reverse():
    document = changed("events", 0, "revenue", to="0.00")
    document["events"][1]["revenue"] = "-0.01"

    assert faults(document) == ["events[1].revenue: reverses more than there was"]


def test_a_reversal_of_a_reversal_is_refused():
    again = SOUND["events"][1] | {"id": "e3", "reverses": "e2"}

    assert faults(changed("events", 2, to=again)) == ["events[2].reverses: names a reversal"]


def test_every_cycle_is_named_once():
    document = changed("members", 0, "parent", to="cem")
    document["members"][0]["leg"] = "L"

    assert faults(document) == ["members[0].parent: is part of a cycle"]


def test_all_faults_are_told_at_once_and_none_twice():
    document = changed("plan", "point_value", to="0")
    document["members"][1]["sponsor"] = "dia"
    document["events"][0]["volume"] = "lots"
    document["more"] = 1

    assert faults(document) == [
        "plan.point_value: is too small",
        'members[1].sponsor: "dia" is unknown',
        'events[0].volume: must be written in digits, like "12.50"',
        "more: this field is unknown",
    ]
