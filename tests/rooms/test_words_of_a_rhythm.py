"""In a company whose cycles are days or months no page speaks of weeks."""

from __future__ import annotations

import re

import pytest

from portal.commissions import projection, weeks
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import CommissionLine, Consultant, Cycle, CycleRhythm, Entry, PlanVersion
from portal.store import perform
from portal.ui.filters import current
from tests.commissions.closed import ZONE, closed
from tests.html import Visitor
from tests.people import PASSWORD, invite_cast
from tests.rooms.test_every_page_in_the_browser import pages_of
from tests.shop import add_sale

WEEK = re.compile(r"\bweeks?\b", re.IGNORECASE)
# There days, weeks and months are chosen from, so it has to name them all; these are files.
LEFT_OUT = {"/admin/cycles/rhythm"}


@pytest.fixture(params=["day", "month", "week"])
def company(request, sqlite_app):
    """One closed cycle of a length and an open one, with sales in both; its application and cast."""
    cast = invite_cast(sqlite_app)

    def live(uow):
        cycle = uow.session.get_one(Cycle, cast.cycle)
        found = weeks.cycle_of(request.param, uow.clock(), ZONE)
        cycle.name, cycle.starts_at, cycle.until = found.name, found.starts_at, found.until
        cycle.rhythm = found.rhythm
        uow.session.add(CycleRhythm(rhythm=found.rhythm, valid_from=found.starts_at, decided_at=uow.clock()))
        uow.session.get_one(PlanVersion, 1).valid_from = found.starts_at
        sell(uow)

    def sell(uow):
        for consultant in (cast.ben, cast.cem):
            add_sale(uow, consultant, 400_00, revenue=3_000_00)

    with sqlite_app.app_context():
        perform(live)
        closed(cast.cycle, cast.ada, cast.fin)
        perform(sell)
        projection.recalculate(db.session(), now=utc_now())
        db.session.rollback()
    return sqlite_app, request.param


def pages_about_one_thing(app):
    """Statements, lines, entries, cycles and people, by who may open them."""
    with app.app_context():
        name = db.session.query(Cycle).order_by(Cycle.id).first().name
        people = {one.person.name: one.public_id for one in db.session.query(Consultant)}
        line = db.session.query(CommissionLine).filter_by(consultant_id=1).first().id
        entries = [entry.id for entry in db.session.query(Entry)]
    return {
        "": [],
        "Ana": [
            f"/earnings/weeks/{name}",
            f"/earnings/lines/{line}",
            *(f"/earnings/entries/{entry}" for entry in entries),
            f"/team/{people['Ben']}",
            f"/earnings/projected/team/{people['Ben']}",
        ],
        "Ada": [f"/admin/cycles/{name}{more}" for more in ("", "/people", f"/people/{people['Ana']}")],
    }


@pytest.mark.parametrize("reader", ["Ana", "Ada"])
def test_no_page_speaks_of_weeks_where_cycles_are_none(company, reader):
    app, rhythm = company
    visitor = Visitor(app)
    visitor.sign_in(f"{reader.lower()}@example.com", PASSWORD)
    found, read = [], []
    for path in [*pages_of(app, reader), *pages_about_one_thing(app)[reader]]:
        if path in LEFT_OUT or visitor.visit(path).status_code != 200:
            continue
        read.append(path)
        heard = WEEK.search(visitor.words) if visitor.page.mimetype == "text/html" else None
        found += [f"{path}: …{visitor.words[heard.start() - 40 : heard.end() + 40]}…"] if heard else []

    assert len(read) > 8
    if rhythm == "week":
        assert found, "a week is called so"
    else:
        assert found == []


def test_the_first_page_names_the_open_cycle_by_its_length(company):
    app, rhythm = company
    ana = Visitor(app)
    ana.sign_in("ana@example.com", PASSWORD)
    ana.visit("/home")
    with app.test_request_context():
        now = current(rhythm)
    assert f"Projected {now}" in ana.words and f"Your legs {now}" in ana.words
    ana.visit("/earnings/projected")
    assert f"Projected {now}:" in ana.words
