"""/admin/payments: what came in, its story, a refund through Stripe, and events that were given up."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from jobs import effects, fees
from portal.kernel.clock import utc_now
from portal.models import Inbox, LoginSession, Payment, RefundRequest
from portal.store import perform
from tests.html import closed_amounts


@pytest.fixture
def paid(shop):
    """An order that was paid: its payment page, and its payment's public id."""
    page = shop.order()
    shop.act(page, "pay")
    return page, shop.read(lambda session: session.scalars(select(Payment.public_id)).one())


def state(shop):
    return shop.read(lambda session: session.execute(select(Payment.state, Payment.refunded_cents)).one())


def requests(shop):
    return shop.read(
        lambda session: [
            tuple(row) for row in session.execute(select(RefundRequest.state, RefundRequest.generation))
        ]
    )


def due(shop):
    """Let what waits be due now."""
    with shop.portal.app.app_context():
        perform(lambda uow: uow.session.execute(update(RefundRequest).values(next_at=utc_now())) and None)


def ask(shop, public_id, amount="300.00"):
    ada = shop.browser("Ada")
    ada.visit(f"/admin/payments/{public_id}")
    answer = ada.submit(f"/admin/payments/{public_id}/refund", {"amount": amount, "reason": "It rained"})
    return ada, answer


def order_faults(shop, *faults, operation="stripe.refunds.create"):
    import json

    body = json.dumps({"operation": operation, "faults": list(faults)}).encode()
    shop.portal._send("/sandbox/faults", body, "application/json")


def test_the_list_shows_sums_and_follows_its_filters(shop, paid):
    ada = shop.browser("Ada")
    ada.visit("/admin/payments")
    for words in ("Dana Reed", "$1,350.00", "1 payment", "Order", "Paid"):
        assert words in ada.words

    found = {
        query: "Dana Reed" in (ada.visit(f"/admin/payments?{query}") and ada.words)
        for query in (
            "state=refunded",
            "kind=order",
            "kind=pack",
            "text=dana",
            "text=reed",
            "since=2030-01-01",
        )
    }

    assert found == {
        "state=refunded": False,
        "kind=order": True,
        "kind=pack": False,
        "text=dana": True,
        "text=reed": False,
        "since=2030-01-01": False,
    }
    assert shop.browser("Ana").visit("/admin/payments").status_code == 403


def test_what_stripe_kept_is_shown_and_opens_into_its_entries(shop, paid):
    page, public_id = paid
    ada = shop.browser("Ada")
    ada.visit(f"/admin/payments/{public_id}")
    assert "Fee of Stripe Not told yet" in ada.words and "Left at Stripe $1,350.00" in ada.words
    ada.visit("/admin/payments")
    assert "Fees of Stripe $0.00 of 1 payment not told yet" in ada.words

    shop.act(page, "dispute")
    with shop.portal.app.app_context():
        assert fees.drain() == 2

    ada.visit(f"/admin/payments/{public_id}")
    for words in (
        "Fee of Stripe for a payment $39.45",
        "Fee of Stripe for a dispute $15.00",
        "Left at Stripe −$54.45",
    ):
        assert words in ada.words, ada.words
    links = re.findall(r'<a href="(/admin/entries/[0-9]+)">\$(39\.45|15\.00)</a>', ada.page.text)
    for link, cents in links:
        ada.visit(link)
        assert f"${cents}" in ada.words and "Fees of Stripe" in ada.words
    assert len(links) == 2
    ada.visit("/admin/payments")
    assert '<a href="/admin/payments/sums/fees">$54.45</a>' in ada.page.text
    assert "Kept $1,295.55 before disputes" in ada.words
    ada.visit("/admin/payments/sums/fees")
    assert "$54.45" in ada.words and "$39.45" in ada.words and "$15.00" in ada.words
    shop.act(page, "win")
    with shop.portal.app.app_context():
        fees.drain()
    ada.visit(f"/admin/payments/{public_id}")
    assert "Fee of Stripe for a dispute, given back −$15.00" in ada.words
    assert "Left at Stripe $1,310.55" in ada.words


def test_a_refund_keeps_its_reason_and_who_asked_on_the_page(shop, paid):
    ada, answer = ask(shop, paid[1])
    ada.visit(answer.location)

    assert re.search("Asked for: It rained Ada[^$]*, [A-Z][a-z]{2} \\d", ada.words)
    with shop.portal.app.app_context():
        perform(lambda uow: uow.session.execute(update(RefundRequest).values(state="done")) and None)
    ada.visit(answer.location)
    assert "Asked for: It rained" in ada.words


def test_a_payment_shows_its_events_entries_and_what_stands_behind_it(shop, paid):
    page, public_id = paid
    shop.act(page, "refund-part")
    ada = shop.browser("Ada")

    ada.visit(f"/admin/payments/{public_id}")

    for words in (
        "Partly refunded",
        "Money at Stripe to Orders paid here",
        "Refunds to Money at Stripe",
        "checkout.session.completed",
        "refund.created",
        "Solar roof, 8.5 kW, paid",
    ):
        assert words in ada.words or words.replace("Refunds to", "Refunds") in ada.words, words
    back = ada.page.text.partition('id="reversals"')[2].partition('href="')[2].partition('"')[0]
    ada.visit(back)
    assert "Refunds" in ada.words and "$450.00" in ada.words
    ada.visit(f"/admin/payments/{public_id}")
    event = ada.page.text.partition('href="/admin/payments/events/')[2].partition('"')[0]
    ada.visit(f"/admin/payments/events/{event}")
    assert "The body as it came" in ada.words and "payment_intent" in ada.words


def test_a_refund_is_sent_once_and_its_webhook_settles_it(shop, paid):
    _, public_id = paid
    ada, answer = ask(shop, public_id)
    assert answer.status_code == 303
    assert "is sent" in (ada.follow() and ada.words)

    shop.work(send=True)
    shop.work(send=True)

    assert tuple(state(shop)) == ("partly_refunded", 300_00)
    assert requests(shop) == [("done", 1)]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "500_before", "500_after", "429"])
def test_whatever_the_provider_does_the_refund_is_made_once(shop, paid, fault):
    _, public_id = paid
    order_faults(shop, fault)
    ask(shop, public_id)

    for _ in range(3):
        shop.work(send=True)
        due(shop)

    sandbox = shop.portal.app.wsgi_app.mounts["/sandbox"].extensions["sandbox"]
    with sandbox.store.reading() as books:
        assert [each["amount"] for each in books.newest("refund")] == [300_00]
    assert tuple(state(shop)) == ("partly_refunded", 300_00)
    assert [row[0] for row in requests(shop)] == ["done"]


def test_a_look_up_that_fails_leaves_the_key_as_it_is(shop, paid):
    order_faults(shop, "drop_before")
    order_faults(shop, "500_before", operation="stripe.refunds.list")
    ask(shop, paid[1])
    for _ in range(2):
        shop.work(send=True)
        due(shop)

    assert requests(shop) == [("asked", 1)]
    shop.work(send=True)

    assert requests(shop) == [("done", 1)]


def test_without_the_look_up_a_stored_500_leads_to_a_second_refund(shop, paid, monkeypatch):
    _, public_id = paid
    monkeypatch.setattr("portal.gateways.stripe.StripeGateway.find_refund", lambda *_, **__: "")
    order_faults(shop, "500_after")
    # The webhook that would settle the request is late.
    monkeypatch.setattr("portal.payments.requests.settle", lambda *_, **__: None)
    ask(shop, public_id)

    for _ in range(3):
        shop.work(send=True)
        due(shop)

    sandbox = shop.portal.app.wsgi_app.mounts["/sandbox"].extensions["sandbox"]
    with sandbox.store.reading() as books:
        assert len(books.newest("refund")) == 2


@pytest.mark.parametrize(
    ("amount", "said"), [("2000", "more than is left"), ("", "write an amount"), ("x", "")]
)
def test_what_cannot_be_refunded_is_refused(shop, paid, amount, said):
    ada, answer = ask(shop, paid[1], amount)

    assert answer.status_code == 422
    assert said in ada.words
    assert requests(shop) == []


def test_a_disputed_payment_is_not_refunded(shop, paid):
    page, public_id = paid
    shop.act(page, "dispute")

    ada, answer = ask(shop, public_id)

    assert answer.status_code == 409
    assert "in dispute" in ada.words


def let_time_pass(shop):
    """Since the password was typed."""
    old = utc_now() - timedelta(minutes=11)
    with shop.portal.app.app_context():
        perform(lambda uow: uow.session.execute(update(LoginSession).values(confirmed_at=old)) and None)


def test_a_refund_asks_for_the_password_again(shop, paid):
    ada = shop.browser("Ada")
    ada.visit(f"/admin/payments/{paid[1]}")
    let_time_pass(shop)

    answer = ada.submit(f"/admin/payments/{paid[1]}/refund", {"amount": "1", "reason": "x"})

    assert answer.status_code == 303 and "/confirm" in answer.location
    assert requests(shop) == []


def test_an_event_that_was_given_up_is_shown_and_tried_again(shop, paid, monkeypatch):
    page, _ = paid
    real = effects.STRIPE_EFFECTS["refund.created"]

    def explode(*_):
        raise ZeroDivisionError

    monkeypatch.setitem(effects.STRIPE_EFFECTS, "refund.created", explode)
    shop.act(page, "refund")
    with shop.portal.app.app_context():
        wanted = update(Inbox).where(Inbox.kind == "refund.created").values(state="dead", attempts=8)
        perform(lambda uow: uow.session.execute(wanted) and None)
    ada = shop.browser("Ada")
    ada.visit("/admin/payments")
    assert "1 event of Stripe was given up" in ada.words
    ada.visit("/admin/payments/events?state=dead")
    assert "refund.created" in ada.words and "ZeroDivisionError" in ada.words
    event = ada.page.text.partition('action="/admin/payments/events/')[2].partition("/")[0]

    let_time_pass(shop)
    assert "/confirm" in ada.submit(f"/admin/payments/events/{event}/replay").location
    ada = shop.browser("Ada")
    ada.visit(f"/admin/payments/events/{event}")
    monkeypatch.setitem(effects.STRIPE_EFFECTS, "refund.created", real)
    assert ada.submit(f"/admin/payments/events/{event}/replay").status_code == 303
    shop.work()

    assert state(shop)[0] == "refunded"
    assert ada.submit(f"/admin/payments/events/{event}/replay").status_code == 409


def test_each_sum_of_a_filter_opens_into_the_entries_that_come_to_it(shop, paid):
    ask(shop, paid[1])
    shop.work(send=True)
    with shop.portal.app.app_context():
        fees.drain()
    ada = shop.browser("Ada")
    expected = {"paid": "$1,350.00", "refunded": "$300.00", "fees": "$39.45", "kept": "$1,010.55"}
    for query in ("", "?kind=order&text=dana"):
        ada.visit(f"/admin/payments{query}")
        sums = dict(re.findall(r'href="(/admin/payments/sums/[^"]+)">(\$[\d,.]+)</a>', ada.page.text))
        assert {url.split("?")[0].rsplit("/", 1)[1]: cents for url, cents in sums.items()} == expected
        assert closed_amounts(ada.page.text) == []
        for url, cents in sums.items():
            page = ada.visit(url.replace("&amp;", "&"))
            assert f": {cents}" in ada.words and closed_amounts(page.text) == []
            entries = re.findall(r'href="(/admin/entries/\d+)">(\S?)\$([\d,.]+)</a>', page.text)
            total = sum((-1 if sign else 1) * int(re.sub(r"\D", "", each)) for _, sign, each in entries)
            assert total == int(re.sub(r"\D", "", cents))
    ada.visit("/admin/payments?kind=pack")
    assert "/admin/payments/sums/paid?kind=pack" in ada.page.text and "$0.00" in ada.words
    assert ada.visit("/admin/payments/sums/nothing").status_code == 404


def test_every_amount_of_a_payment_opens(shop, paid):
    ask(shop, paid[1])
    shop.work(send=True)
    ada = shop.browser("Ada")

    assert closed_amounts(ada.visit(f"/admin/payments/{paid[1]}").text) == []
