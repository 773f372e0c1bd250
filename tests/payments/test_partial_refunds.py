"""A part of a price that goes back takes its share of the sale along; a part of a fee takes money only."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from portal.extensions import db
from portal.kernel.vendor_events import VendorEvent
from portal.models import Contract, Sale
from portal.sales.service import take_event
from portal.store import perform


def happen(stage, subject, *acts):
    stage.deliver(stage.act(subject, *acts))
    stage.finish()


def activate(stage, order):
    event = VendorEvent(
        type="service.activated",
        occurred_at=datetime(2026, 11, 20, tzinfo=UTC),
        consultant_code=stage.code,
        customer_ref=order,
        customer_name="",
        customer_email="",
        contract_ref=order,
        service_code="roof",
        size_thousandths=8_000,
        signed_on=None,
        milestone="activated",
    )

    def tell(uow):
        contract = uow.session.scalars(select(Contract).where(Contract.ref == order)).unique().one()
        take_event(uow, vendor_id=contract.vendor_id, event=event)

    with stage.app.app_context():
        perform(tell, stage.clock)


def test_what_the_vendor_tells_later_counts_for_what_stayed_paid_too(small_stage):
    order = small_stage.order()
    happen(small_stage, order, "pay", "refund-part")

    activate(small_stage, order)

    # 8 kW are worth 80.00 and $400.00; of $1,300.00, $866.67 stay.
    assert small_stage.state_of(order)["net"] == (21_33 + 32_00, 106_67 + 160_00)
    assert small_stage.faults() == []


def test_no_more_is_taken_back_than_was_sold(small_stage):
    order = small_stage.order()

    happen(small_stage, order, "pay", "refund-part", "refund-part", "refund-part", "refund")
    small_stage.deliver(small_stage.act(small_stage.order(), "pay"))

    assert small_stage.state_of(order) | {"order": "refunded", "net": (0, 0)} == small_stage.state_of(order)
    with small_stage.app.app_context():
        taken = db.session.scalars(select(Sale.volume).where(Sale.reverses_id.is_not(None))).all()
    assert sum(taken) == -32_00


def test_the_same_refund_told_twice_takes_its_share_once(small_stage):
    order = small_stage.order()
    events = small_stage.act(order, "pay", "refund-part")
    small_stage.deliver(events)
    small_stage.finish()

    told_again = [event | {"id": f"{event['id']}_again"} for event in events]
    small_stage.deliver(told_again)
    small_stage.finish()

    assert small_stage.state_of(order)["net"] == (21_33, 106_67)


def test_a_part_of_a_fee_leaves_the_pack(small_stage):
    person = small_stage.register()

    happen(small_stage, person, "pay", "refund-part")

    assert small_stage.state_of(person)["pack"] == "pack"
