"""Another system's lines beside ours: every difference is there, has its reason, and the totals add up."""

from __future__ import annotations

import json
import shutil
from random import Random

import pytest
from sqlalchemy import func, select

from jobs import comparisons as job
from portal.arrival.comparing import queries, service
from portal.arrival.comparing.service import Upload, call_kinds, request_comparison, settle
from portal.arrival.comparing.working import compare
from portal.commissions.kept import kept
from portal.engine import KINDS, calculate
from portal.engine.breakage import losses
from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict
from portal.models import Comparison, Consultant, Cycle, Run
from portal.store import perform
from tests.arrival import companies
from tests.people import add_consultant


@pytest.fixture
def week(previewed, tmp_path, make_app):
    """A previewed week: its cycle, and what we pay in it by (code, kind)."""
    app = make_app(companies.on_sqlite(shutil.copy(previewed, tmp_path / "week.sqlite")))
    with app.app_context():
        cycle = db.session.scalars(select(Cycle).where(Cycle.state == "previewed")).one()
        yield cycle, companies.ours_in(cycle.id)


def result_of(cycle):
    gathered = kept(db.session.get_one(Run, cycle.preview_run_id))
    codes = dict(db.session.execute(select(Consultant.id, Consultant.code)).all())
    return calculate(gathered.inputs), [codes[who] for who in gathered.consultants.tolist()]


def compared(cycle, lines, **kinds):
    """The differences by (code, kind) as (reason, detail), of a comparison whose sums add up."""
    upload = Upload("old.csv", companies.old_lines(lines), kinds)
    public_id = perform(lambda uow: compare(uow, upload, cycle_id=cycle.id, actor_id=None).public_id)
    made, _ = queries.comparison_by_public_id(db.session(), public_id)
    found = list(queries.every_difference(db.session(), made.id, queries.Wanted()))
    totals = made.totals
    assert totals["theirs_cents"] == sum(lines.values())
    assert totals["theirs_cents"] + sum(one.cents for one in found) == totals["ours_cents"]
    assert totals["difference_cents"] == sum(one.cents for one in found)
    assert totals["differences"] == len(found) == sum(count for count, _ in totals["by_reason"].values())
    return {(one.line.code, one.line.kind): (one.line.reason, one.line.detail) for one in found}


def call_again(comparison_id, kinds):
    """Name the kinds anew, and let the job compare again."""
    perform(lambda uow: call_kinds(uow, comparison_id=comparison_id, kinds=kinds, actor_id=None).id)
    db.session.rollback()
    job.drain()


def test_the_same_lines_have_no_difference_and_a_cent_is_one(week):
    cycle, ours = week
    assert len(ours) > 40 and compared(cycle, ours) == {}
    where = next(place for place in ours if place[1] == "retail")

    assert compared(cycle, ours | {where: ours[where] + 1})[where][0] == "rounding"


def test_another_rate_is_named_with_both_rates(week):
    cycle, ours = week
    result, codes = result_of(cycle)
    bases = {codes[row]: 0 for row in result.lines.member.tolist()}
    for member, kind, base in zip(result.lines.member, result.lines.kind, result.lines.base, strict=True):
        bases[codes[member]] += int(base) if KINDS[kind] == "retail" else 0
    dearer = {
        (code, kind): -(-bases[code] * 6 // 100) for code, kind in ours if kind == "retail" and bases[code]
    }

    found = compared(cycle, ours | dearer)
    assert len(found) == len(dearer) > 5
    assert {reason for reason, _ in found.values()} <= {"rate", "rounding"}
    assert {
        (detail["rate"], detail["their_rate"]) for reason, detail in found.values() if reason == "rate"
    } == {(500, 600)}


def test_what_our_cap_took_is_named_with_what_it_took(week):
    cycle, ours = week
    result, codes = result_of(cycle)
    lost = losses(result).unpaid("money_cap")
    capped = int(lost.argmax())
    where = (codes[capped], "binary")
    assert lost[capped] > 0, "somebody reaches the cap"

    found = compared(cycle, ours | {where: ours[where] + int(lost[capped])})
    assert found[where] == ("money_cap", {"lost": int(lost[capped]), "rest": 0, "lines": 1, "their_lines": 1})


def test_whom_our_rules_leave_out_is_named_with_the_rule(week):
    cycle, ours = week
    result, codes = result_of(cycle)
    lost = losses(result)
    for rule in ("inactive", "unqualified"):
        member = int(lost.unpaid(rule).argmax())
        where, would_be = (codes[member], "binary"), int(lost.unpaid(rule)[member])
        assert would_be > 0 and where not in ours
        reason, detail = compared(cycle, ours | {where: would_be})[where]
        assert (reason, detail["would_be"]) == (rule, would_be)


def test_another_carry_is_implied_by_a_binary_that_no_rate_makes(week):
    cycle, ours = week
    result, codes = result_of(cycle)
    members = result.members
    uncapped = (members.binary_paid > 20_00) & (members.binary_paid == members.binary_earned)
    member = int(uncapped.argmax())
    assert uncapped[member]
    where = (codes[member], "binary")
    reason, detail = compared(cycle, ours | {where: ours[where] - 7_31})[where]

    assert reason == "carry"
    assert abs(detail["base"] - detail["their_base"] - 73_10) <= 5, "a cent is a tenth of a point"


def test_shares_of_what_others_earned_follow_them(week):
    cycle, ours = week
    result, codes = result_of(cycle)
    lines, matching = result.lines, KINDS.index("matching")
    at = next(at for at in range(len(lines)) if lines.kind[at] == matching)
    below, above = (codes[lines.source[at]], "binary"), (codes[lines.member[at]], "matching")
    found = compared(cycle, ours | {below: ours[below] - 20_03, above: ours[above] - 5_00})

    assert found[above] == ("follows", {"people": 1} | {"lines": found[above][1]["lines"], "their_lines": 1})


def test_a_refund_that_they_did_not_take_back_is_named(week):
    cycle, ours = week
    result, codes = result_of(cycle)
    taken = {}
    for member, kind, amount in zip(result.lines.member, result.lines.kind, result.lines.amount, strict=True):
        if amount < 0:
            place = (codes[member], KINDS[kind])
            taken[place] = taken.get(place, 0) - int(amount)
    where, cents = max(taken.items(), key=lambda row: row[1])

    reason, detail = compared(cycle, ours | {where: ours[where] + cents})[where]
    assert (reason, detail["taken_back"]) == ("refund", cents)


def test_strangers_are_named_and_stay_in_the_sums(week):
    cycle, ours = week
    code = next(code for code, _ in ours)
    late = perform(lambda uow: add_consultant(uow, "Late"))
    late_code = db.session.get_one(Consultant, late).code
    db.session.rollback()
    found = compared(
        cycle,
        ours | {("X-99", "retail"): 5_00, (code, "car bonus"): 200_00, (late_code, "binary"): 7_00},
    )

    assert {place: reason for place, (reason, _) in found.items()} == {
        ("X-99", "retail"): "unknown_consultant",
        (code, "car bonus"): "unknown_kind",
        (late_code, "binary"): "not_in_run",
    }


def test_lines_that_only_one_side_has(week):
    cycle, ours = week
    (gone, cents), *_ = sorted(ours.items(), key=lambda row: -row[1])
    rest = {place: cents for place, cents in ours.items() if place != gone}
    seller = next(code for code, kind in ours if kind == "retail")
    everybody = set(db.session.scalars(select(Consultant.code)))
    idle = min(everybody - {code for code, kind in ours if kind == "direct"})
    found = compared(cycle, rest | {(idle, "direct"): 9_00, (seller, "pool"): 3_00})

    assert found[gone][0] == "only_ours" and cents > 0
    assert found[idle, "direct"][0] == "only_theirs"
    assert found[seller, "pool"][0] == "kind_not_paid"


def test_kinds_are_called_what_a_person_says_and_remembered(week):
    cycle, ours = week
    named = {(code, f"Team {kind.title()}"): cents for (code, kind), cents in ours.items()}
    found = compared(cycle, named)
    assert {reason for reason, _ in found.values()} == {"unknown_kind", "only_ours"}
    made = db.session.scalars(select(Comparison).order_by(Comparison.id.desc())).first()
    wanted = queries.Wanted(reason="only_ours")
    settled_id = queries.differences(db.session(), made.id, wanted, limit=1)[0].line.id

    kinds = {f"team {kind}": kind for kind in ("retail", "direct", "binary")}
    call_again(made.id, kinds)
    again = list(queries.every_difference(db.session(), made.id, queries.Wanted()))
    assert {one.line.kind for one in again} == {"matching", "team matching"} and settled_id
    assert {reason for reason, _ in compared(cycle, named).values()} == {"unknown_kind", "only_ours"}
    assert compared(cycle, named, **{"team matching": "matching"}) == {}


def test_a_settled_difference_stays_settled_when_kinds_are_named_anew(week):
    cycle, ours = week
    code = next(code for code, _ in ours)
    compared(cycle, ours | {(code, "car bonus"): 200_00, ("X-99", "retail"): 5_00})
    made = db.session.scalars(select(Comparison)).one()
    stranger = queries.differences(db.session(), made.id, queries.Wanted(text="x-99"), limit=5)[0].line
    line_id, made_id = stranger.id, made.id
    user_id = db.session.execute(select(func.min(Consultant.id))).scalar_one()
    with pytest.raises(BadInput, match="note"):
        perform(lambda uow: settle(uow, line_id=line_id, note=" ", actor_id=user_id).id)
    perform(lambda uow: settle(uow, line_id=line_id, note="Left in 2024.", actor_id=user_id).id)

    call_again(made_id, {"car bonus": "pool"})
    settled = queries.differences(db.session(), made_id, queries.Wanted(state="settled"), limit=5)
    assert [(one.line.code, one.line.settled_note) for one in settled] == [("X-99", "Left in 2024.")]


def test_any_change_of_any_lines_adds_up_and_has_a_reason(week):
    cycle, ours = week
    rng = Random(3)
    for _ in range(12):
        changed = dict(ours)
        for place in rng.sample(sorted(ours), 15):
            changed[place] = rng.choice((0, ours[place] + rng.randrange(-500, 5_000), ours[place] * 2))
        changed[f"Z{rng.randrange(9)}", "binary"] = rng.randrange(1, 999)
        assert compared(cycle, changed)


def test_of_a_large_file_the_heading_is_looked_at_and_the_job_finds_the_rest(week, monkeypatch):
    cycle, ours = week
    monkeypatch.setattr(service, "READ_AT_ONCE", 10)
    for content in (b"who,what\nA,retail\n", b"code|kind|amount\nA|retail|1\n"):
        with pytest.raises(BadInput):
            ask(cycle, content)
    asked = ask(cycle, companies.old_lines(ours) + b"\nA1,retail,a lot,x")
    with pytest.raises(Conflict, match="being compared"):
        perform(lambda uow: call_kinds(uow, comparison_id=asked, kinds={}, actor_id=None).id)
    job.drain()

    made = db.session.get_one(Comparison, asked)
    assert made.requested_at is None and "lines" not in made.totals
    assert f"line {len(ours) + 2}, amount:" in made.problem
    fine = ask(cycle, companies.old_lines(ours))
    job.drain()
    job.drain()
    assert db.session.get_one(Comparison, fine).totals["differences"] == 0


def ask(cycle, content):
    """Ask for a comparison; its id."""
    upload, cycle_id = Upload("old.csv", content, {}), cycle.id
    made = perform(lambda uow: request_comparison(uow, upload, cycle_id=cycle_id, actor_id=None).id)
    db.session.rollback()
    return made


def test_files_that_cannot_be_read_are_refused_with_the_place(week):
    cycle, ours = week
    for content, words in (
        (b"who,what\nA,retail\n", "line 1, code: this column is missing; it may be called consultant"),
        (companies.old_lines(ours) + b'\nA1,retail,"1,234.5x",x', "amount like 1,234.50"),
        (b"code,kind,amount\n", "no lines"),
    ):
        with pytest.raises(BadInput, match=words):
            perform(
                lambda uow, content=content: (
                    compare(uow, Upload("old.csv", content, {}), cycle_id=cycle.id, actor_id=None).id
                )
            )
    assert db.session.scalar(select(func.count()).select_from(Comparison)) == 0


def test_a_week_without_a_preview_cannot_be_compared(week):
    opened = db.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
    upload = Upload("old.csv", companies.old_lines({("A", "b"): 1}), {})
    with pytest.raises(Conflict, match="no preview"):
        perform(lambda uow: compare(uow, upload, cycle_id=opened, actor_id=None).id)


def test_the_command_says_what_differs(app, tmp_path):
    with app.app_context():
        cycle_id = companies.preview_a_week()
        name, ours = db.session.get_one(Cycle, cycle_id).name, companies.ours_in(cycle_id)
    (code, kind), cents = next(iter(ours.items()))
    file = tmp_path / "old.csv"
    rest = {place: each for place, each in ours.items() if place != (code, kind)}
    file.write_bytes(companies.old_lines({(code, f"Old {kind}"): cents + 500, **rest}))
    args = ["cycle", "compare", name, str(file), "--kind", f"old {kind}={kind}"]

    answer = app.test_cli_runner().invoke(args=[*args, "--json"])
    found = json.loads(answer.output)
    assert (answer.exit_code, found["differences"], found["difference_cents"]) == (1, 1, -500)
    told = app.test_cli_runner().invoke(args=args).output
    assert code in told and found["comparison"] not in told
