"""Every line can be opened to the end, its parts add up to it, and what is missing is what helps."""

import json

import pytest
from click.testing import CliRunner

from portal.cli.comp import comp
from portal.engine import KINDS, calculate, case, explain, explaining
from portal.kernel.money import round_half_away, share
from tests.engine.naive_numbers import hundredths, written
from tests.engine.networks import SHAPES, random_case
from tests.engine.sound import SOUND

SCALED = ("binary", "matching", "pool")
SIDES = ("left", "right")


def computed(document):
    inputs, names = case.read(json.dumps(document).encode())
    return calculate(inputs), names


def explained(shape, seeds):
    for seed in range(seeds):
        result, names = computed(random_case(seed, shape))
        for member in range(len(names.members)):
            yield result, names, explain(result, member)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_parts_of_every_line_add_up_to_it(shape):
    for result, names, told in explained(shape, 30):
        for line in told.lines:
            rounds_to_cent = line.rounding == "to the nearest cent, half away from zero"
            exact = round_half_away if rounds_to_cent else lambda n, d: share(n, 1, d)
            rounded = exact(line.numerator, line.denominator)
            if line.kind == "binary" and line.amount > 0:
                assert rounded == result.members.binary_earned[told.member]
                rounded = int(result.members.binary_paid[told.member])
            assert rounded == line.before_limit
            scale = result.totals.payout_scale
            if scale and line.kind in SCALED and line.amount > 0:
                rounded = share(rounded, *scale)
            assert rounded == line.amount
            assert line.words
        assert sum(told.by_kind.values()) == result.members.total[told.member]
        assert explaining.as_text(told, names)
        assert json.loads(json.dumps(explaining.as_document(told, names)))["member"]


@pytest.mark.parametrize("shape", SHAPES)
def test_branches_and_sales_add_up_to_the_leg(shape):
    for result, _, told in explained(shape, 20):
        for side, leg in enumerate(told.legs):
            events = explaining.sales_in(result, told.member, side, most=10**6)

            assert leg.carried_in + leg.new + leg.restored == leg.taken + leg.expired + leg.carried_out
            assert sum(branch.volume for branch in leg.branches) == leg.new
            assert sum(result.inputs.events.volume[events].tolist()) == leg.new
            assert sum(branch.sales for branch in leg.branches) == len(events)
            assert len(leg.branches) <= 9
            paged = [
                event
                for start in range(0, len(events), 3)
                for event in explaining.sales_in(result, told.member, side, first=start, most=3)
            ]
            assert paged == events


@pytest.mark.parametrize("mode", ["percent", "pairs", "tiers"])
def test_what_is_missing_for_the_next_pay_step_brings_it(mode):
    tried = 0
    for seed in range(60):
        document = random_case(seed, "random")
        document["plan"] = {name: document["plan"][name] for name in ("currency", "point_value", "activity")}
        document["plan"]["binary"] = {
            "percent": {"mode": "percent", "rate": {"pack": "0.1", "plus": "0.2"}, "min_match": "120.00"},
            "pairs": {"mode": "pairs", "strong": "60.00", "weak": "25.00", "pay": "5.00"},
            "tiers": {
                "mode": "tiers",
                "tiers": [["90.00", "1.00"], ["400.00", "9.00"], ["2000.00", "50.00"]],
            },
        }[mode] | {"qualify": {"active": False, "each_leg": 0}}
        for member in document["members"]:
            member["status"] = "active"
        result, names = computed(document)
        more = json.loads(json.dumps(document))
        wanted = {}
        for index, name in enumerate(names.members):
            steps = [part for part in explain(result, index).missing if part.goal == "next pay step"]
            person = next(member for member in more["members"] if member["id"] == name)
            carry = person.setdefault("carry", {"left": "0.00", "right": "0.00"})
            for part in steps:
                carry[part.leg] = written(hundredths(carry[part.leg]) + part.amount)
            wanted[name] = bool(steps)
        richer, _ = computed(more)
        for index, name in enumerate(names.members):
            before, after = (x.members.binary_earned[index] for x in (result, richer))
            assert not wanted[name] or after > before
            tried += wanted[name]
    assert tried > 100


def test_what_is_missing_for_a_rank_for_qualifying_and_for_being_active():
    document = json.loads(json.dumps(SOUND))
    document["plan"]["ranks"] = [
        {"name": "low", "requires": {"personal_volume": "5.00"}},
        {
            "name": "high",
            "requires": {
                "personal_volume": "20.00",
                "weak_leg_volume": "3.00",
                "sponsored_active": 2,
                "leg_rank": "low",
            },
        },
    ]
    document["plan"]["binary"] |= {"carry_cycles": 3}
    document["events"] = document["events"][:1]
    document["members"][0] |= {"pv_prior": "12.00", "carry": {"left": "1.00", "right": "0.00"}}

    result, names = computed(document)
    ana, ben = explain(result, 0), explain(result, 1)

    goals = [(part.goal, part.what, part.amount, part.leg) for part in ana.missing]
    person, rank_low = "active members sponsored in person", "a member of rank low or higher"
    assert ana.rank == "low"
    assert goals == [
        ("qualified", person, 1, "left"),
        ("qualified", person, 1, "right"),
        ("next pay step", "volume", 1000, "right"),
        ("rank high", "personal volume", 800, ""),
        ("rank high", "new volume", 300, "right"),
        ("rank high", person, 2, ""),
        ("rank high", rank_low, 1, "left"),
        ("rank high", rank_low, 1, "right"),
    ]
    assert [(part.leg, part.volume, part.after_cycles) for part in ana.expires] == [("left", 1000, 3)]
    assert ("active", "personal volume", 100, "") in [
        (part.goal, part.what, part.amount, part.leg) for part in ben.missing
    ]
    document["plan"]["ranks"][1]["requires"] = {"leg_rank": "low", "personal_volume": "1000.00"}
    document["members"][1] |= {"pv_prior": "20.00"}
    document["members"][2] |= {"pv_prior": "20.00"}
    with_both = explain(computed(document)[0], 0)
    assert [part.what for part in with_both.missing if part.goal == "rank high"] == ["personal volume"]
    assert "expires after 3 more inactive cycles" in explaining.as_text(ana, names)


def run(*arguments, document):
    return CliRunner().invoke(
        comp, ["explain", "-", *arguments], input=json.dumps(document), catch_exceptions=False
    )


def test_a_member_is_explained_on_the_command_line_as_text_and_as_json():
    document = random_case(11, "random")
    name = document["members"][0]["id"]

    text, told = run(name, document=document), run(name, "--json", document=document)

    assert (text.exit_code, told.exit_code, told.stderr) == (0, 0, "")
    assert text.stdout.startswith(f"{name}, by plan 'random' (version ")
    assert list(json.loads(told.stdout)) == [
        *("member", "plan", "rank", "by_kind", "lines", "legs", "missing", "expires", "next_pay")
    ]


def test_only_one_kind_is_explained_where_it_is_named():
    document = random_case(3, "random")
    names = {member["id"] for member in document["members"]}

    for kind in KINDS:
        told = [json.loads(run(name, kind, "--json", document=document).stdout) for name in sorted(names)[:6]]
        assert {line["kind"] for part in told for line in part["lines"]} <= {kind}


def test_the_sales_of_a_leg_are_listed_a_page_at_a_time():
    document = SOUND | {"events": SOUND["events"][:1]}

    listed = run("ana", "--sales", "L", document=document)
    told = run("ana", "--sales", "L", "--json", document=document)

    assert listed.stdout == "9.00 from ben, event e1\n"
    assert json.loads(told.stdout) == [{"id": "e1", "member": "ben", "volume": "9.00"}]
    assert run("ana", "--sales", "L", "--first", "1", "--json", document=document).stdout == "[]\n"


def test_a_member_who_is_not_there_cannot_be_explained():
    ran = run("dia", document=SOUND)

    assert (ran.exit_code, ran.stdout, ran.stderr) == (2, "", '"dia": there is no such member\n')


def test_a_large_leg_is_told_by_its_branches():
    size = 3_000
    chain = [{"id": "m0", "pack": "plus"}]
    chain += [
        {"id": f"m{place}", "pack": "plus", "parent": f"m{place - 1}", "leg": "L"} for place in range(1, size)
    ]
    sale = SOUND["events"][0] | {"member": f"m{size - 1}"}

    result, _ = computed(SOUND | {"members": chain, "events": [sale], "history": {}})
    left = explain(result, 0).legs[0]

    assert (len(left.branches), left.branches[0].people, left.branches[0].volume) == (8, size - 8, 900)


MADE_BY = {
    "revenue": lambda line, fact: round_half_away(line.base * fact["rate"], 10_000),
    "volume": lambda line, fact: round_half_away(line.base * fact["point_value"] * fact["rate"], 1_000_000),
    "reversal": lambda line, fact: (
        share(fact["paid"], fact["before"], fact["whole"])
        - share(fact["paid"], fact["before"] + fact["now"], fact["whole"])
    ),
    "match": lambda line, fact: fact["paid"],
    "debt": lambda line, fact: -share(fact["paid_to_date"], fact["restored"], fact["matched_to_date"]),
    "matching": lambda line, fact: round_half_away(line.base * fact["rate"], 10_000),
    "pool": lambda line, fact: share(fact["pool"], fact["shares"], fact["all_shares"]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_numbers_of_a_line_make_its_amount(shape):
    seen = set()
    for _, _, told in explained(shape, 20):
        for line in told.lines:
            made = MADE_BY[line.rule](line, line.facts)
            if "limit" in line.facts:
                made = share(made, line.facts["limit"], line.facts["limit_of"])
            assert made == line.amount, line
            seen.add(line.rule)
    assert shape in ("one", "none") or {"revenue", "volume", "match"} <= seen


def test_one_line_is_the_same_alone_and_among_all():
    for result, _, told in explained("random", 20):
        for line in told.lines:
            kind = KINDS.index(line.kind)
            alone = explaining.line_story(
                result, told.member, kind=kind, source=line.source, level=line.level
            )
            assert alone == line
        largest = explaining.line_stories(result, told.member, most=2)
        amounts = sorted((abs(line.amount) for line in told.lines), reverse=True)
        assert sorted((abs(line.amount) for line in largest), reverse=True) == amounts[:2]
        assert explaining.sums_by_kind(result, told.member) == told.by_kind
