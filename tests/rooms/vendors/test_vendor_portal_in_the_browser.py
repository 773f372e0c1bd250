"""The vendor's pages with something in them, in Chromium: axe, sideways scroll, and settling by hand."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Inbox, Statement, StatementDifference
from portal.statements.lines import Line
from portal.statements.service import receive_statement
from portal.statements.settling import settle
from portal.store import perform
from portal.vendors.room import today
from tests.browser import Screen, chromium, cookies, served
from tests.people import invite_cast
from tests.rooms.test_every_page_in_the_browser import look_at
from tests.rooms.vendors.conftest import come, compare, hire
from tests.vendors import invite_vera

FILE = {
    "name": "day.csv",
    "mimeType": "text/csv",
    "buffer": b"Event,Contract,kW\nactivated,K1,8\nsold,K2,x\n",
}

pytestmark = pytest.mark.browser


@pytest.fixture
def house(sqlite_app):
    """Vera with events that took effect and that did not, and a statement that disagrees in three ways."""
    cast = invite_cast(sqlite_app)
    vera = invite_vera(sqlite_app, cast)
    hire(sqlite_app, vera.vendor_id, "Cleo")
    for ref, dead in (("K1", False), ("K2", False), ("K3", True)):
        come(sqlite_app, vera, ref=ref, dead=dead)
    with sqlite_app.app_context(), sqlite_app.test_request_context():
        noon = utc_now()
        about = {"type": "service.activated", "customer_ref": "C1", "consultant_code": vera.ben}
        lines = [
            Line(line=2, contract_ref="K1", size_thousandths=9_000, occurred_at=noon, **about),
            Line(line=3, contract_ref="K9", size_thousandths=5_000, occurred_at=noon, **about),
        ]
        sent = {"source": "csv", "content": b"Event,Contract\n"}
        day = today()
        perform(
            lambda uow: (
                receive_statement(uow, vendor_id=vera.vendor_id, day=day, lines=lines, **sent) and None
            )
        )
    compare(sqlite_app)
    with sqlite_app.app_context():
        asked = db.session.scalars(select(StatementDifference.id).filter_by(contract_ref="K9")).one()
        said = {"choice": "ask", "note": "Does it run?", "actor_id": cast.ada}
        perform(lambda uow: settle(uow, difference_id=asked, **said) and None)
    sqlite_app.vera = vera
    return sqlite_app


def addresses(app, place):
    with app.app_context():
        events = db.session.scalars(select(Inbox.id).order_by(Inbox.id)).all()
        sent = db.session.scalars(select(Statement.public_id)).one()
    return [
        *(place + page for page in ("/deliveries", "/errors", "/statements", "/invoice", "/simulator")),
        f"{place}/deliveries/{events[0]}",
        f"{place}/deliveries/{events[-1]}",
        f"{place}/statements/{sent}",
    ]


def test_no_page_of_the_vendor_has_a_finding(house):
    with served(house) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(house, address, "Cleo"))
        found = [
            fault
            for path in ["/vendor", *addresses(house, "/vendor")]
            for fault in look_at(screen, address, path)
        ]
        screen.page.goto(address + "/vendor")
        screen.page.get_by_role("link", name="A question about K9").click()
        screen.page.get_by_role("button", name="Send the answer").click()
        screen.page.wait_for_selector("text=Please write an answer")
        screen.complaints[:] = [text for text in screen.complaints if "422" not in text]
        found += look_at(screen, address, screen.page.url.removeprefix(address))
        screen.page.fill("#answer", "It runs since Monday.")
        screen.page.get_by_role("button", name="Send the answer").click()
        screen.page.wait_for_selector("text=Cleo answered")
        screen.page.goto(address + "/vendor/statements")
        screen.page.set_input_files(
            "#file",
            {
                "name": "day.csv",
                "mimeType": "text/csv",
                "buffer": b"Event,Contract,kW\nactivated,K1,8\nsold,K2,x\n",
            },
        )
        screen.page.get_by_role("button", name="Next").click()
        screen.page.wait_for_url("**/upload/*")
        found += look_at(screen, address, screen.page.url.removeprefix(address))

    assert found == []


def test_no_page_of_the_company_has_a_finding_and_a_difference_is_settled(house):
    place = f"/admin/vendors/{house.vera.public_id}"
    with house.app_context():
        rows = db.session.scalars(select(StatementDifference.public_id)).all()
    with served(house) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(house, address, "Ada"))
        paths = [
            f"{place}/people",
            *addresses(house, place)[-1:],
            f"{addresses(house, place)[-1]}/several",
            *(f"{place}/statements/differences/{row}" for row in rows),
        ]
        found = [fault for path in paths for fault in look_at(screen, address, path)]
        screen.page.goto(address + paths[-1])
        screen.page.get_by_label("Keep ours").check()
        screen.page.get_by_role("button", name="Do this").click()
        screen.page.wait_for_selector("text=Please write why")
        screen.page.fill("#note", "The vendor forgot it.")
        screen.page.get_by_role("button", name="Do this").click()
        screen.page.wait_for_selector("#settled")
        said = screen.page.inner_text("#settled")
        complaints = [text for text in screen.complaints if "422" not in text]

    assert found == [] and complaints == []
    assert "Ours was kept" in said and "The vendor forgot it." in said
