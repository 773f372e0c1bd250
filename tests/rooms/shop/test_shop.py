"""A customer orders through a consultant's link, pays, and the vendor's contract is signed."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.models import (
    Consultant,
    Contract,
    Customer,
    Order,
    Pack,
    Payment,
    Sale,
    TermsVersion,
    Vendor,
)
from portal.store import perform
from tests.rooms.shop.conftest import ORDER


def states(shop):
    return shop.read(
        lambda session: [
            (order.state, contract.state if contract else None)
            for order, contract in session.execute(
                select(Order, Contract)
                .join(Contract, Contract.id == Order.contract_id, isouter=True)
                .order_by(Order.id)
            ).unique()
        ]
    )


def volumes(shop):
    return shop.read(lambda session: list(session.scalars(select(Sale.volume).order_by(Sale.id))))


def test_a_customer_orders_and_pays_and_the_contract_is_signed(shop):
    customer = shop.browser()
    customer.visit(shop.front.lower())
    for words in ("Solar roof", "Vera Solar", "$500.00 + $100.00 a kW", "Ana is your consultant"):
        assert words in customer.words
    customer.visit(shop.item)
    payment = customer.submit(shop.item, ORDER)
    assert payment.status_code == 303
    order = shop.read(lambda session: session.scalars(select(Order)).one())
    assert (order.amount_cents, order.size_thousandths, order.state) == (1350_00, 8_500, "open")
    customer.visit(f"/shop/orders/{order.public_id}")
    assert "One moment" in customer.words

    shop.portal.pay(payment.location)

    customer.visit(f"/shop/orders/{order.public_id}")
    assert "Your payment has arrived" in customer.words and "$1,350.00" in customer.words
    assert states(shop) == [("paid", "signed")]
    assert volumes(shop) == [34_00]
    person = shop.read(lambda session: session.scalars(select(Customer)).unique().one())
    paid_at = shop.read(lambda session: session.scalars(select(Order.paid_at)).one())
    assert (person.ref, person.person.email) == (order.public_id, "dana@example.com")
    assert (person.own_use, person.verified_by, person.verified_at) == (False, "order", paid_at)
    paid = shop.read(lambda session: session.scalars(select(Payment)).one())
    assert (paid.kind, paid.amount_cents, paid.state) == ("order", 1350_00, "paid")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": "0"}, "Please write a size above 0."),
        ({"size": "eight"}, "Please write a number, such as 8.4."),
        ({"size": "1.2345"}, "at most three digits"),
        ({"size": "99999"}, "cannot be paid online"),
        ({"consent": ""}, "please agree"),
        ({"email": "dana"}, "does not look like"),
        ({"name": "<b>"}, "signs"),
    ],
)
def test_what_is_not_right_is_said_and_nothing_is_ordered(shop, changes, said):
    customer = shop.browser()
    customer.visit(shop.item)
    answer = customer.submit(
        shop.item, {name: value for name, value in {**ORDER, **changes}.items() if value}
    )

    assert answer.status_code == 422
    assert said in customer.words
    assert shop.read(lambda session: session.scalars(select(Order)).all()) == []


@pytest.mark.parametrize("why", ["the terms name other plans", "the plan sells core vendors alone"])
def test_what_a_consultants_plan_does_not_sell_is_refused_in_words(shop, why):
    customer, late = shop.browser(), shop.browser()
    late.visit(shop.item)
    with shop.portal.app.app_context():
        perform(lambda uow: bar(uow, why))

    customer.visit(shop.front)
    assert "Solar roof" not in customer.words and "Nothing to order here yet" in customer.words
    page = customer.visit(shop.item)
    assert page.status_code == 200 and "Ana cannot sell this at the moment" in customer.words
    assert "<form" not in page.text.partition("<main")[2]
    answer = late.submit(shop.item, ORDER)
    assert answer.status_code == 409 and "Ana cannot sell this at the moment" in late.words
    assert shop.read(lambda session: session.scalars(select(Order)).all()) == []


def bar(uow, why):
    if why.startswith("the terms"):
        pack = uow.session.scalar(select(Consultant.pack))
        uow.session.execute(update(TermsVersion).values(packs=[f"not-{pack}"]))
    else:
        uow.session.execute(update(Vendor).values(core=False))
        uow.session.execute(update(Pack).values(features={"vendors": "core"}))


def test_a_provider_that_is_away_charges_nothing_and_says_so(shop):
    shop.portal.order("500_before", "500_before", "500_before")
    customer = shop.browser()
    customer.visit(shop.item)

    answer = customer.submit(shop.item, ORDER)

    assert answer.status_code == 503
    assert "Nothing was charged" in customer.words


def test_a_refund_cancels_the_contract_and_a_part_of_one_takes_its_share(shop):
    page = shop.order()
    shop.act(page, "pay", "refund-part")
    part = states(shop)

    shop.act(page, "refund")

    assert part == [("paid", "signed")]
    assert states(shop) == [("refunded", "cancelled")]
    assert volumes(shop) == [34_00, -11_33, -22_67]


def test_a_dispute_cancels_and_a_won_one_lets_it_stand_again(shop):
    page = shop.order()
    shop.act(page, "pay", "dispute")
    open_dispute = (states(shop), volumes(shop))

    shop.act(page, "win")

    assert open_dispute == ([("disputed", "cancelled")], [34_00, -34_00])
    assert states(shop) == [("paid", "signed")]
    assert volumes(shop) == [34_00, -34_00, 34_00]


def test_a_page_left_open_expires(shop):
    page = shop.order()
    shop.act(page, "expire")

    assert states(shop) == [("expired", None)]


def test_nobody_elses_shop_and_nothing_without_a_price(shop):
    stranger = shop.browser()

    assert stranger.visit("/shop/NOBODY22").status_code == 404
    assert stranger.visit(f"{shop.front}/999").status_code == 404
    assert stranger.visit("/shop/orders/nothing").status_code == 404


def test_who_orders_for_their_own_household_is_vouched_for_by_no_payment(shop):
    shop.portal.pay(shop.order(email="ANA@example.com"))

    customer = shop.read(lambda session: session.scalars(select(Customer)).unique().one())
    assert (customer.own_use, customer.verified_by, customer.verified_at) == (True, None, None)


def test_a_consultant_sees_orders_and_the_link(shop):
    page = shop.order()
    shop.act(page, "pay")
    ana = shop.browser("Ana")

    ana.visit("/orders")

    for words in ("Dana R.", "Solar roof, 8.5 kW", "$1,350.00", "paid"):
        assert words in ana.words
    assert f'value="{shop.portal.address}{shop.front}"' in ana.page.text
