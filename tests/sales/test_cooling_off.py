"""How long a contract may be called off: the longest rule of its day, or the terms where they are longer."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, Conflict, NothingToDo
from portal.models import Contract, CoolingOffRule, TermsVersion
from portal.sales import cooling_off, service
from portal.sales.cooling_off import SHIPPED, Rule
from portal.store import perform
from tests.vendors import activated, cancelled, invite_vera

SHIPPED_RULES = [CoolingOffRule(**row) for row in SHIPPED]
FRIDAY = date(2026, 11, 20)


def contract(
    *, state: str | None = None, unit: str = "kW", age: int | None = None, signed: date = FRIDAY
) -> Any:
    return SimpleNamespace(sold_in=state, service=SimpleNamespace(unit=unit), buyer_age=age, signed_on=signed)


@pytest.mark.parametrize(
    ("about", "days"),
    [
        ({}, 3),
        ({"state": "UT"}, 3),
        ({"state": "CA"}, 3),
        ({"state": "CA", "age": 64}, 3),
        ({"state": "CA", "age": 65}, 5),
        ({"state": "CA", "age": 65, "unit": "lines"}, 5),
        ({"state": "CA", "age": 65, "signed": date(2020, 12, 31)}, 3),
        ({"age": 80}, 3),
        ({"state": "TX"}, 5),
        ({"state": "TX", "unit": "lines"}, 3),
        ({"state": "TX", "signed": date(2025, 8, 31)}, 3),
        ({"state": "TX", "signed": date(2025, 9, 1)}, 5),
    ],
)
def test_the_longest_rule_that_fits_counts(about, days):
    assert cooling_off.business_days(SHIPPED_RULES, contract(**about)) == days


def test_a_newer_rule_of_the_same_kind_replaces_the_older_even_when_it_is_shorter():
    shorter = CoolingOffRule(**{**SHIPPED[2], "business_days": 4, "valid_from": date(2026, 1, 1)})
    all_rules = [*SHIPPED_RULES, shorter]

    assert cooling_off.business_days(all_rules, contract(state="TX")) == 4
    assert cooling_off.business_days(all_rules, contract(state="TX", signed=date(2025, 12, 31))) == 5


@pytest.fixture
def vera(app, cast):
    """Vera's terms give three days."""
    found = invite_vera(app, cast)
    with app.app_context():
        perform(lambda uow: _terms_of(uow, 3))
    return found


def last_day(app, vera, *events):
    with app.app_context():
        for event in events:
            with suppress(NothingToDo):
                perform(
                    lambda uow, event=event: (
                        service.take_event(uow, vendor_id=vera.vendor_id, event=event) and None
                    )
                )
        found = db.session.query(Contract).one()
        return found.sold_in, found.buyer_age, found.cooling_off_until


def test_what_is_signed_keeps_its_last_day(app, vera):
    event = activated(vera, signed_on=FRIDAY, customer_state="TX")

    # Three days are in the terms; of five business days Thanksgiving and a Sunday are none.
    assert last_day(app, vera, event) == ("TX", None, date(2026, 11, 27))


def test_longer_terms_win_over_the_law(app, vera):
    with app.app_context():
        perform(lambda uow: _terms_of(uow, 40))

    assert last_day(app, vera, activated(vera, signed_on=FRIDAY))[2] == FRIDAY + timedelta(days=40)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_state_and_age_may_come_in_any_order_and_apart(app, vera, order):
    told = [
        cancelled(vera, signed_on=FRIDAY, customer_state="CA"),
        cancelled(vera, signed_on=FRIDAY, customer_age=70),
        cancelled(vera, signed_on=FRIDAY),
    ]

    assert last_day(app, vera, *(told[place] for place in order)) == ("CA", 70, date(2026, 11, 27))


def test_a_rule_is_added_for_the_days_to_come_and_never_for_the_past(app, cast):
    today = utc_now().date()
    rule = Rule("MD", "kW", 0, 5, today + timedelta(days=1), "A new law")
    with app.app_context():
        perform(lambda uow: cooling_off.ensure_rules(uow))
        perform(lambda uow: cooling_off.add_rule(uow, rule, actor_id=cast.ada) and None)

        assert [found.state for found in cooling_off.rules(db.session())] == ["", "CA", "MD", "TX"]
        with pytest.raises(Conflict):
            perform(lambda uow: cooling_off.add_rule(uow, rule, actor_id=cast.ada))
        for wrong in (
            Rule("MD", "kW", 0, 5, today - timedelta(days=2), "A new law"),
            Rule("Maryland", "kW", 0, 5, today + timedelta(days=1), "A new law"),
            Rule("ZZ", "kW", 0, 5, today + timedelta(days=1), "A new law"),
            Rule("MD", "kW", 0, 61, today + timedelta(days=1), "A new law"),
            Rule("MD", "kW", -1, 5, today + timedelta(days=1), "A new law"),
            Rule("MD", "kW", 0, 4, today + timedelta(days=1), " "),
        ):
            with pytest.raises(BadInput):
                perform(lambda uow, wrong=wrong: cooling_off.add_rule(uow, wrong, actor_id=cast.ada))


def _terms_of(uow, days):
    for terms in uow.session.query(TermsVersion):
        terms.cooling_off_days = days
    uow.session.flush()
