"""Asking for a withdrawal, from the amount to the timeline, without JavaScript."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Destination, LoginSession, PayoutMethod, Withdrawal
from portal.payouts import service
from tests.html import Visitor
from tests.payouts.purses import fund
from tests.people import PASSWORD

REFUSED = {
    "500.01": "$500.00 is available, not more.",
    "9.99": "The smallest withdrawal is $10.00.",
    "0": "The smallest withdrawal is $10.00.",
    "-20": "The smallest withdrawal is $10.00.",
    "25000.01": "The largest withdrawal is $25,000.00.",
    "": "Please write an amount like 1,234.50.",
    "10.005": "Please write an amount like 1,234.50.",
    "1e2": "Please write an amount like 1,234.50.",
    "1_0": "Please write an amount like 1,234.50.",
    "１２": "Please write an amount like 1,234.50.",
    "99999999999999999999": "This is more than can be handled.",
}


def ask(browser, amount):
    browser.visit("/earnings/withdraw")
    return browser.submit("/earnings/withdraw", {"amount": amount})


def test_an_amount_is_asked_for_checked_and_set_aside(ben, cast, purse):
    assert ask(ben, "$120.50").status_code == 303
    assert ben.follow().status_code == 200
    assert "Withdraw $120.50" in ben.words

    assert ben.submit("/earnings/withdraw/check", {"amount": "120.50"}).status_code == 303
    ben.follow()

    assert "Withdrawal of $120.50" in ben.words and "Call it off" in ben.words
    assert purse(cast.ben) == (0, 379_50, 120_50, 0)


def test_a_refusal_stands_in_the_form(ben, cast, purse):
    for amount, reason in REFUSED.items():
        assert ask(ben, amount).status_code == 422
        assert reason in ben.words

    assert purse(cast.ben) == (0, 500_00, 0, 0)


def test_a_refusal_is_the_form_block_for_htmx(ben):
    ben.visit("/earnings/withdraw")
    answer = ben.submit("/earnings/withdraw", {"amount": "1"}, headers={"HX-Request": "true"})

    assert answer.status_code == 422
    assert answer.text.lstrip().startswith('<div class="stack" id="withdraw"')


def test_a_second_click_shows_the_first_result(ben, cast, purse):
    ask(ben, "100")
    ben.follow()
    form = dict(ben.hidden)

    first = ben.client.post("/earnings/withdraw/check", data={**form, "amount": "100.00"})
    second = ben.client.post("/earnings/withdraw/check", data={**form, "amount": "100.00"})

    assert first.location == second.location
    assert purse(cast.ben) == (0, 400_00, 100_00, 0)


def test_the_same_form_with_another_amount_is_a_conflict(ben, cast, purse):
    ask(ben, "100")
    ben.follow()
    form = dict(ben.hidden)
    ben.client.post("/earnings/withdraw/check", data={**form, "amount": "100.00"})

    answer = ben.client.post("/earnings/withdraw/check", data={**form, "amount": "101.00"})

    assert answer.status_code == 409
    assert purse(cast.ben) == (0, 400_00, 100_00, 0)


def test_money_that_went_meanwhile_is_refused_in_the_form(ben, cast, purse, do):
    ask(ben, "400")
    ben.follow()
    do(service.request_withdrawal, consultant_id=cast.ben, amount=200_00, key="elsewhere", actor_id=cast.ada)

    answer = ben.submit("/earnings/withdraw/check", {"amount": "400.00"})

    assert answer.status_code == 422
    assert "$300.00 is available, not more." in ben.words
    assert purse(cast.ben) == (0, 300_00, 200_00, 0)


@pytest.mark.parametrize("key", ["", "cycle-1-aaaaaaaaaaaa"])
def test_a_key_that_is_none_of_ours_changes_nothing(ben, cast, purse, key):
    ask(ben, "100")
    ben.follow()

    answer = ben.submit("/earnings/withdraw/check", {"amount": "100.00", "key": key})

    assert answer.status_code == 422
    assert purse(cast.ben) == (0, 500_00, 0, 0)


def test_the_password_is_asked_again_after_ten_minutes(ben, cast, purse, do):
    do(
        lambda uow: uow.session.execute(
            update(LoginSession).values(confirmed_at=utc_now() - timedelta(minutes=11))
        )
    )

    ask(ben, "100")
    ben.follow()
    assert ben.page.status_code == 303 and ben.page.location.startswith("/login/confirm")
    ben.follow()
    ben.submit("/login/confirm", {"password": PASSWORD})
    ben.follow()

    assert "Withdraw $100.00" in ben.words
    ben.submit("/earnings/withdraw/check", {"amount": "100.00"})
    assert purse(cast.ben) == (0, 400_00, 100_00, 0)


def test_without_the_password_nothing_is_set_aside(ben, cast, purse, do):
    ask(ben, "100")
    ben.follow()
    do(
        lambda uow: uow.session.execute(
            update(LoginSession).values(confirmed_at=utc_now() - timedelta(minutes=11))
        )
    )

    answer = ben.submit("/earnings/withdraw/check", {"amount": "100.00"})

    assert answer.status_code == 303
    assert purse(cast.ben) == (0, 500_00, 0, 0)


def test_a_requested_withdrawal_can_be_called_off_once(ben, cast, purse, app):
    ask(ben, "100")
    ben.follow()
    ben.submit("/earnings/withdraw/check", {"amount": "100.00"})
    ben.follow()
    with app.app_context():
        place = f"/earnings/withdrawals/{db.session.scalars(select(Withdrawal.public_id)).one()}"

    ben.submit(f"{place}/cancel")
    ben.follow()
    assert "Called off" in ben.words and "available again" in ben.words
    assert "Would have arrived" in ben.words and "What arrives" not in ben.words
    assert purse(cast.ben) == (0, 500_00, 0, 0)

    ben.submit(f"{place}/cancel")
    ben.follow()
    assert "This withdrawal is cancelled." in ben.words
    assert purse(cast.ben) == (0, 500_00, 0, 0)


def test_the_withdrawal_of_another_is_not_there(ben, cast, do, app, purse):
    do(fund, cast.cem, 500_00, cycle=cast.cycle)
    place = do(
        lambda uow: (
            service.request_withdrawal(
                uow, consultant_id=cast.cem, amount=50_00, key="k", actor_id=cast.ada
            ).public_id
        )
    )

    ben.visit("/earnings/withdraw")
    assert ben.visit(f"/earnings/withdrawals/{place}").status_code == 404
    assert ben.submit(f"/earnings/withdrawals/{place}/cancel").status_code == 404
    assert purse(cast.cem) == (0, 450_00, 50_00, 0)


def test_staff_have_no_wallet(app, cast):
    fin = Visitor(app)
    fin.sign_in("fin@example.com", PASSWORD)

    assert [fin.visit(page).status_code for page in ("/earnings", "/earnings/withdraw")] == [403, 403]


def test_strangers_sign_in_first(app, cast):
    assert Visitor(app).visit("/earnings").status_code == 303


def test_whoever_has_too_little_is_told_why(app, cast):
    cem = Visitor(app)
    cem.sign_in("cem@example.com", PASSWORD)

    cem.visit("/earnings/withdraw")

    assert "Withdrawals start at $10.00; $0.00 is available." in cem.words


def test_what_happens_next_is_said_as_the_way_to_pay_has_it(ben, do, cast):
    ask(ben, "100")
    ben.follow()
    assert "then the bank pays it in one to three working days" in ben.words
    method = do(
        lambda uow: uow.session.scalars(
            select(Destination.method_id).where(Destination.consultant_id == cast.ben)
        ).one()
    )
    do(
        lambda uow: uow.session.execute(
            update(PayoutMethod).where(PayoutMethod.id == method).values(kind="stripe", name="Stripe")
        )
    )
    do(lambda uow: uow.session.execute(update(Destination).values(label="Stripe ••576b")))

    ben.visit(ben.page.request.full_path)
    assert "then it is paid at once" in ben.words and "working days" not in ben.words
    assert "Stripe ••576b" in ben.words and "Stripe Stripe" not in ben.words
    ben.submit("/earnings/withdraw/check", {"amount": "100.00"})
    ben.follow()
    assert "Sent through Stripe" in ben.words and "Sent to the bank" not in ben.words


def test_new_details_are_said_to_rest_from_the_amount_to_the_timeline(ben, do):
    do(lambda uow: uow.session.execute(update(Destination).values(usable_at=utc_now() + timedelta(hours=5))))

    ben.visit("/earnings/withdraw")
    ask(ben, "100")
    ben.follow()
    assert "Money may go there from" in ben.words
    ben.submit("/earnings/withdraw/check", {"amount": "100.00"})
    ben.follow()
    assert "Money may go there from" in ben.words and "Your new payment details rest until" in ben.words
