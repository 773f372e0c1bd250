"""The plan page: pack, subscription, payments, receipts, and the way to Stripe's customer portal."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs import mail, reactions, relay
from jobs.sweep import end_subscriptions
from portal.kernel.clock import fixed, utc_now
from portal.models import Audit, Consultant, Message, Subscription
from portal.payments import subscriptions
from portal.store import perform
from tests.html import Visitor
from tests.rooms.join.conftest import PASSWORD

AGREED = {"agrees": "y"}


@pytest.fixture
def maya(shop):
    """Maya holds Plus+: her browser, and the page she paid on."""
    joining = shop.portal.at_check("plus")
    page = joining.submit("/join/check", AGREED).location
    shop.portal.pay(page)
    browser = Visitor(shop.portal.app)
    browser.sign_in("maya.torres@example.com", PASSWORD)
    return browser, page


def pack_of_maya(shop):
    return shop.read(
        lambda session: session.scalars(select(Consultant.pack).order_by(Consultant.id.desc())).first()
    )


def paid_until(shop):
    return shop.read(lambda session: session.scalars(select(Subscription.current_until)).one())


def mails(shop):
    with shop.portal.app.app_context():
        relay.carry()
        reactions.drain_mail()
        reactions.drain_money()
    return shop.read(
        lambda session: [
            row for row in session.scalars(select(Message.template).order_by(Message.id)) if "_" in row
        ]
    )


def test_the_page_shows_pack_subscription_and_payments(shop, maya):
    browser, _ = maya
    browser.visit("/plan")

    for words in ("Consultant Plus+", "$149.00", "Each month $19.00", "active", "Paid until", "$168.00"):
        assert words in browser.words

    receipt = browser.page.text.partition('href="/plan/receipts/')[2].partition('"')[0]
    browser.visit(f"/plan/receipts/{receipt}")
    assert "Maya Torres" in browser.words and "$168.00" in browser.words
    ana = shop.browser("Ana")
    assert ana.visit(f"/plan/receipts/{receipt}").status_code == 404
    assert ana.visit("/plan").status_code == 200 and "No payments" in ana.words


def test_a_receipt_tells_what_went_back(shop, maya):
    browser, page = maya
    shop.act(page, "refund-part")
    browser.visit("/plan")
    receipt = browser.page.text.partition('href="/plan/receipts/')[2].partition('"')[0]

    browser.visit(f"/plan/receipts/{receipt}")

    assert "What went back" in browser.words and "$56.00 refunded" in browser.words


def test_the_button_leads_to_the_customer_portal_and_only_for_those_who_have_one(shop, maya):
    browser, _ = maya
    browser.visit("/plan")

    answer = browser.submit("/plan/billing")

    assert answer.status_code == 303
    assert answer.location.startswith(f"{shop.portal.address}/sandbox/billing/bps_")
    ana = shop.browser("Ana")
    ana.visit("/plan")
    assert ana.submit("/plan/billing").status_code == 404


def test_a_failed_month_is_told_once_and_the_pack_stays(shop, maya):
    browser, page = maya
    shop.act(page, "fail-renewal")

    browser.visit("/plan")
    assert "The last monthly fee could not be taken" in browser.words
    with shop.portal.app.app_context():
        assert (paid_until(shop) - utc_now()).days < 31, "the month that failed is not paid"
    assert pack_of_maya(shop) == "plus"
    assert mails(shop).count("renewal_failed") == 1

    # Stripe's events carry whole seconds, and the later one counts.
    time.sleep(1.1)
    shop.act(page, "pay-late")
    browser.visit("/plan")
    assert "could not be taken" not in browser.words
    assert "$19.00" in browser.words


def test_an_ended_subscription_keeps_the_pack_until_the_paid_time_is_over(shop, maya):
    browser, page = maya
    shop.act(page, "end")
    assert pack_of_maya(shop) == "plus"
    browser.visit("/plan")
    assert "Ended on" in browser.words

    with shop.portal.app.app_context():
        end_subscriptions()
        assert pack_of_maya(shop) == "plus"
        later = fixed(utc_now() + timedelta(days=31))

        def fall(uow):
            from portal.members.standing import settle_pack

            for row in subscriptions.over(uow.session, now=uow.clock()):
                settle_pack(uow, registration=row)

        perform(fall, later)

    assert pack_of_maya(shop) == "smart"
    assert "pack_changed" in mails(shop)


def test_a_refunded_fee_takes_the_pack_back_with_a_note_and_a_mail(shop, maya):
    _, page = maya
    shop.act(page, "refund-part")
    assert pack_of_maya(shop) == "plus"

    shop.act(page, "refund")

    assert pack_of_maya(shop) == "smart"
    assert "pack_changed" in mails(shop)
    notes = shop.read(
        lambda session: session.scalars(select(Audit).where(Audit.action == "pack changed")).all()
    )
    assert [note.detail["paid_for"] for note in notes] == [False]

    shop.act(page, "fail-refund")
    assert pack_of_maya(shop) == "plus"


def test_the_mails_say_which_plan_it_is(shop, maya):
    _, page = maya
    shop.act(page, "refund")
    mails(shop)
    with shop.portal.app.app_context():
        mail.drain()
    sandbox = shop.portal.app.wsgi_app.mounts["/sandbox"].extensions["sandbox"]
    with sandbox.store.reading() as books:
        subjects = [each["subject"] for each in books.newest("mail")]

    assert "Your plan is now Smart" in subjects
    assert shop.read(lambda session: session.scalars(select(Subscription.state)).all()) == ["active"]
