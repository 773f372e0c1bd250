"""How one is paid, and the tax form, without JavaScript: saved, refused in the form, never shown again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from jobs.mail import payee_changed
from portal.access.unsent import SECRET
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Destination, LoginSession, Message, Outbox, TaxForm
from portal.payouts.payees import destinations, tax_forms
from tests.html import Visitor
from tests.people import PASSWORD

BANK = {"holder": "Ben Osei", "type": "checking", "routing": "021000021", "account": "000123456780"}
FORM = {
    "legal_name": "Ben Osei",
    "classification": "individual",
    "kind": "ssn",
    "tax_number": "123-45-6788",
    "certified": "y",
    "signed_name": "Ben Osei",
}


def save(browser, **changed):
    browser.visit("/earnings/payees/bank")
    return browser.submit("/earnings/payees/bank", BANK | changed)


def sign(browser, **changed):
    browser.visit("/earnings/tax-form")
    return browser.submit("/earnings/tax-form", FORM | changed)


def test_a_bank_account_is_saved_and_only_its_end_is_shown(ben, cast, app, do):
    assert save(ben).status_code == 303
    ben.follow()

    assert "••6780" in ben.words and "Money may go there from" in ben.words
    assert "000123456780" not in ben.page.text and "021000021" not in ben.page.text
    ben.visit("/earnings/payees/bank")
    assert "000123456780" not in ben.page.text
    with app.app_context():
        body = db.session.scalars(select(Outbox.body).where(Outbox.name == "payee.changed")).one()
    do(payee_changed, body)
    with app.app_context():
        mail = db.session.scalars(select(Message).where(Message.template == "payee_changed")).one()
        assert mail.params == {"called": "Bank transfer ••6780"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"routing": "021000022"}, "This is no routing number."),
        ({"account": "12"}, "An account number has 4 to 17 digits."),
        ({"holder": ""}, "Please write the name that the bank knows."),
    ],
)
def test_a_wrong_bank_account_is_refused_at_its_field(ben, cast, app, changed, said):
    assert save(ben, **changed).status_code == 422
    assert said in ben.words
    with app.app_context():
        (kept,) = destinations.destinations_of(db.session(), cast.ben)
        assert kept.label == "••6789"


def test_a_withdrawal_may_be_asked_for_while_new_details_rest(ben, cast, purse):
    save(ben)
    ben.visit("/earnings/withdraw/check?amount=100.00")
    assert "Your payment details are new" in ben.words

    assert ben.submit("/earnings/withdraw/check", {"amount": "100.00"}).status_code == 303
    assert purse(cast.ben) == (0, 400_00, 100_00, 0)


@pytest.fixture
def late(ben, do):
    """Ben, who entered his password too long ago by the time he sends his form."""

    def sends(path, form):
        ben.visit(path)
        long_ago = utc_now() - timedelta(minutes=11)
        do(lambda uow: uow.session.execute(update(LoginSession).values(confirmed_at=long_ago)) and None)
        return ben.submit(path, form)

    return sends


def test_the_password_is_asked_again_for_bank_and_tax(ben, late):
    for page, form in (("/earnings/payees/bank", BANK), ("/earnings/tax-form", FORM)):
        assert late(page, form).location.startswith("/login/confirm")
        assert ben.visit(page).location.startswith("/login/confirm")
        ben.follow()
        ben.submit("/login/confirm", {"password": PASSWORD})


@pytest.mark.parametrize(
    ("path", "form", "field", "kept"),
    [
        ("/earnings/payees/bank", BANK, "account", 'value="Ben Osei"'),
        ("/earnings/tax-form", FORM, "tax_number", 'value="Ben Osei"'),
    ],
)
def test_numbers_that_were_not_kept_are_asked_for_without_a_fault(ben, late, path, form, field, kept):
    late(path, form)
    ben.follow()
    ben.submit("/login/confirm", {"password": PASSWORD})
    ben.follow()
    carried = {name: value for name, value in form.items() if name not in SECRET}
    answer = ben.submit(path, carried)

    assert (
        kept in answer.text and "Please check this" not in answer.text and "field__error" not in answer.text
    )
    assert form[field] not in answer.text
    assert "to-complete" not in ben.hidden, "what is sent next is looked at again"
    assert ben.submit(path, form).status_code == 303
    ben.visit(path)
    assert "Please check this" in ben.submit(path, carried).text, "only what was kept comes without a fault"


def test_a_method_that_is_not_offered_is_not_there(ben):
    assert ben.visit("/earnings/payees/ach").status_code == 404
    assert ben.visit("/earnings/payees/nothing").status_code == 404


def test_the_tax_form_is_signed_and_only_its_end_is_shown(ben, cast, app):
    assert sign(ben).status_code == 303
    ben.follow()

    assert "Your tax form is signed." in ben.words and "••6788" in ben.words
    assert "123-45" not in ben.page.text
    with app.app_context():
        assert tax_forms.valid_form(db.session(), cast.ben).last_four == "6788"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tax_number": "000-12-3456"}, "This is no social security number or ITIN."),
        ({"certified": ""}, "Please certify that this is true."),
        ({"signed_name": "Mallory"}, "Please sign with the name above."),
        ({"classification": "c_corporation"}, "A company or a trust has an employer number"),
    ],
)
def test_a_tax_form_that_is_not_right_is_refused_at_its_field(ben, changed, said):
    changed = {name: value for name, value in changed.items() if value} | (
        {"certified": None} if changed == {"certified": ""} else {}
    )
    form = {name: value for name, value in (FORM | changed).items() if value is not None}
    ben.visit("/earnings/tax-form")

    assert ben.submit("/earnings/tax-form", form).status_code == 422
    assert said in ben.words


def test_whoever_lacks_account_or_form_is_led_there(app, cast, ben, do):
    def lose(uow):
        uow.session.execute(update(Destination).values(replaced_at=uow.clock()))
        uow.session.execute(update(TaxForm).values(state="refused", reason="The name does not fit."))

    do(lose)

    for page in ("/earnings", "/earnings/withdraw"):
        ben.visit(page)
        assert "Before your first withdrawal" in ben.words
    assert 'href="/earnings/payees"' in ben.page.text and 'href="/earnings/tax-form"' in ben.page.text
    ben.visit("/earnings/payees")
    assert "The name does not fit." in ben.words
    answer = ben.submit("/earnings/withdraw", {"amount": "20"})
    assert answer.status_code == 422 and "Please say first how you want to be paid." in ben.words


def test_tax_withheld_and_a_fee_are_shown_before_and_after(ben, cast, do):
    do(lambda uow: uow.session.execute(update(TaxForm).values(backup_withholding=True)) and None)
    do(lambda uow: setattr(destinations.preferred(uow.session, cast.ben).method, "fee_cents", 1_00))

    ben.visit("/earnings/withdraw/check?amount=100.00")
    for words in ("Fee −$1.00", "Backup withholding for tax −$24.00", "Arrives $75.00"):
        assert words in ben.words
    ben.submit("/earnings/withdraw/check", {"amount": "100.00"})
    ben.follow()
    assert "Arrives $75.00" in ben.words


def test_staff_have_no_bank_account_here(app, cast):
    fin = Visitor(app)
    fin.sign_in("fin@example.com", PASSWORD)

    assert [fin.visit(page).status_code for page in ("/earnings/payees", "/earnings/tax-form")] == [403, 403]
