"""/home: what a consultant sees of their week."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from portal.dashboard import queries
from portal.extensions import db
from portal.models import CommissionLine, Consultant, Cycle, Run
from portal.store import perform
from tests.shop import add_sale, reverse_sale

TICK = {"HX-Request": "true", "HX-Request-Type": "partial", "Canopy-Tick": "1"}


@pytest.fixture
def ana(signed_in):
    return signed_in("Ana")


def sales(app, *rows):
    with app.app_context():
        return [perform(lambda uow, row=row: add_sale(uow, *row, revenue=row[1])) for row in rows]


def close_a_week(app, cast, lines):
    """A closed cycle before the open one that paid `lines` (consultant, cents)."""

    def write(uow):
        now = uow.clock()
        week = uow.session.get_one(Cycle, cast.cycle)
        starts = week.starts_at - (week.until - week.starts_at)
        past = Cycle(
            name="2026-W45",
            starts_at=starts,
            until=week.starts_at,
            state="closed",
            plan_version_id=week.plan_version_id,
            closed_at=now,
        )
        uow.session.add(past)
        uow.session.flush()
        run = Run(
            cycle_id=past.id,
            purpose="close",
            plan_version_id=past.plan_version_id,
            inputs=b"",
            input_hash="0" * 64,
            frozen_at=now,
        )
        uow.session.add(run)
        uow.session.flush()
        past.close_run_id = run.id
        for consultant, cents in lines:
            uow.session.add(
                CommissionLine(
                    run_id=run.id,
                    consultant_id=consultant,
                    kind="binary",
                    amount_cents=cents,
                    base=0,
                    level=0,
                )
            )
        for consultant in (cast.ana, cast.ben, cast.cem, cast.dia):
            person = uow.session.get_one(queries.Consultant, consultant)
            person.joined_at = starts
        uow.session.flush()

    with app.app_context():
        perform(write)


def test_before_the_first_sale_the_page_says_what_is_missing(ana):
    page = ana.visit("/home")

    assert page.status_code == 200
    assert "Projected this week $0 .00" in ana.words
    assert "No sales yet" in ana.words
    assert "Figures follow in a moment" in ana.words
    assert "closed week" not in ana.words


def test_the_legs_the_match_and_the_amount_add_up(app, cast, ana, project):
    sales(app, (cast.ben, 100_000), (cast.cem, 60_000), (cast.ana, 20_000))
    project()

    ana.visit("/home")

    assert "Left 1,000 1 person Right 600 1 person" in ana.words
    assert "400 left over on the left carries over 600 matched" in ana.words
    assert "600 matched × 10% $60.00" in ana.words
    assert "Your own sales $10.00 Sales of people you sponsor $64.00" in ana.words
    assert "Weaker-leg match $60.00 Projected $134.00" in ana.words
    assert "Projected this week $134 .00" in ana.words
    assert 'href="/earnings/withdraw"' in ana.page.text


def test_the_newest_sales_stand_first_and_a_cancelled_one_says_so(app, cast, ana, project):
    with app.app_context():
        perform(lambda uow: reverse_sale(uow, add_sale(uow, cast.ana, 30_000)))
    sales(app, (cast.ben, 50_000))

    project()
    ana.visit("/home")

    newest, cancelled = "Solar roof Ben, SunPath, just now +500", "Cancelled: You, SunPath, just now −300"
    assert f"{newest} volume Solar roof {cancelled}" in ana.words


def test_a_sale_elsewhere_in_the_company_is_nobody_s_business(app, cast, ana):
    sales(app, (cast.dia, 50_000))

    ana.visit("/home")

    assert "No sales yet" in ana.words


def test_a_tick_fetches_the_live_region_alone(app, cast, ana, project):
    ana.visit("/home")
    sales(app, (cast.ana, 20_000))
    project()

    fragment = ana.visit("/home", headers=TICK)

    assert fragment.text.lstrip().startswith('<div id="live"')
    assert "<html" not in fragment.text
    assert "$10" in fragment.text
    assert len(fragment.data) < 12_000


def test_the_last_week_is_compared_with_this_one(app, cast, ana, project):
    close_a_week(app, cast, [(cast.ana, 4_000)])
    sales(app, (cast.ana, 20_000))
    project()

    ana.visit("/home")

    assert "$30.00 less than week 45" in ana.words


def test_the_income_line_counts_those_who_earned_nothing(app, cast, ana):
    close_a_week(app, cast, [(cast.ana, 9_000), (cast.ben, 3_000), (cast.cem, -500)])

    ana.visit("/home")

    assert (
        "In the last closed cycle 2 of 4 consultants earned nothing. Half of all earned $30.00 or less."
        in ana.words
    )


@pytest.mark.parametrize(
    ("earned", "without", "median"),
    [([], 4, 0), ([5], 3, 0), ([5, 7], 2, 5), ([5, 7, 9], 1, 7), ([1, 5, 7, 9], 0, 7)],
)
def test_the_middle_of_everybody_s_income(app, cast, earned, without, median):
    people = (cast.ana, cast.ben, cast.cem, cast.dia)
    close_a_week(app, cast, list(zip(people, earned, strict=False)))

    with app.app_context():
        found = queries.income(db.session())

    assert (found.weeks, found.people, found.without, found.median) == (1, 4, without, median)


def test_the_page_needs_few_queries_whatever_is_on_it(app, cast, ana, project):
    counts = []
    for more in (1, 5):
        sales(app, *[(cast.ben, 10_000)] * more)
        project()
        ana.visit("/home")
        counts.append(count_queries(app, lambda: ana.visit("/home")))

    assert counts[0] == counts[1]
    assert counts[0] <= 16


def test_a_tick_that_finds_nothing_new_is_answered_without_a_body(app, cast, ana, project):
    project()
    shown = ana.visit("/home", headers=TICK)
    known = TICK | {"Canopy-Tag": shown.headers["Canopy-Tag"]}

    unchanged = ana.client.get("/home", headers=known)
    sales(app, (cast.ben, 77_00))
    changed = ana.client.get("/home", headers=known)

    assert (unchanged.status_code, unchanged.data) == (304, b"")
    assert changed.status_code == 200 and "77" in changed.text


def count_queries(app, act):
    seen = []
    with app.app_context():
        engine = db.engine

        def note(*arguments):
            seen.append(arguments[2])

        event.listen(engine, "before_cursor_execute", note)
        try:
            act()
        finally:
            event.remove(engine, "before_cursor_execute", note)
    return len([statement for statement in seen if statement.lstrip().upper().startswith(("SELECT", "WITH"))])


def test_a_plan_without_the_tree_is_not_promised_a_match(app, cast, ana, project):
    with app.app_context():
        perform(lambda uow: setattr(uow.session.get_one(Consultant, cast.ana), "pack", "smart"))
    sales(app, (cast.ben, 100_000))
    project()

    ana.visit("/home")

    assert "not for the tree" in ana.words
    assert "Matching is paid" not in ana.words


def test_a_consultant_finds_their_own_link(app, cast, ana):
    with app.app_context():
        code = db.session.get_one(Consultant, cast.ana).code

    for page in ("/home", "/team/place"):
        assert f"/r/{code}" in ana.visit(page).text


def test_staff_has_no_such_home(signed_in):
    assert signed_in("Ada").visit("/home").status_code == 403


def test_a_stranger_is_sent_to_the_door(visitor):
    page = visitor().visit("/home")

    assert page.status_code in (302, 303)
    assert "/login" in page.location


def test_the_style_page_is_for_builders_only(app, ana):
    assert ana.visit("/style").status_code == 200
