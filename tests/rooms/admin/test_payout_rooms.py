"""The pages around the queue: the bank's answer, suspense, selections, tax forms, ways to pay."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Audit, Destination, PayoutBatch, PayoutMethod, TaxForm, Withdrawal
from portal.payouts.payees import methods
from tests.html import Visitor
from tests.people import PASSWORD

BANK = {
    "name": "Bank transfer",
    "enabled": "y",
    "countries": "US, PR",
    "minimum_cents": "20",
    "maximum_cents": "1,000.00",
    "daily_limit_cents": "1,000.00",
    "run_limit_cents": "10,000.00",
    "automatic_limit_cents": "0",
    "fee_cents": "1.50",
    "fee_share": "0.25",
}
PROVIDER = {
    "code": "acme",
    "url": "https://pay.example.com/v1/payouts",
    "token": "secret-token",
    "amount_in": "cents",
    "ref": "id",
    "status": "status",
    "field_reference": "reference",
    "field_amount": "amount",
    "field_currency": "currency",
    "field_destination": "to.account",
}


@pytest.fixture
def batch(fin, ada, asked):
    """The address of an exported batch of both withdrawals."""
    fin.visit("/admin/payouts")
    fin.submit("/admin/payouts/approve", {"chosen": list(asked.values())})
    ada.visit("/admin/payouts")
    return ada.submit("/admin/payouts/export", {"chosen": list(asked.values())}).location


def send(browser, place, content, name="result.csv"):
    browser.visit(place)
    file = (io.BytesIO(content), name)
    return browser.submit(f"{place}/result", {"file": file}, content_type="multipart/form-data")


def test_the_banks_answer_is_read_line_by_line(fin, batch, states):
    fin.visit(batch)
    assert "Void: the file was not used" in fin.words
    lines = fin.visit(f"{batch}/file.csv").text.splitlines()
    assert fin.visit(f"{batch}/file.xlsx").data.startswith(b"PK")
    answer = "\r\n".join([f"{lines[0]},outcome,reason", f"{lines[1]},paid,", f"{lines[2]},failed,No account"])

    assert send(fin, batch, answer.replace("120.00", "120.01").encode()).status_code == 303
    fin.follow()
    assert "0 paid, 1 returned" in fin.words and "1 line does not fit and waits" in fin.words
    assert states() == ["exported", "returned"]
    assert "Void: the file was not used" not in fin.words
    assert "2: 0 paid, 1 failed, 1 did not fit" in fin.words
    fin.visit("/admin")
    assert "1 line of the bank does not fit" in fin.words and "/admin/payouts/suspense" in fin.page.text
    fin.visit(batch)

    fin.visit("/admin/payouts/suspense")
    assert "The amount is not the one that was exported, $120.00." in fin.words
    fin.submit("/admin/payouts/suspense/1", {"note": "The bank corrected it."})
    fin.visit("/admin/payouts/suspense?show=settled")
    assert "The bank corrected it." in fin.words
    fin.visit("/admin")
    assert "does not fit" not in fin.words
    assert fin.submit("/admin/payouts/suspense/99", {"note": "x"}).status_code == 404

    send(fin, batch, answer.encode())
    assert states() == ["paid", "returned"]


def test_every_amount_of_a_batch_opens_its_entry_and_its_owner_sees_all_of_them(fin, batch, asked, app):
    fin.visit(batch)
    (ours, _other) = re.findall(r'href="(/admin/entries/\d+)">\$', fin.page.text)
    assert "Withdrawal, set aside" in fin.visit(ours).text
    fin.visit(batch)
    fin.submit(f"{batch}/confirm")
    fin.visit(batch)
    (paid, _other) = re.findall(r'href="(/admin/entries/\d+)">\$', fin.page.text)
    assert paid != ours and "Withdrawal paid" in fin.visit(paid).text

    ben = Visitor(app)
    ben.sign_in("ben@example.com", PASSWORD)
    ben.visit(f"/earnings/withdrawals/{asked['ben']}")
    entries = re.findall(r'href="(/earnings/entries/\d+)"', ben.page.text)
    assert {entry.rsplit("/", 1)[1] for entry in entries} == {url.rsplit("/", 1)[1] for url in (ours, paid)}
    assert {ben.visit(entry).status_code for entry in entries} == {200}


def test_a_bank_file_says_when_it_is_paid_and_when_it_has_arrived(fin, ada, asked, do):
    head = {"bank_routing": "021000021", "bank_name": "B", "company_name": "C", "company_id": "1" * 10}

    def offer(uow):
        method = methods.method_by_code(uow.session, "bank")
        method.kind, method.settings = "nacha", methods.json.dumps(head)

    do(offer)
    fin.visit("/admin/payouts")
    fin.submit("/admin/payouts/approve", {"chosen": [asked["ben"]]})
    ada.visit("/admin/payouts?state=approved")
    place = ada.submit("/admin/payouts/export", {"chosen": [asked["ben"]]}).location

    ada.visit(place)

    assert "The bank pays on" in ada.words and "Wait until then" in ada.words
    before = update(PayoutBatch).values(created_at=utc_now() - timedelta(days=30))
    do(lambda uow: uow.session.execute(before) and None)
    ada.visit(place)
    assert "then say that the rest is paid" in ada.words


def test_what_is_no_answer_is_refused_in_the_form(fin, batch, states):
    assert send(fin, batch, b"PK\x03\x04").status_code == 422
    assert "Please send the result as a plain CSV file." in fin.words
    assert fin.submit(f"{batch}/result").status_code == 422
    assert "Please choose a file." in fin.words
    assert states() == ["exported", "exported"]


def test_a_format_that_was_not_written_is_not_there(fin, batch):
    assert fin.visit(f"{batch}/file.nacha").status_code == 404
    assert fin.visit(f"{batch}/file.exe").status_code == 404


def test_people_are_found_left_out_paid_by_one_and_approved_by_another(fin, ada, asked, cast, app):
    fin.visit("/admin/payouts/selections")
    place = fin.submit("/admin/payouts/selections", {"minimum": "100", "tax_form": "any"}).location
    fin.follow()
    assert "Make 2 withdrawals of $800.00" in fin.words

    with app.app_context():
        from portal.models import Consultant

        cem = db.session.get_one(Consultant, cast.cem).public_id
    fin.submit(f"{place}/leave-out/{cem}", {"reason": "A question is open."})
    fin.follow()
    assert "Make 1 withdrawal of $380.00" in fin.words and "A question is open." in fin.words
    assert fin.submit(f"{place}/leave-out/nobody", {"reason": "x"}).status_code == 404
    fin.visit(place)
    assert fin.page.text.count("/statement") == 2 and "/admin/entries/" not in fin.page.text
    fin.submit(f"{place}/make")
    fin.follow()
    (entry,) = re.findall(r"/admin/entries/\d+", fin.page.text)
    assert "Withdrawal, set aside" in fin.visit(entry).text
    fin.visit(place)
    assert "another person has to approve them" in fin.words
    fin.submit(f"{place}/approve")
    fin.follow()
    assert "Somebody else has to approve them." in fin.words

    ada.visit(place)
    ada.submit(f"{place}/approve")
    ada.follow()
    assert "Every withdrawal of this selection is decided" in ada.words
    with app.app_context():
        found = db.session.scalars(select(Withdrawal).where(Withdrawal.selection_id.is_not(None))).one()
        assert (found.state, found.amount_cents, found.consultant_id) == ("approved", 380_00, cast.ben)


def test_a_selection_is_dropped_or_refused_in_the_form(fin, asked):
    fin.visit("/admin/payouts/selections")
    assert fin.submit("/admin/payouts/selections", {"minimum": "nonsense"}).status_code == 422
    place = fin.submit("/admin/payouts/selections", {"minimum": "100"}).location
    fin.visit(place)
    fin.submit(f"{place}/drop")
    fin.follow()

    assert "Nothing was made of this selection" in fin.words
    assert fin.visit("/admin/payouts/selections/nothing").status_code == 404


def test_a_tax_form_is_marked_refused_and_its_number_read(fin, asked, cast, app):
    with app.app_context():
        form = db.session.scalars(select(TaxForm).where(TaxForm.consultant_id == cast.ben)).one()
        place = f"/admin/payouts/tax-forms/{form.public_id}"
    fin.visit("/admin/payouts/tax-forms")
    assert "123-45-6789" not in fin.page.text

    assert fin.submit(f"{place}/number").status_code == 200
    assert "123-45-6789" in fin.words
    fin.submit(f"{place}/withholding", {"withhold": "1"})
    fin.follow()
    assert "Tax withheld" in fin.words
    fin.submit(f"{place}/refuse", {"reason": ""})
    fin.follow()
    assert "Please give a reason" in fin.words
    fin.submit(f"{place}/refuse", {"reason": "The name does not fit."})
    fin.visit("/admin/payouts/tax-forms?state=refused")
    assert "The name does not fit." in fin.words
    with app.app_context():
        assert db.session.scalars(select(Audit.action).where(Audit.action == "tax_form.read")).all()
    assert fin.submit("/admin/payouts/tax-forms/nothing/number").status_code == 404


def test_an_admin_changes_terms_and_finance_does_not(ada, fin, app):
    ada.visit("/admin/payouts/methods/bank")
    assert ada.submit("/admin/payouts/methods/bank", BANK).status_code == 303
    with app.app_context():
        bank = methods.method_by_code(db.session(), "bank")
        assert (bank.fee_cents, bank.fee_rate, bank.maximum_cents) == (1_50, 25, 1_000_00)
        assert bank.countries == ["US", "PR"]

    ada.visit("/admin/payouts/methods/bank")
    assert ada.submit("/admin/payouts/methods/bank", BANK | {"maximum_cents": "1"}).status_code == 422
    assert "The largest amount is below the smallest." in ada.words
    assert ada.submit("/admin/payouts/methods/bank", BANK | {"fee_share": "x"}).status_code == 422
    assert ada.visit("/admin/payouts/methods/nothing").status_code == 404
    assert fin.visit("/admin/payouts/methods").status_code == 403


def test_an_admin_adds_a_provider_and_its_token_is_not_shown_again(ada, app):
    ada.visit("/admin/payouts/methods/new")
    assert ada.submit("/admin/payouts/methods/new", BANK | PROVIDER | {"url": "x"}).status_code == 422
    assert "Please write a whole address" in ada.words
    takes = {"currencies": "USD", "provider_minimum": "5.00", "provider_maximum": "900"}
    assert ada.submit("/admin/payouts/methods/new", BANK | PROVIDER | takes).status_code == 303

    ada.visit("/admin/payouts/methods/acme")
    assert 'value="5.00"' in ada.page.text and 'value="900.00"' in ada.page.text
    assert "secret-token" not in ada.page.text and "to.account" in ada.page.text
    assert ada.submit("/admin/payouts/methods/acme", BANK | PROVIDER | {"token": ""}).status_code == 303
    with app.app_context():
        kept = db.session.scalars(select(PayoutMethod).where(PayoutMethod.code == "acme")).one()
        assert methods.settings_of(kept)["token"] == "secret-token"


def test_the_shipped_ways_can_be_added_where_they_are_missing(ada, app, do):
    do(lambda uow: uow.session.query(PayoutMethod).filter_by(code="ach").delete())
    ada.visit("/admin/payouts/methods")
    assert "Direct deposit" not in ada.words

    ada.submit("/admin/payouts/methods/defaults")
    ada.follow()
    assert "Direct deposit (ACH)" in ada.words


def test_a_moment_in_a_reason_is_said_in_the_companys_time_zone(fin, do):
    until = datetime(2999, 1, 31, 17, 5, tzinfo=UTC)
    do(lambda uow: uow.session.execute(update(Destination).values(usable_at=until)) and None)
    fin.visit("/admin/payouts/selections")
    fin.submit("/admin/payouts/selections", {"minimum": "100", "tax_form": "any"})
    fin.follow()
    assert "Money may go there from Jan 31, 2999, 10:05 AM MST on." in fin.words

    fin.visit("/admin/payouts")
    fin.submit(
        "/admin/payouts/approve", {"chosen": re.findall(r'name="chosen" value="(\w+)"', fin.page.text)}
    )
    assert "from Jan 31, 2999, 10:05 AM MST on." in fin.words
