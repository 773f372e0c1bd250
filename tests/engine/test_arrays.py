"""Whoever brings arrays instead of a case file is told just as plainly what does not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.engine import Events, History, Inputs, Network, Plan, Refused, State, arithmetic, calculate
from portal.kernel import money

PLAN = Plan.parse(
    {
        "currency": "USD",
        "point_value": "1.00",
        "activity": {"personal_volume": "0.00", "window_cycles": 1},
        "services": {"solar": {"retail": {"a": "0.5"}}},
        "direct": {"rate": {"b": "0.25"}},
        "binary": {"mode": "percent", "rate": {"c": "0.1"}, "cap": {"money": {"d": "1.00"}}},
    }
)
#     0
#   1   2
#  3     4      and 5 stands alone
TREE = {
    "sponsor": [-1, 0, 0, 1, 0, 4],
    "parent": [-1, 0, 0, 1, 2, -1],
    "leg": [-1, 0, 1, 0, 1, -1],
    "pack": [0] * 6,
    "status": [0] * 6,
    "packs": ("a",),
}


def network(**changes):
    return Network(**(TREE | changes))


def events(**changes):
    columns = {"member": [1], "at": [5], "volume": [100], "revenue": [100], "service": [-1], "reverses": [-1]}
    return Events(**(columns | {"order": [1]} | changes))


def refused(make):
    with pytest.raises(Refused) as refusal:
        make()
    return refusal.value.faults


def test_a_plan_knows_its_packs():
    small = {"currency": "USD", "point_value": "1", "activity": {"personal_volume": "0", "window_cycles": 1}}

    assert PLAN.packs == ("a", "b", "c", "d")
    assert Plan.parse(small).packs == ()


def with_parts(**parts):
    return Plan.parse(PLAN.document | parts)


def test_a_plan_knows_the_packs_of_its_pairs_and_generations():
    pairs = {"mode": "pairs", "strong": "2", "weak": "1", "pay": "92.00", "cap": {"pairs": {"e": 1}}}
    plan = with_parts(binary=pairs, matching={"rates": [], "depth": {"f": 1}})

    assert plan.packs == ("a", "b", "e", "f")
    assert with_parts(binary={"mode": "tiers", "tiers": [["1", "1"]]}).packs == ("a", "b")


def test_the_matrix_is_held_to_its_width_where_the_plan_has_one():
    plan = with_parts(matrix={"width": 1, "rates": []})
    wide = network(matrix_parent=[-1, 0, 0, 1, 2, -1])
    parts = {"events": Events.none(), "history": History.none(), "state": State.fresh(6)}

    assert refused(lambda: Inputs(plan=plan, network=wide, **parts)) == [
        "member 2.matrix_parent: member 0 already has 1 below it"
    ]
    assert len(Inputs(plan=PLAN, network=wide, **parts).network) == 6


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ({"pool": {"rate": "1"}, "ranks": [{"name": "r", "requires": {}, "pool_shares": 1}]}, "plan.pool"),
        ({"payout_limit": "1"}, "plan.payout_limit"),
        ({"binary": {"mode": "pairs", "strong": "0.01", "weak": "0.01", "pay": "92.00"}}, "binary_earned"),
        ({"direct": {"rate": {"a": "1"}}}, "an amount"),
        (
            {"unilevel": {"rates": ["0.009"] * 2}, "direct": {"rate": {"a": "0.009"}}},
            "lines: the sum of all amounts",
        ),
    ],
)
def test_money_beyond_all_bounds_is_refused_and_never_wraps(part, fault):
    pairs = {"qualify": {"active": False, "each_leg": 0}}
    if "binary" in part:
        part = {"binary": part["binary"] | pairs}
    plan = with_parts(point_value="100.00", direct={"rate": {}}) if "direct" not in part else with_parts()
    plan = Plan.parse(plan.document | {"point_value": "100.00"} | part)
    large = events(volume=[2**63 - 2], member=[3])
    carried = [[0] * 6, [2**60] * 6, [2**60] * 6, [0] * 6, [0] * 6, [0] * 6]
    state = State(*carried) if "binary" in part else State.fresh(6)
    large = Events.none() if "binary" in part else large

    told = refused(lambda: calculate(Inputs(plan, network(), large, History.none(), state)))

    assert [line.split(": passes")[0].endswith(fault) for line in told] == [True]


def test_an_addition_at_the_bound_is_exact():
    most, more = np.array([2**63 - 2, -(2**63) + 2]), np.array([1, -1])

    assert arithmetic.added(most, more, "x").tolist() == [2**63 - 1, -(2**63) + 1]
    for wide in (np.array([2, 0]), np.array([0, -2])):
        with pytest.raises(Refused):
            arithmetic.added(most, wide, "x")


def test_numbers_are_kept_as_narrow_as_they_can_be():
    widths = [
        arithmetic.narrowed(np.array(values)).itemsize for values in ([], [127], [-129], [2**31], [-(2**40)])
    ]

    assert widths == [1, 1, 4, 8, 8]


@given(st.lists(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), max_size=4), max_size=4))
def test_sums_over_several_arrays_are_bounded_or_refused(columns):
    arrays = [np.array(values, np.int64) for values in columns]
    size = sum(abs(value) for values in columns for value in values)
    try:
        arithmetic.bounded_together(arrays, "x")
        assert size <= 2**63 - 1
    except Refused:
        assert size > 2**63 - 1


def test_the_network_counts_people_and_knows_who_is_below():
    tree = network()
    everybody = np.arange(6)

    assert tree.people_left.tolist() == [2, 1, 0, 0, 0, 0]
    assert tree.people_right.tolist() == [2, 0, 1, 0, 0, 0]
    assert tree.is_below(everybody, np.zeros(6, int)).tolist() == [False, True, True, True, True, False]
    assert tree.is_in_left(everybody, np.zeros(6, int)).tolist() == [False, True, False, True, False, False]
    assert tree.is_in_right(everybody, np.zeros(6, int)).tolist() == [False, False, True, False, True, False]


def test_arrays_that_were_given_cannot_be_changed_through_the_engine():
    with pytest.raises(ValueError, match="read-only"):
        network().sponsor[0] = 3


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"sponsor": [-1]}, "parent: 6 values for 1 members"),
        ({"leg": [-1]}, "leg: 1 values for 6 members"),
        ({"pack": [1] * 6}, "pack: points outside 0 to 0"),
        ({"pack": [-1] * 6}, "pack: points outside 0 to 0"),
        ({"sponsor": [6] * 6}, "sponsor: points outside 0 to 5"),
        ({"parent": [1, 0, 0, 1, 2, -1], "leg": [0, 0, 1, 0, 1, -1]}, "member 0.parent: is part of a cycle"),
        ({"leg": [-1, 0, 0, 0, 1, -1]}, "member 2.parent: member 1 already stands there"),
    ],
)
def test_a_network_that_cannot_be_is_refused(changes, fault):
    assert fault in refused(lambda: network(**changes))


def test_a_cycle_is_named_by_its_first_member_and_those_below_are_not():
    assert refused(lambda: network(sponsor=[3, 2, 1, 5, 3, 0])) == [
        "member 0.sponsor: is part of a cycle",
        "member 1.sponsor: is part of a cycle",
    ]


def test_a_tree_in_which_sponsors_come_later_is_sound():
    assert len(network(sponsor=[5, 5, 5, 4, 5, -1])) == 6


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({"events": events(member=[6])}, "events: member: points outside 0 to 5"),
        ({"events": events(service=[1])}, "events: service: points outside -1 to 0"),
        ({"events": events(reverses=[1])}, "events: reverses: points outside -1 to 0"),
        ({"events": events(volume=[-1])}, "event 0.volume: is negative, but this is not a reversal"),
        ({"state": State.fresh(5)}, "state: 5 values for 6 members"),
        (
            {"history": History(*[[0]] * 5, [0], [9], [0], [0], [0])},
            "history: line_kind: points outside 0 to 7",
        ),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(parts, fault):
    sound = {"events": Events.none(), "history": History.none(), "state": State.fresh(6)}

    assert refused(lambda: Inputs(plan=PLAN, network=network(), **(sound | parts))) == [fault]


def test_columns_of_different_length_are_refused():
    assert refused(lambda: events(at=[1, 2]))[0].startswith("Events: member, at,")
    assert refused(lambda: State([1], [], [], [], [], []))[0].startswith("State: pv_prior,")


def test_what_must_not_be_negative_is_refused():
    assert refused(lambda: State([0], [-1], [-1], [0], [-1], [0])) == [
        "State: paid_to_date must not be negative"
    ]
    assert refused(lambda: History(*[[0]] * 3, [-1], [0], *[[]] * 5)) == [
        "History: reversed_volume must not be negative"
    ]


def test_only_whole_numbers_are_taken():
    with pytest.raises(TypeError, match="whole numbers"):
        events(volume=[1.5])
    with pytest.raises(OverflowError, match="do not fit"):
        network(leg=[300] * 6)


@pytest.mark.parametrize("largest", [2**63 - 1, -(2**63)])
def test_volumes_whose_sum_could_pass_the_limit_are_refused(largest):
    columns = {"member": [1, 2], "at": [5, 5], "revenue": [0, 0], "service": [-1, -1], "reverses": [-1, -1]}

    assert refused(lambda: events(**columns, volume=[largest, 1], order=[1, 2])) == [
        "events: the sum of volume: passes 2**63 - 1 hundredths"
    ]


def test_nobody_at_all_is_a_cycle_too():
    nobody = Network([], [], [], [], [])

    result = calculate(Inputs(PLAN, nobody, Events.none(), History.none(), State.fresh(0)))

    assert (len(result.lines), result.totals.paid, result.totals.by_kind) == (0, 0, {})


whole = st.integers(-(2**63) + 1, 2**63 - 1)
parts = st.integers(0, 2**62)


@given(whole, parts, parts)
def test_a_share_of_an_array_is_the_share_of_a_number(amount, first, second):
    numerator, denominator = sorted((first, second + 1))

    part = arithmetic.share(*(np.array([value]) for value in (amount, numerator, denominator)))

    assert part.tolist() == [money.share(amount, numerator, denominator)]


@given(st.integers(0, 2**56), st.integers(0, 10**8))
def test_an_array_is_rounded_as_a_number_is(amount, numerator):
    rounded = arithmetic.rounded_share(np.array([amount, 0]), np.array([numerator, 0]), 10**6)

    assert rounded.tolist() == [money.round_half_away(amount * numerator, 10**6), 0]


@given(st.lists(whole, max_size=30))
def test_sums_are_exact_beyond_what_a_number_of_the_array_can_hold(values):
    array = np.array(values, np.int64)

    assert arithmetic.total(array) == sum(values)
    assert arithmetic.magnitude(array) == sum(abs(value) for value in values)


@given(whole, whole)
def test_an_addition_is_right_or_refused(first, second):
    try:
        assert arithmetic.added(np.array([first]), np.array([second]), "x").tolist() == [first + second]
    except Refused:
        assert abs(first + second) > 2**63 - 1
