"""What a withdrawal costs and when it may not be: limits, the tax form, withheld tax, new details."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, Conflict
from portal.ledger.accounts import BANK, PAYOUT_FEES, TAX_WITHHELD
from portal.ledger.statements import company_balance
from portal.models import Destination, PayoutMethod, TaxForm, TaxYear, Withdrawal
from portal.payouts import batches, service, stops
from portal.payouts.payees import tax_forms, tax_years
from portal.payouts.payees.destinations import BankDetails, save_bank
from tests.payouts.purses import fund

CHASE = BankDetails("Ben Osei", "021000021", "000123456789", "checking")


@pytest.fixture
def app(sqlite_app):
    return sqlite_app


@pytest.fixture
def ask(do, ben, user_of):
    def run(cents, key="k", consultant=ben):
        named = {"consultant_id": consultant, "amount": cents, "key": key, "actor_id": user_of(consultant)}
        return do(lambda uow: service.request_withdrawal(uow, **named).id)

    return run


@pytest.fixture
def change(do):
    """Set columns of all rows of a model."""
    return lambda model, **values: do(
        lambda uow: uow.session.execute(update(model).values(**values)) and None
    )


@pytest.fixture
def row(app):
    def read(withdrawal):
        with app.app_context():
            found = db.session.get_one(Withdrawal, withdrawal)
            return found.fee_cents, found.withheld_cents, found.net_cents, found.state

    return read


def paid(do, cast, withdrawal):
    do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)
    batch = do(lambda uow: batches.export_batch(uow, withdrawal_ids=[withdrawal], actor_id=cast.ada).id)
    do(batches.confirm_batch, batch_id=batch, actor_id=cast.fin)


def test_a_fee_stays_with_the_company(ask, change, row, do, cast, purse, ben, app):
    change(PayoutMethod, fee_cents=25, fee_rate=125)

    withdrawal = ask(100_00)
    assert row(withdrawal) == (1_50, 0, 98_50, "requested")
    paid(do, cast, withdrawal)

    with app.app_context():
        assert company_balance(db.session, BANK) == -98_50
        assert company_balance(db.session, PAYOUT_FEES) == 1_50
    assert purse(ben) == (0, 400_00, 0, 0)


def test_tax_is_withheld_where_the_form_says_so(ask, change, row, do, cast, app, purse, ben):
    change(TaxForm, backup_withholding=True)

    withdrawal = ask(33_33)
    assert row(withdrawal) == (0, 8_00, 25_33, "requested")
    paid(do, cast, withdrawal)
    with app.app_context():
        assert company_balance(db.session, TAX_WITHHELD) == 8_00

    do(service.return_withdrawal, withdrawal_id=withdrawal, actor_id=cast.fin, reason="No account.")
    with app.app_context():
        assert [company_balance(db.session, one) for one in (BANK, TAX_WITHHELD)] == [0, 0]
    assert purse(ben) == (0, 500_00, 0, 0)


def test_withholding_that_begins_after_the_request_holds_at_the_approval(ask, change, row, do, cast):
    withdrawal = ask(100_00)
    change(TaxForm, backup_withholding=True, reviewed_by=cast.fin)

    do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)

    assert row(withdrawal) == (0, 24_00, 76_00, "approved")


@pytest.mark.parametrize(
    ("terms", "cents", "said"),
    [
        ({"minimum_cents": 50_00}, 49_99, "The smallest withdrawal is $50.00."),
        ({"maximum_cents": 100_00}, 100_01, "The largest withdrawal is $100.00."),
        ({"daily_limit_cents": 100_00}, 100_01, "$100.00 a day at most, $100.00 of it is left today."),
        ({"countries": ["CA"]}, 20_00, "does not pay to US"),
        ({"fee_cents": 20_00}, 20_00, "Fee and tax would eat up this amount."),
        ({"enabled": False}, 20_00, "how you want to be paid"),
    ],
)
def test_a_limit_of_the_method_is_named(ask, change, purse, ben, terms, cents, said):
    change(PayoutMethod, **terms)

    with pytest.raises(BadInput, match=said.replace("$", r"\$")) as refused:
        ask(cents)

    assert refused.value.field in ("amount", "method")
    assert purse(ben) == (0, 500_00, 0, 0)


def test_the_limit_of_a_day_counts_what_was_asked_and_did_not_come_back(ask, change, do, cast, ben, user_of):
    change(PayoutMethod, daily_limit_cents=100_00)
    first = ask(60_00, "one")

    with pytest.raises(BadInput, match=r"\$40.00 of it is left"):
        ask(60_00, "two")
    do(service.cancel_withdrawal, withdrawal_id=first, consultant_id=ben, actor_id=user_of(ben))
    ask(100_00, "three")


def test_without_a_tax_form_nothing_can_be_asked(ask, change, do, ben, cast):
    do(lambda uow: tax_forms.refuse(uow, form_id=form_of(uow, ben), actor_id=cast.fin, reason="Wrong.").id)

    with pytest.raises(BadInput, match="sign your tax form") as refused:
        ask(20_00)
    assert refused.value.field == "tax_form"


def test_a_year_may_ask_for_the_form_from_a_sum_on(ask, change, do, ben, cast):
    do(lambda uow: tax_forms.refuse(uow, form_id=form_of(uow, ben), actor_id=cast.fin, reason="Wrong.").id)
    change(TaxYear, form_needed_from_cents=100_00)

    ask(60_00, "one")
    with pytest.raises(BadInput, match="tax form"):
        ask(40_00, "two")
    ask(39_99, "three")


def test_a_form_refused_after_the_request_stops_the_approval(ask, do, ben, cast, row):
    withdrawal = ask(20_00)
    do(lambda uow: tax_forms.refuse(uow, form_id=form_of(uow, ben), actor_id=cast.fin, reason="Wrong.").id)

    with pytest.raises(BadInput, match="tax form"):
        do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)
    assert row(withdrawal)[3] == "requested"


def test_the_rules_of_a_year_are_data(do):
    def rules(uow):
        known = {year: tax_years.rules_of(uow.session, year) for year in (2025, 2026, 2031)}
        return {year: (one.reporting_from_cents, one.withholding_rate) for year, one in known.items()}

    assert do(rules) == {2025: (600_00, 2_400), 2026: (2_000_00, 2_400), 2031: (2_000_00, 2_400)}


def test_new_details_rest_for_72_hours_before_money_goes_there(ask, do, ben, cast, user_of, change, purse):
    method = do(lambda uow: uow.session.scalars(select(PayoutMethod.id).order_by(PayoutMethod.id)).first())
    named = {"consultant_id": ben, "method_id": method, "actor_id": user_of(ben)}
    do(lambda uow: save_bank(uow, CHASE, **named).id)

    withdrawal = ask(100_00)
    with pytest.raises(Conflict, match="payment details are new"):
        do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)

    change(Destination, usable_at=utc_now() - timedelta(seconds=1))
    do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)


def test_details_that_change_after_the_request_stop_the_approval(ask, do, ben, cast, user_of):
    withdrawal = ask(100_00)
    method = do(lambda uow: uow.session.scalars(select(PayoutMethod.id).order_by(PayoutMethod.id)).first())
    named = {"consultant_id": ben, "method_id": method, "actor_id": user_of(ben)}
    do(lambda uow: save_bank(uow, replace(CHASE, account="99998888"), **named).id)

    with pytest.raises(Conflict, match="changed after this was asked"):
        do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)


def test_a_provider_is_paid_from_its_queue(ask, change, do, cast, row):
    change(PayoutMethod, kind="stripe")
    withdrawal = ask(100_00)

    do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)

    assert row(withdrawal)[3] == "queued"


def test_while_payouts_are_stopped_nothing_is_exported_or_sent(ask, change, do, cast, row, ben):
    by_file, by_provider = ask(20_00, "one"), ask(30_00, "two")
    do(service.approve, withdrawal_id=by_file, actor_id=cast.fin)
    do(lambda uow: stops.stop(uow, cause="test", detail="Something is wrong.").id)

    with pytest.raises(Conflict, match="stopped"):
        do(lambda uow: batches.export_batch(uow, withdrawal_ids=[by_file], actor_id=cast.ada).id)
    change(PayoutMethod, kind="http")
    with pytest.raises(Conflict, match="stopped"):
        do(service.approve, withdrawal_id=by_provider, actor_id=cast.fin)
    assert [row(one)[3] for one in (by_file, by_provider)] == ["approved", "requested"]


def test_a_run_above_the_limit_is_not_exported(ask, change, do, cast, ben):
    withdrawals = [ask(60_00, "one"), ask(60_00, "two")]
    for withdrawal in withdrawals:
        do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)
    change(PayoutMethod, run_limit_cents=100_00)

    with pytest.raises(BadInput, match=r"in one run at most; this is \$120.00"):
        do(lambda uow: batches.export_batch(uow, withdrawal_ids=withdrawals, actor_id=cast.ada).id)


def test_each_way_to_pay_gets_a_batch_of_its_own(ask, do, cast, ben, app):
    do(fund, cast.cem, 100_00, cycle=cast.cycle)
    first, second = ask(20_00, "one"), ask(30_00, "two", cast.cem)
    for withdrawal in (first, second):
        do(service.approve, withdrawal_id=withdrawal, actor_id=cast.fin)

    def other_method(uow):
        ach = uow.session.scalars(select(PayoutMethod).where(PayoutMethod.code == "ach")).one()
        ach.kind = "file"
        uow.session.get_one(Withdrawal, second).method_id = ach.id

    do(other_method)
    with pytest.raises(BadInput, match="one way to pay"):
        do(lambda uow: batches.export_batch(uow, withdrawal_ids=[first, second], actor_id=cast.ada).id)
    made = do(
        lambda uow: [
            batch.sum_cents
            for batch in batches.export_batches(uow, withdrawal_ids=[first, second], actor_id=cast.ada)
        ]
    )
    assert sorted(made) == [20_00, 30_00]


def form_of(uow, consultant):
    return tax_forms.valid_form(uow.session, consultant).id
