"""The pages that say why in Chromium: no finding of axe, no complaint, no sideways scroll; branches open."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from portal.commissions import explained, projection
from portal.engine import Plan
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.members import moves
from portal.members.moves import Wish
from portal.models import CommissionLine, Consultant, Cycle, Placement, PlanVersion
from portal.store import perform
from tests.browser import Screen, chromium, cookies, served
from tests.commissions.closed import closed
from tests.people import add_consultant, invite_cast
from tests.rooms.test_every_page_in_the_browser import look_at
from tests.shop import add_sale, reverse_sale

pytestmark = pytest.mark.browser
RANKS = [
    {"name": "bronze", "requires": {"weak_leg_volume": "500.00", "sponsored_active": 2}},
    {"name": "silver", "requires": {"weak_leg_volume": "4000.00", "leg_rank": "bronze"}},
]
PICTURES = os.environ.get("CANOPY_PICTURES", "")


@pytest.fixture
def house(sqlite_app):
    """A closed week with a match and a refund, one that is open, and a move that waits."""
    cast = invite_cast(sqlite_app)
    explained.let_go()

    def sell(uow):
        plan = uow.session.get_one(PlanVersion, uow.session.get_one(Cycle, cast.cycle).plan_version_id)
        plan.document = dict(plan.document) | {"ranks": RANKS}
        plan.sha256 = Plan.parse(plan.document).version
        eve = add_consultant(uow, "Eve", sponsor=cast.ben, under=(cast.ben, "L"))
        sale = add_sale(uow, cast.ben, 1_400_00, revenue=3_333_33)
        reverse_sale(uow, sale, volume=200_00, revenue=1_000_00)
        add_sale(uow, cast.cem, 900_00, revenue=2_000_00)
        add_sale(uow, eve, 100_00, revenue=200_00)
        return moves.propose(
            uow, Wish(eve, cast.cem, "R", "Placed there by mistake"), actor_id=cast.ada
        ).public_id

    with sqlite_app.app_context():
        move = perform(sell)
        run_id = closed(cast.cycle, cast.ada, cast.fin)
        perform(lambda uow: add_sale(uow, cast.ben, 300_00, revenue=900_00) and None)
        perform(lambda uow: add_sale(uow, cast.cem, 700_00, revenue=900_00) and None)
        old = utc_now() - timedelta(days=20)
        perform(lambda uow: uow.session.execute(update(Placement).values(valid_from=old)) and None)
        projection.recalculate(db.session(), now=utc_now())
        db.session.rollback()
        lines = select(CommissionLine.consultant_id, CommissionLine.kind, CommissionLine.id)
        rows = db.session.execute(lines.where(CommissionLine.run_id == run_id))
        found = {(who, kind): line_id for who, kind, line_id in rows}
        ids = dict(db.session.execute(select(Consultant.id, Consultant.public_id)).all())
        week = db.session.get_one(Cycle, cast.cycle).name
    return sqlite_app, cast, {"run": run_id, "lines": found, "ids": ids, "move": move, "week": week}


def pages(cast, about):
    """The addresses of one reader each."""
    ids, lines, run = about["ids"], about["lines"], about["run"]
    match, retail = lines[cast.ana, "binary"], lines[cast.ben, "retail"]
    person = f"/admin/runs/{run}/people/{ids[cast.ana]}"
    day = (utc_now() - timedelta(days=3)).date()
    return {
        "Ana": [
            f"/earnings/weeks/{about['week']}",
            f"/earnings/lines/{match}",
            f"/earnings/lines/{match}/team/{ids[cast.ben]}",
            "/earnings/projected",
            "/earnings/projected/line/binary",
            "/rank",
            "/rank/history",
            f"/team?on={day}",
            "/home",
        ],
        "Ben": [f"/earnings/lines/{retail}"],
        "Ada": [
            f"/admin/runs/{run}",
            person,
            f"{person}/lines/{match}",
            "/admin/moves",
            f"/admin/moves/{about['move']}",
            f"/admin/consultants/{ids[cast.ben]}/move",
            f"/admin/cycles/{about['week']}/people/{ids[cast.ana]}",
        ],
    }


def test_no_page_has_a_finding_a_complaint_or_a_sideways_scroll(house):
    app, cast, about = house
    found = []
    with served(app) as address, chromium() as browser:
        for reader, paths in pages(cast, about).items():
            screen = Screen(browser)
            screen.context.add_cookies(cookies(app, address, reader))
            for path in paths:
                found += look_at(screen, address, path)
                take_pictures(screen, path)
            screen.context.close()

    assert found == []


def take_pictures(screen, path):
    """For people who look at what they build; the folder is named in the environment."""
    if PICTURES:
        for scheme, width in (("light", 1280), ("light", 375), ("dark", 375)):
            screen.page.emulate_media(color_scheme=scheme)
            screen.page.set_viewport_size({"width": width, "height": 900})
            name = path.split("?")[0].strip("/").replace("/", "-")[:60]
            screen.page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}-{scheme}.png"), full_page=True)


def test_a_branch_opens_below_its_row_without_leaving_the_page(house):
    app, cast, about = house
    ids, match = about["ids"], about["lines"][cast.ana, "binary"]
    with served(app) as address, chromium() as browser:
        screen = Screen(browser, viewport={"width": 375, "height": 800})
        screen.context.add_cookies(cookies(app, address, "Ana"))
        page = screen.page
        page.goto(f"{address}/earnings/lines/{match}")
        page.evaluate("window.kept = true")

        page.click(f'a[hx-target="#branch-{ids[cast.ben]}"]')
        page.wait_for_selector(f"#inside-{ids[cast.ben]}")

        assert page.evaluate("window.kept") is True
        assert "Own sales of Ben" in page.inner_text(f"#branch-{ids[cast.ben]}")
        assert screen.complaints == []
