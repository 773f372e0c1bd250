"""What was lost, for the company and for the person: sums add up on the page; nobody sees another's."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from portal.extensions import db
from portal.models import Consultant, Cycle, Loss, Run
from tests.commissions.five_weeks import close_five
from tests.html import Visitor
from tests.people import PASSWORD


@pytest.fixture
def closed(sqlite_app):
    return close_five(sqlite_app)


@pytest.fixture
def signed_in(sqlite_app, closed):
    def browser(name):
        laptop = Visitor(sqlite_app)
        laptop.sign_in(f"{name}@example.com", PASSWORD)
        return laptop

    return browser


def read(app, statement):
    with app.app_context():
        return db.session.execute(statement).all()


def cents(text):
    return [
        int(found.replace(",", "").replace(".", "")) for found in re.findall(r"\$([0-9,]+\.[0-9]{2})", text)
    ]


def test_a_cycle_adds_up_on_its_page_and_opens_to_those_who_lost(sqlite_app, signed_in):
    ada = signed_in("ada")
    name, run_id, told = read(
        sqlite_app,
        select(Cycle.name, Run.id, Run.breakage)
        .join(Run, Run.id == Cycle.close_run_id)
        .join(Loss, Loss.run_id == Run.id)
        .order_by(Loss.cents.desc()),
    )[0]
    page = ada.visit(f"/admin/breakage/{name}")
    table = page.text.split('id="pay"')[1].split("</table>")[0]
    earned, *lost, paid = cents(table)[: 2 + sum(bool(amount) for amount in told["money"]["lost"].values())]

    assert earned == told["money"]["earned"] and paid == told["money"]["paid"]
    assert earned == sum(lost) + paid and sum(lost) > 0
    loser = read(
        sqlite_app,
        select(Consultant.public_id)
        .join(Loss, Loss.consultant_id == Consultant.id)
        .where(Loss.run_id == run_id)
        .order_by(Loss.cents.desc()),
    )[0][0]
    assert f"/admin/cycles/{name}/people/{loser}" in page.text
    ada.visit("/admin/breakage")
    assert name in ada.words and "Above the cap on pay" in ada.words
    assert ada.visit("/admin/breakage/2020-W01").status_code == 404


def test_a_consultant_sees_what_was_taken_from_them_and_from_nobody_else(sqlite_app, signed_in):
    rows = read(
        sqlite_app,
        select(Consultant.id, func.sum(Loss.cents), func.count())
        .join(Loss, Loss.consultant_id == Consultant.id)
        .join(Cycle, Cycle.close_run_id == Loss.run_id)
        .group_by(Consultant.id),
    )
    sums = {who: (int(total), number) for who, total, number in rows}
    for name, who in (("ana", 1), ("dia", 4)):
        visitor = signed_in(name)
        page = visitor.visit("/earnings/lost")
        total, number = sums.get(who, (0, 0))
        assert sum(cents(visitor.words)) == total and page.text.count("<tr>") == (number + 1 if number else 0)
    assert sums[1][0] > 0 and 4 not in sums
    assert signed_in("ada").visit("/earnings/lost").status_code in (403, 404)
    assert signed_in("ana").visit("/admin/breakage").status_code == 403
