"""Tax years: new ones and those to come are written down by an admin; one that has begun stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, Conflict
from portal.models import Audit, TaxYear
from portal.payouts.payees import tax_years
from portal.payouts.payees.tax_years import Asked
from tests.html import Visitor
from tests.people import PASSWORD

THIS_YEAR = utc_now().year
NEXT = Asked(THIS_YEAR + 1, 2_800, 2_500_00, 100_00, "A law to come")
FORM = {
    "year": str(THIS_YEAR + 1),
    "withholding_rate": "28.5",
    "form_needed_from_cents": "0",
    "reporting_from_cents": "2,500.00",
    "source": "A law to come",
}


@pytest.fixture
def app(sqlite_app):
    return sqlite_app


@pytest.fixture
def save(do, cast):
    return lambda asked: do(lambda uow: tax_years.save(uow, asked, actor_id=cast.ada).year)


def test_a_year_to_come_is_added_changed_and_written_down(save, app, cast):
    save(NEXT)
    save(replace(NEXT, withholding_rate=3_000))

    with app.app_context():
        assert tax_years.rules_of(db.session(), THIS_YEAR + 1).withholding_rate == 3_000
        assert tax_years.rules_of(db.session(), THIS_YEAR).withholding_rate == 2_400
        notes = db.session.scalars(select(Audit).where(Audit.thing == "tax_year").order_by(Audit.id)).all()
        assert [(note.action, note.actor_id) for note in notes] == [
            ("tax_year.add", cast.ada),
            ("tax_year.change", cast.ada),
        ]
        assert notes[1].detail["withholding_rate"] == 3_000


def test_a_year_that_has_begun_stays_as_it_is(save, do, app):
    do(lambda uow: uow.session.merge(TaxYear(**vars(replace(NEXT, year=THIS_YEAR)))) and None)

    with pytest.raises(Conflict):
        save(replace(NEXT, year=THIS_YEAR, withholding_rate=0))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"year": THIS_YEAR - 1}, "year"),
        ({"year": THIS_YEAR + 6}, "year"),
        ({"year": 10**20}, "year"),
        ({"withholding_rate": 5_001}, "withholding_rate"),
        ({"reporting_from_cents": -1}, "reporting_from_cents"),
        ({"form_needed_from_cents": -1}, "form_needed_from_cents"),
        ({"source": ""}, "source"),
    ],
)
def test_a_year_that_cannot_be_names_its_field(save, changed, field):
    with pytest.raises(BadInput) as refused:
        save(replace(NEXT, **changed))

    assert refused.value.field == field


def test_an_admin_writes_a_year_down_on_its_page(app, cast, monkeypatch):
    ada = Visitor(app)
    ada.sign_in("ada@example.com", PASSWORD)
    ada.visit("/admin/payouts/methods")
    assert "/admin/payouts/tax-years" in ada.page.text
    ada.visit("/admin/payouts/tax-years")

    assert ada.submit("/admin/payouts/tax-years", FORM | {"withholding_rate": "much"}).status_code == 422
    assert ada.submit("/admin/payouts/tax-years", FORM | {"year": "1999"}).status_code == 422
    assert ada.submit("/admin/payouts/tax-years", FORM).status_code == 303
    ada.follow()
    assert "28.5" in ada.words and "$2,500.00" in ada.words
    ada.visit(f"/admin/payouts/tax-years?year={THIS_YEAR + 1}")
    assert 'value="28.50"' in ada.page.text

    monkeypatch.setattr("portal.access.guard.confirmed_within", lambda minutes: False)
    assert "/confirm" in ada.submit("/admin/payouts/tax-years", FORM | {"source": "x"}).location


def test_nobody_but_an_admin_writes_years_down(app, cast):
    fin = Visitor(app)
    fin.sign_in("fin@example.com", PASSWORD)

    assert fin.visit("/admin/payouts/tax-years").status_code == 403
