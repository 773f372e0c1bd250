"""Bank accounts, tax forms, methods: what is right, what is refused, and who is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict, DomainError, NotYours
from portal.models import Audit, Destination, Outbox, PayoutMethod, TaxForm
from portal.payouts.payees import destinations, methods, numbers, tax_forms
from portal.payouts.payees.destinations import PAUSE, BankDetails
from portal.payouts.payees.methods import MethodTerms
from portal.payouts.payees.numbers import masked
from portal.payouts.payees.providers import http_settings, nacha_settings
from portal.payouts.payees.shipped import SHIPPED_METHODS, ensure_methods
from portal.payouts.payees.tax_forms import W9

CHASE = BankDetails("Ben  Osei", "0210 0002 1", "0001-2345-6789", "checking")
FORM = W9("Ben Osei", "individual", "ssn", "123-45-6788", False, True, "ben osei")
TERMS = MethodTerms("Bank", True, ("US",), 10_00, 100_00, 100_00, 1_000_00, 0, 0, 0)


@pytest.fixture
def app(sqlite_app):
    return sqlite_app


@pytest.fixture
def save(do, ben, user_of):
    actor_id = user_of(ben)

    def run(details, code="bank"):
        def work(uow):
            method = methods.method_by_code(uow.session, code).id
            named = {"consultant_id": ben, "method_id": method, "actor_id": actor_id}
            return destinations.save_bank(uow, details, **named).id

        return do(work)

    return run


@pytest.fixture
def sign(do, ben, user_of):
    actor_id = user_of(ben)
    return lambda form: do(lambda uow: tax_forms.sign(uow, form, consultant_id=ben, actor_id=actor_id).id)


def test_changed_details_take_the_place_of_the_old_ones_and_rest(save, app, ben):
    made = save(CHASE)

    with app.app_context():
        current = destinations.destinations_of(db.session(), ben)
        assert [place.id for place in current] == [made]
        (place,) = current
        assert place.label == "••6789"
        assert place.usable_at - place.created_at == PAUSE
        assert destinations.details_of(place) == BankDetails(
            "Ben Osei", "021000021", "000123456789", "checking"
        )
        old = db.session.scalars(select(Destination).where(Destination.replaced_at.is_not(None))).all()
        assert len(old) == 1
        told = db.session.scalars(select(Outbox.body).where(Outbox.name == "payee.changed")).all()
        assert told == [{"destination_id": made, "change": 0}]


def test_the_same_details_again_change_nothing(save):
    assert save(CHASE) == save(CHASE)


def test_bank_numbers_are_sealed_at_rest(save, app):
    save(CHASE)

    with app.app_context():
        kept = db.session.execute(text("SELECT details, label FROM payout_destination")).all()
        assert "123456789" not in json.dumps([list(row) for row in kept])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"holder": " "}, "holder"),
        ({"holder": "x" * 101}, "holder"),
        ({"routing": "021000022"}, "routing"),
        ({"routing": "000000000"}, "routing"),
        ({"routing": "02100002"}, "routing"),
        ({"routing": "０21000021"}, "routing"),
        ({"account": "123"}, "account"),
        ({"account": "123456789012345678"}, "account"),
        ({"account": "DE89370400440532013000"}, "account"),
        ({"type": "shoebox"}, "type"),
    ],
)
def test_details_that_are_not_right_name_their_field(save, changed, field):
    with pytest.raises(BadInput) as refused:
        save(replace(CHASE, **changed))

    assert refused.value.field == field


def test_a_method_that_is_not_offered_keeps_no_details(save):
    with pytest.raises(NotYours):
        save(CHASE, code="ach")
    with pytest.raises(NotYours):
        save(CHASE, code="stripe")


@pytest.mark.parametrize("routing", ["021000021", "011401533", "091000019", "122105155"])
def test_real_routing_numbers_pass_and_one_wrong_digit_does_not(routing):
    assert numbers.routing_number(routing) == routing
    for place in range(9):
        wrong = routing[:place] + str((int(routing[place]) + 1) % 10) + routing[place + 1 :]
        with pytest.raises(BadInput):
            numbers.routing_number(wrong)


@pytest.mark.parametrize(
    ("kind", "number", "kept"),
    [
        ("ssn", "123456788", "123-45-6788"),
        ("ssn", "912-70-1234", "912-70-1234"),
        ("ein", "12 3456789", "12-3456789"),
        ("ssn", "000-12-3456", None),
        ("ssn", "666-12-3456", None),
        ("ssn", "900-12-3456", None),
        ("ssn", "123-00-3456", None),
        ("ssn", "123-45-0000", None),
        ("ssn", "12345678", None),
        ("ssn", "12345678x", None),
        ("ein", "00-3456789", None),
        ("ein", "07-3456789", None),
    ],
)
def test_tax_numbers_that_were_never_given_out_are_refused(kind, number, kept):
    if kept is None:
        with pytest.raises(BadInput) as refused:
            numbers.tax_number(kind, number)
        assert refused.value.field == "tax_number"
    else:
        assert numbers.tax_number(kind, number) == kept


def test_a_signed_form_takes_the_place_of_the_one_before(sign, app, ben):
    made = sign(FORM)

    with app.app_context():
        form = tax_forms.valid_form(db.session(), ben)
        assert (form.id, form.last_four, form.tax_number) == (made, "6788", "123-45-6788")
        states = db.session.scalars(select(TaxForm.state).where(TaxForm.consultant_id == ben)).all()
        assert sorted(states) == ["replaced", "valid"]
        kept = db.session.execute(text("SELECT tax_number, legal_name FROM tax_form")).all()
        assert "6788" not in json.dumps([list(row) for row in kept]) and "Osei" not in str(kept)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"legal_name": ""}, "legal_name"),
        ({"classification": "king"}, "classification"),
        ({"classification": "c_corporation"}, "kind"),
        ({"tax_number": "1"}, "tax_number"),
        ({"certified": False}, "certified"),
        ({"signed_name": "Somebody Else"}, "signed_name"),
    ],
)
def test_a_form_that_is_not_right_names_its_field(sign, changed, field):
    with pytest.raises(BadInput) as refused:
        sign(replace(FORM, **changed))

    assert refused.value.field == field


def test_withholding_marked_by_the_company_survives_a_new_form(sign, do, cast, app, ben):
    form = sign(FORM)
    do(lambda uow: tax_forms.mark_withholding(uow, form_id=form, actor_id=cast.fin, withhold=True).id)

    sign(FORM)

    with app.app_context():
        assert tax_forms.valid_form(db.session(), ben).backup_withholding


def test_withholding_marked_by_the_company_survives_a_refusal(sign, do, cast, app, ben):
    form = sign(FORM)
    do(lambda uow: tax_forms.mark_withholding(uow, form_id=form, actor_id=cast.fin, withhold=True).id)
    do(lambda uow: tax_forms.refuse(uow, form_id=form, actor_id=cast.fin, reason="The name is wrong.").id)

    sign(FORM)

    with app.app_context():
        assert tax_forms.valid_form(db.session(), ben).backup_withholding


@pytest.mark.parametrize(("number", "shown"), [("1234", "••34"), ("12345678", "••5678"), ("123", "••3")])
def test_half_of_a_number_at_least_is_hidden(number, shown):
    assert masked(number) == shown


def test_whoever_reads_a_number_is_written_down(sign, do, cast, app):
    form = sign(FORM)

    assert do(tax_forms.read_number, form_id=form, actor_id=cast.fin) == ("Ben Osei", "123-45-6788")

    with app.app_context():
        read = db.session.scalars(select(Audit).where(Audit.action == "tax_form.read")).one()
        assert (read.actor_id, read.thing_id) == (cast.fin, form)


def test_nobody_reviews_their_own_form(sign, do, ben, user_of, cast):
    form = sign(FORM)

    with pytest.raises(DomainError, match="your own tax form"):
        do(tax_forms.refuse, form_id=form, actor_id=user_of(ben), reason="x")
    do(tax_forms.refuse, form_id=form, actor_id=cast.fin, reason="The name does not fit.")
    with pytest.raises(Conflict):
        do(tax_forms.refuse, form_id=form, actor_id=cast.fin, reason="Again.")


def test_shipped_methods_stay_as_they_were_changed(do, cast):
    do(methods.change_method, TERMS, code="bank", actor_id=cast.ada)
    do(ensure_methods)

    def look(uow):
        rows = methods.all_methods(uow.session)
        return {row.code: row.maximum_cents for row in rows}

    assert do(look) == {row["code"]: row["maximum_cents"] for row in SHIPPED_METHODS} | {"bank": 100_00}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"countries": ()}, "countries"),
        ({"countries": ("USA",)}, "countries"),
        ({"minimum_cents": 0}, "minimum_cents"),
        ({"maximum_cents": 9_99}, "maximum_cents"),
        ({"daily_limit_cents": 9_99}, "daily_limit_cents"),
        ({"run_limit_cents": 0}, "run_limit_cents"),
        ({"automatic_limit_cents": -1}, "automatic_limit_cents"),
        ({"fee_cents": 10_00}, "fee_cents"),
        ({"fee_rate": 10_000}, "fee_cents"),
    ],
)
def test_terms_that_cannot_be_name_their_field(do, cast, changed, field):
    with pytest.raises(BadInput) as refused:
        do(methods.change_method, replace(TERMS, **changed), code="bank", actor_id=cast.ada)

    assert refused.value.field == field


def test_a_provider_is_added_by_data_and_its_token_is_sealed(do, cast, app):
    settings = http_settings(PROVIDER, before={}, insecure=False)
    do(methods.add_http_method, TERMS, code="acme", actor_id=cast.ada, settings=settings)

    with app.app_context():
        method = methods.method_by_code(db.session(), "acme")
        assert (method.kind, methods.settings_of(method)["token"]) == ("http", "secret-token")
        raw = db.session.execute(text("SELECT settings FROM payout_method WHERE code = 'acme'")).scalar()
        assert "secret-token" not in raw
    with pytest.raises(Conflict):
        do(methods.add_http_method, TERMS, code="acme", actor_id=cast.ada, settings=settings)
    kept = http_settings({**PROVIDER, "token": ""}, before=settings, insecure=False)
    assert kept["token"] == "secret-token"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"url": "http://pay.example.com"}, "url"),
        ({"url": "https://me:you@pay.example.com"}, "url"),
        ({"url": ""}, "url"),
        ({"lookup_url": "ftp://pay.example.com"}, "lookup_url"),
        ({"token": ""}, "token"),
        ({"ref": "a b"}, "ref"),
        (
            {"fields": {"reference": "r", "amount": "a", "currency": "c", "destination": ""}},
            "field_destination",
        ),
        (
            {"fields": {"reference": "r..", "amount": "a", "currency": "c", "destination": "d"}},
            "field_reference",
        ),
    ],
)
def test_a_provider_that_cannot_be_called_names_its_field(changed, field):
    with pytest.raises(BadInput) as refused:
        http_settings({**PROVIDER, **changed}, before={}, insecure=False)

    assert refused.value.field == field


def test_a_bank_file_needs_its_settings_before_it_is_offered(do, cast):
    with pytest.raises(BadInput) as refused:
        do(methods.change_method, TERMS, code="ach", actor_id=cast.ada)
    assert refused.value.field == "enabled"

    bank = {
        "bank_routing": "021000021",
        "bank_name": "Bank",
        "company_name": "Canopy",
        "company_id": "1234567890",
        "description": "PAYOUT",
    }
    with pytest.raises(BadInput) as refused:
        nacha_settings(bank | {"company_id": "1"})
    assert refused.value.field == "company_id"
    do(methods.change_method, TERMS, code="ach", actor_id=cast.ada, settings=nacha_settings(bank))
    assert do(lambda uow: uow.session.scalar(select(PayoutMethod.enabled).where(PayoutMethod.code == "ach")))


PROVIDER = {
    "url": "https://pay.example.com/v1/payouts",
    "token": "secret-token",
    "account": "canopy",
    "amount_in": "cents",
    "ref": "id",
    "status": "status",
    "lookup_url": "https://pay.example.com/v1/payouts?reference={reference}",
    "list_url": "",
    "reverse_url": "",
    "fields": {
        "reference": "reference",
        "amount": "amount",
        "currency": "currency",
        "destination": "to.account",
    },
}
