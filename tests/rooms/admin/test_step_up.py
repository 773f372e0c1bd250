"""What changes who is paid, or when, asks for the password again."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from portal.extensions import db
from portal.models import Consultant, CoolingOffRule, PayoutSelection, PayoutSelectionLine
from tests.html import Visitor
from tests.people import PASSWORD


@pytest.fixture
def later(monkeypatch):
    """The password was entered long ago."""
    return lambda: monkeypatch.setattr("portal.access.guard.confirmed_within", lambda minutes: False)


@pytest.fixture
def selection(fin, asked):
    """The address of a selection of Ben and Cem."""
    fin.visit("/admin/payouts/selections")
    place = fin.submit("/admin/payouts/selections", {"minimum": "100", "tax_form": "any"}).location
    fin.follow()
    return place


def asks_for_the_password(answer):
    return answer.status_code == 303 and "/confirm" in answer.location


def test_a_selection_is_changed_only_with_a_fresh_password(fin, selection, cast, app, later):
    with app.app_context():
        cem = db.session.get_one(Consultant, cast.cem).public_id
    later()

    assert asks_for_the_password(fin.submit(f"{selection}/leave-out/{cem}", {"reason": "A question."}))
    assert asks_for_the_password(fin.submit(f"{selection}/take-in/{cem}"))
    assert asks_for_the_password(fin.submit(f"{selection}/drop"))
    with app.app_context():
        assert db.session.scalars(select(PayoutSelection.state)).all() == ["draft"]
        left_out = PayoutSelectionLine.excluded_reason.is_not(None)
        assert db.session.scalar(select(func.count()).where(left_out)) == 0


def test_a_rule_of_cooling_off_is_added_only_with_a_fresh_password(app, asked, later):
    ada = Visitor(app)
    ada.sign_in("ada@example.com", PASSWORD)
    ada.visit("/admin/cooling-off")
    later()

    rule = {"from_age": "0", "business_days": "5", "valid_from": "2999-01-01", "source": "A new law"}
    assert asks_for_the_password(ada.submit("/admin/cooling-off", rule))
    with app.app_context():
        assert db.session.scalar(select(func.count(CoolingOffRule.id))) == 0
