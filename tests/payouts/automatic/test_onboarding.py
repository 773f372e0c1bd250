"""A consultant sets up payouts with Stripe: the account is opened once, and ready when Stripe says so."""

from __future__ import annotations

import pytest
import urllib3
from sqlalchemy import select, update

from portal.extensions import db
from portal.gateways.sandbox import connect
from portal.models import Destination, PayoutMethod
from portal.store import perform
from tests.html import Visitor
from tests.people import PASSWORD
from tools.soak.people import a_method

PAGE = "/earnings/payees/stripe"


@pytest.fixture
def database(sqlite_database):
    """Pages do not depend on the engine."""
    return sqlite_database


@pytest.fixture
def ben(app, cast):
    with app.app_context():
        perform(lambda uow: a_method(uow, "stripe"))
    visitor = Visitor(app)
    visitor.sign_in("ben@example.com", PASSWORD)
    return visitor


def place(show) -> Destination:
    with show.app.app_context():
        joined = select(Destination).join(PayoutMethod, PayoutMethod.id == Destination.method_id)
        return db.session.scalars(joined.where(PayoutMethod.kind == "stripe")).unique().one()


def opened(ben) -> str:
    """Where the button leads."""
    ben.visit(PAGE)
    answer = ben.submit(PAGE)
    assert answer.status_code == 303
    return str(answer.location)


def test_the_button_opens_an_account_once_and_leads_to_stripe(show, ben):
    assert "Set up payouts with Stripe" in ben.visit(PAGE).text

    first, second = opened(ben), opened(ben)

    assert first != second and "/sandbox/connect/onboarding/" in first
    (account,) = show.documents("account")
    assert place(show).provider_account == account["id"]
    assert not place(show).ready
    assert "Stripe needs something from you" in ben.visit(PAGE).text


def test_details_given_at_stripe_make_the_account_ready(show, ben):
    link = opened(ben)

    answer = urllib3.request("POST", link, fields={"done": "yes"}, redirect=False)
    assert answer.headers["Location"].endswith("/earnings/payees/stripe/back")
    show.hear()

    assert place(show).ready
    assert "may go there from" in ben.visit(f"{PAGE}/back").text


def test_an_old_link_leads_back_and_says_so(show, ben):
    link = opened(ben)
    show.later(minutes=6)

    answer = urllib3.request("GET", link, redirect=False)

    assert answer.headers["Location"].endswith("/earnings/payees/stripe/again")
    assert "That link was too old" in ben.visit("/earnings/payees/stripe/again").text


def test_asking_again_finds_what_was_not_told(show, ben):
    opened(ben)
    with show.play.store.writing() as books:
        account = books.find("account", place(show).provider_account)
        show.play.courier.queue = lambda *_: None
        connect.give_details(show.play, books, account)
    assert not place(show).ready

    ben.visit(PAGE)
    ben.submit(f"{PAGE}/check")

    assert place(show).ready


def test_a_stripe_that_does_not_answer_changes_nothing_and_says_so(show, ben):
    show.order("stripe.accounts.create", "drop_after")

    ben.visit(PAGE)
    answer = ben.submit(PAGE)

    assert answer.status_code == 503 and "Stripe does not answer" in answer.text
    opened(ben)
    assert len(show.documents("account")) == 1


def test_without_the_method_there_is_no_page(show, ben):
    stripe = update(PayoutMethod).where(PayoutMethod.kind == "stripe")
    show.do(lambda uow: uow.session.execute(stripe.values(enabled=False)))

    assert ben.visit(PAGE).status_code == 404
