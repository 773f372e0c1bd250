"""The pages of money with money in them, in Chromium: axe in light and dark, no sideways scroll."""

from __future__ import annotations

from datetime import date

import pytest

from portal.ledger.releases import claw_back
from portal.models import CommissionLine, Cycle, Run
from portal.payouts import batches, service
from tests.browser import Screen, chromium, cookies, served
from tests.payouts.purses import earn, fund
from tests.rooms.test_every_page_in_the_browser import look_at
from tests.shop import add_sale

pytestmark = pytest.mark.browser


@pytest.fixture
def places(do, cast, app):
    """Money in every state; the addresses of Ben's pages and of Fin's."""
    return do(_fill, cast=cast)


def test_no_page_of_money_has_a_finding(app, places):
    found = []
    with served(app) as address, chromium() as browser:
        for reader, paths in places.items():
            screen = Screen(browser)
            screen.context.add_cookies(cookies(app, address, reader))
            for path in paths:
                found += look_at(screen, address, path)
            screen.context.close()

    assert found == []


def test_a_refusal_takes_the_focus_without_a_reload(app, places):
    with served(app) as address, chromium() as browser:
        screen = Screen(browser, viewport={"width": 375, "height": 800})
        screen.context.add_cookies(cookies(app, address, "Cem"))
        page = screen.page
        page.goto(f"{address}/earnings/withdraw")
        page.evaluate("window.kept = true")

        page.fill("#amount", "999")
        page.click("text=Continue")
        page.wait_for_selector(".summary")

        assert "is available, not more." in page.inner_text(".summary")
        assert page.evaluate("[window.kept, document.activeElement.className]") == [True, "summary"]
        assert page.input_value("#amount") == "999"


def test_a_withdrawal_by_hand_in_the_browser(app, places):
    with served(app) as address, chromium() as browser:
        screen = Screen(browser, viewport={"width": 375, "height": 800})
        screen.context.add_cookies(cookies(app, address, "Cem"))
        page = screen.page
        page.goto(f"{address}/earnings/withdraw")
        page.click("text=$100.00")
        page.click("text=Continue")
        page.click("text=Withdraw $100.00")
        page.wait_for_selector("#status")

        page.click("text=Call it off")
        page.wait_for_selector("text=available again")

        assert "Called off" in page.inner_text("#status")
        assert screen.complaints == []


def _fill(uow, *, cast):
    for person, cents in ((cast.ben, 900_00), (cast.cem, 300_00), (cast.dia, 40_00)):
        fund(uow, person, cents, cycle=cast.cycle)
    earn(uow, cast.ben, 75_25, cycle=cast.cycle, due_on=date(2999, 1, 2))
    claw_back(uow, consultant_id=cast.dia, amount=55_00, key="claw", cause=("test", 1))
    rows = [_ask(uow, cast, cents) for cents in (120_00, 80_00, 60_00, 45_50, 30_00)]
    for row in rows[:3]:
        service.approve(uow, withdrawal_id=row.id, actor_id=cast.fin)
    service.reject(
        uow, withdrawal_id=rows[3].id, actor_id=cast.fin, reason="The name does not fit the account."
    )
    paid = batches.export_batch(uow, withdrawal_ids=[rows[0].id], actor_id=cast.ada).id
    batches.confirm_batch(uow, batch_id=paid, actor_id=cast.fin)
    batch = batches.export_batch(uow, withdrawal_ids=[rows[1].id], actor_id=cast.ada)
    week = _close(uow, cast)
    return {
        "Ben": [
            "/earnings",
            f"/earnings/weeks/{week}",
            "/earnings/withdraw?amount=100",
            "/earnings/withdraw/check?amount=250",
            *(f"/earnings/withdrawals/{row.public_id}" for row in rows[3:]),
        ],
        "Dia": ["/earnings", "/earnings/withdraw"],
        "Fin": ["/admin/payouts?state=all", "/admin/payouts", f"/admin/payouts/batches/{batch.public_id}"],
    }


def _ask(uow, cast, cents):
    return service.request_withdrawal(
        uow, consultant_id=cast.ben, amount=cents, key=f"k{cents}", actor_id=cast.ada
    )


def _close(uow, cast):
    """A closed week with lines of all three kinds, one of them a reversal."""
    sales = [add_sale(uow, who, 84_000, revenue=84_000) for who in (cast.ben, cast.ana)]
    cycle = uow.session.get_one(Cycle, cast.cycle)
    run = Run(
        cycle_id=cycle.id,
        purpose="close",
        plan_version_id=cycle.plan_version_id,
        inputs=b"",
        input_hash="0" * 64,
        frozen_at=uow.clock(),
    )
    uow.session.add(run)
    uow.session.flush()
    cycle.state, cycle.close_run_id, cycle.closed_at = "closed", run.id, uow.clock()
    for kind, cents, sale in (
        ("retail", 42_00, 0),
        ("retail", -4_00, 0),
        ("direct", 33_60, 1),
        ("binary", 84_00, None),
    ):
        uow.session.add(
            CommissionLine(
                run_id=run.id,
                consultant_id=cast.ben,
                kind=kind,
                amount_cents=cents,
                base=84_000,
                sale_id=None if sale is None else _id(sales[sale]),
                level=0,
            )
        )
    return cycle.name


def _id(sale):
    return sale if isinstance(sale, int) else sale.id
