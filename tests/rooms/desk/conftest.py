"""A vendor with two services whose pages customers can open through Ben's link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.extensions import db
from portal.models import Consultant, Lead, TermsVersion
from portal.store import perform
from portal.vendors.service import Offer, Terms, add_service, add_terms, add_vendor


@dataclass(frozen=True)
class Street:
    """Where the pages are; Ben (`ben`) is Plus+, the services are `roof` (Colorado alone) and `watch`."""

    app: Flask
    vendor: str
    vendor_id: int
    roof_id: int
    watch_id: int
    ben: str

    @property
    def roof(self) -> str:
        return f"/v/{self.vendor}/roof?c={self.ben}"

    @property
    def watch(self) -> str:
        return f"/v/{self.vendor}/watch?c={self.ben}"

    def read(self, work: Any) -> Any:
        with self.app.app_context():
            try:
                return work(db.session)
            finally:
                # What was read stays readable after its session.
                db.session.expunge_all()
                db.session.rollback()


WRITTEN = {
    "name": "Dana Reed",
    "email": "Dana@example.com",
    "phone": "(303) 555-0142",
    "zip": "80202",
    "address": "12 Elm St, Denver",
    "size": "8.4",
    "signup": "y",
}


@pytest.fixture
def street(app, cast) -> Street:
    def write(uow):
        vendor = add_vendor(uow, name="Vera Solar", core=True, actor_id=None)
        ids = []
        for code, name, unit in (("roof", "Solar roof", "kW"), ("watch", "Cameras", "camera")):
            service = add_service(uow, vendor_id=vendor.id, offer=Offer(code, name, unit), actor_id=None)
            terms = Terms(
                valid_from=date(2026, 1, 1),
                volume_per_unit=10_00,
                revenue_per_unit_cents=50_00,
                cooling_off_days=10,
            )
            made = add_terms(uow, service_id=service.id, terms=terms, actor_id=None)
            uow.session.get_one(TermsVersion, made.id).states = ["CO"] if code == "roof" else []
            ids.append(service.id)
        code = uow.session.get_one(Consultant, cast.ben).code
        return Street(app, vendor.public_id, vendor.id, ids[0], ids[1], code)

    with app.app_context():
        return perform(write)


DANA = {"name": "Dana Reed", "phone": "303 555 0142", "email": ""}


@pytest.fixture
def ben(signed_in, street):
    return signed_in("Ben")


def written(browser, **changes):
    """A new lead through the page; its address."""
    browser.visit("/leads/new")
    answer = browser.submit("/leads/new", {**DANA, **changes})
    assert answer.status_code == 303, browser.words
    browser.follow()
    return answer.location


def stage(street):
    return street.read(lambda session: session.scalars(select(Lead.stage).order_by(Lead.id)).all())
