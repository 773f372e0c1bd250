"""Every page about one cycle in Chromium: no finding of axe, no sideways scroll at 320 px."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Consultant, Cycle, TaxForm
from tests.browser import Screen, chromium, cookies, served
from tests.rooms.admin.cycle_steps import closed, ended, previewed
from tests.rooms.test_every_page_in_the_browser import look_at
from tests.shop import add_sale

pytestmark = pytest.mark.browser


@pytest.fixture
def weeks(app, cast, do, week, signed_in, work):
    """One week that can still be undone and was computed again, and the next one under review."""
    ada, _fin = closed(signed_in, work, week)
    do(add_sale, cast.dia, 500_00, revenue=8_000_00)
    with app.app_context():
        open_id = db.session.scalar(select(Cycle.id).where(Cycle.state == "open"))

    def change(uow):
        uow.session.get_one(Consultant, cast.ana).pack = "smart"
        form = uow.session.scalars(select(TaxForm).where(TaxForm.consultant_id == cast.dia)).one()
        form.state = "replaced"
        cycle = uow.session.scalars(select(Cycle).where(Cycle.name == week)).one()
        cycle.undo_until = utc_now() + timedelta(minutes=20)

    do(change)
    ada.visit(f"/admin/cycles/{week}")
    ada.submit(f"/admin/cycles/{week}/again")
    second = ended(app, do, open_id)
    previewed(ada, work, second)
    return week, second


def test_no_page_about_a_cycle_has_a_finding_or_a_sideways_scroll(app, weeks):
    first, second = weeks
    behind = ("", "/people", "/revenue", "/legs", "/checks/tax-forms")
    paths = [f"/admin/cycles/{first}{page}" for page in ("", "/again")]
    paths += [f"/admin/cycles/{second}{page}" for page in behind]
    found = []
    with served(app) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(app, address, "Ada"))
        for path in paths:
            assert screen.page.goto(address + path).status == 200
            found += look_at(screen, address, path)

    assert found == []
