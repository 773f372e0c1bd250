"""A portal on a local port with its sandbox, and a roof that is sold there through Ana's link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from jobs import inbox, refunds
from portal.extensions import db
from portal.store import perform
from portal.vendors import service as vendors
from portal.vendors.service import Offer, Terms
from tests.html import Visitor
from tests.people import PASSWORD, add_user, open_week
from tests.rooms.join.conftest import Portal, portal, wait_until

__all__ = ["portal"]


@dataclass
class Shop:
    """The portal; Ana sells, Ada keeps the company; `pay` and `act` happen at the played Stripe."""

    portal: Portal
    service_id: int

    @property
    def front(self) -> str:
        return f"/shop/{self.portal.code}"

    @property
    def item(self) -> str:
        return f"{self.front}/{self.service_id}"

    def browser(self, name: str = "") -> Visitor:
        visitor = Visitor(self.portal.app)
        if name:
            visitor.sign_in(f"{name.lower()}@example.com", PASSWORD)
        return visitor

    def order(self, **changes: str) -> str:
        """A customer orders; gives the address of the payment page."""
        customer = self.browser()
        customer.visit(self.item)
        answer = customer.submit(self.item, {**ORDER, **changes})
        assert answer.status_code == 303, customer.words
        return answer.location

    def act(self, page_url: str, *acts: str) -> None:
        for name in acts:
            self.portal.pay(page_url, name)

    def work(self, *, send: bool = False) -> None:
        """Let jobs do what is due."""
        with self.portal.app.app_context():
            if send:
                refunds.drain()
            play = self.portal.app.wsgi_app.mounts["/sandbox"].extensions["sandbox"]
            wait_until(lambda: play.courier.idle)
            inbox.drain()

    def read(self, work: Any) -> Any:
        with self.portal.app.app_context():
            return work(db.session)


ORDER = {"name": "Dana Reed", "email": "Dana@example.com", "size": "8.5", "consent": "y"}


@pytest.fixture
def shop(portal: Portal) -> Shop:
    def sell(uow):
        open_week(uow)
        add_user(uow, "Ada", role="admin")
        vendor = vendors.add_vendor(uow, name="Vera Solar", core=True, actor_id=None)
        service = vendors.add_service(
            uow, vendor_id=vendor.id, offer=Offer("roof", "Solar roof", "kW"), actor_id=None
        )
        vendors.add_terms(
            uow,
            service_id=service.id,
            terms=Terms(
                valid_from=date(2026, 1, 1),
                volume_per_unit=10_00,
                revenue_per_unit_cents=50_00,
                milestones={"paid": 4_000, "activated": 6_000},
            ),
            actor_id=None,
        )
        vendors.set_price(
            uow, service_id=service.id, price_cents=500_00, per_unit_cents=100_00, actor_id=None
        )
        return service.id

    with portal.app.app_context():
        return Shop(portal, perform(sell))
