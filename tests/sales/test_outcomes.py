"""What the sender of an event reads: a month that waits, and what was told otherwise before and stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from jobs import inbox
from portal.extensions import db
from portal.kernel.vendor_events import VendorEvent
from portal.models import Consultant, Contract, Inbox
from tests.people import Cast
from tests.sales.rules import net, rule
from tests.vendors import NOON, Vera, activated, body_of, invite_vera, registered, send

WAITS = (
    "noted; renewed for October 2026 waits, since the service is suspended:"
    " it is paid once an activation or a second renewed month shows that it lives again"
)


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Iterator[Vera]:
    found = invite_vera(app, cast)
    with app.app_context():
        yield found


def come(app: Flask, vera: Vera, event: VendorEvent, **customer: Any) -> str | None:
    """Send an event, let it take effect, and read what came of it."""
    document = body_of(event)
    document["customer"] |= customer
    number = len(db.session.scalars(select(Inbox.id)).all())
    sent = send(app.test_client(), vera, json.dumps(document).encode(), event_id=f"e{number}")
    assert sent.status_code == 202, sent.text
    inbox.drain()
    db.session.rollback()
    return db.session.scalars(select(Inbox.outcome).order_by(Inbox.id.desc())).first()


def later(vera: Vera, kind: str, hours: int, **more: Any) -> VendorEvent:
    about = {"type": f"service.{kind}", "milestone": "", "occurred_at": NOON + timedelta(hours=hours)}
    return activated(vera, **{**about, "size_thousandths": 0, "signed_on": None, **more})


def test_a_month_renewed_while_suspended_says_that_it_waits_and_for_what(app: Flask, vera: Vera) -> None:
    rule(kind="recurring", residual_volume_flat=5_00, residual_revenue_flat_cents=20_00)
    come(app, vera, activated(vera))
    assert come(app, vera, later(vera, "suspended", 2)) == "noted; nothing to pay by it"

    assert come(app, vera, later(vera, "renewed", 3, period="2026-10")) == WAITS
    before = net()
    paid = come(app, vera, later(vera, "renewed", 4, period="2026-11"))

    assert paid and paid.startswith("sold: renewed for October 2026") and "renewed for November 2026" in paid
    assert net() == (before[0] + 10_00, before[1] + 40_00)


def test_what_changes_nothing_about_what_is_held_says_that_alone(app: Flask, vera: Vera) -> None:
    rule(kind="recurring", residual_volume_flat=5_00, residual_revenue_flat_cents=20_00, states=["UT"])
    held = "held: activated, 184 volume, $620.00; "
    first = come(app, vera, activated(vera, customer_state="CA"))
    assert first and first.startswith(held)

    nothing_new = "nothing new; activated is still held"
    assert come(app, vera, later(vera, "installed", 1)) == nothing_new
    renewed = come(app, vera, later(vera, "renewed", 2, period="2026-10"))
    assert renewed and renewed.startswith("held: renewed for October 2026") and "activated" not in renewed
    again = come(app, vera, later(vera, "installed", 3))
    assert again == "nothing new; activated, renewed for October 2026 are still held"


def test_a_month_that_earns_nothing_by_its_terms_does_not_wait(app: Flask, vera: Vera) -> None:
    come(app, vera, activated(vera))
    come(app, vera, later(vera, "suspended", 2))

    said = come(app, vera, later(vera, "renewed", 3, period="2026-10"))

    assert said == "noted; nothing to pay by it"


def test_what_was_told_otherwise_before_stays_and_the_sender_hears_it(app: Flask, vera: Vera) -> None:
    come(app, vera, activated(vera), state="CA", age=40)

    said = come(app, vera, later(vera, "installed", 2, consultant_code=vera.ana.lower()), state="UT", age=70)

    assert said == (
        f"consultant_code {vera.ana} was not taken, {vera.ben} stands;"
        " customer.state UT was not taken, CA stands; customer.age 70 was not taken, 40 stands."
        " noted; nothing to pay by it"
    )
    contract = db.session.scalars(select(Contract)).unique().one()
    seller = db.session.get_one(Consultant, contract.customer.consultant_id)
    assert (seller.code, contract.sold_in, contract.buyer_age) == (vera.ben, "CA", 40)


def test_the_same_told_again_under_another_consultant_says_so_too(app: Flask, vera: Vera) -> None:
    come(app, vera, registered(vera))
    come(app, vera, activated(vera))
    stands = f"consultant_code {vera.ana} was not taken, {vera.ben} stands."

    again = come(app, vera, activated(vera, consultant_code=vera.ana))
    known = come(app, vera, registered(vera, consultant_code=vera.ana))
    news = come(app, vera, registered(vera, consultant_code=vera.ana, customer_name="Rosa Diaz"))

    assert again == f"This was said of the contract K1 before. {stands}"
    assert known == f"The customer C1 is registered already. {stands}"
    assert news == f"{stands} registered: C1"


def test_another_service_of_the_same_contract_is_not_taken_silently(app: Flask, vera: Vera) -> None:
    come(app, vera, activated(vera))

    said = come(app, vera, later(vera, "installed", 2, service_code="battery"))

    assert said == "contract.service battery was not taken, solar stands. noted; nothing to pay by it"


@pytest.mark.parametrize(("first", "second"), [(65, 71), (71, 65)])
def test_sixty_five_or_over_does_not_contradict_an_age_above(
    app: Flask, vera: Vera, first: int, second: int
) -> None:
    come(app, vera, activated(vera), age=first)

    assert come(app, vera, later(vera, "installed", 2), age=second) == "noted; nothing to pay by it"
