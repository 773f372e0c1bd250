"""What was lost and what is held back adds up on the page, and nobody sees what is another's."""

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


def latest(app):
    """The latest closed cycle: its name, its run and what the run says was lost."""
    statement = select(Cycle.name, Run.id, Run.breakage).join(Run, Run.id == Cycle.close_run_id)
    return read(app, statement.order_by(Cycle.starts_at.desc()))[0]


def part(page, name):
    return page.text.split(f'id="{name}"')[1].split("</table>")[0]


def test_a_cycle_adds_up_on_its_page_and_opens_to_those_who_lost(sqlite_app, signed_in):
    ada = signed_in("ada")
    name, run_id, told = latest(sqlite_app)
    page = ada.visit(f"/admin/breakage/{name}")
    earned, *unpaid, paid = cents(part(page, "pay").split("Taken back")[0])
    lost, held = (sum(told["money"][group].values()) for group in ("lost", "held"))

    assert (earned, paid) == (told["money"]["earned"], told["money"]["paid"])
    assert earned == sum(unpaid) + paid and sum(unpaid) == lost + held and held > 0
    waiting = read(
        sqlite_app,
        select(Consultant.public_id)
        .join(Loss, Loss.consultant_id == Consultant.id)
        .where(Loss.run_id == run_id, Loss.held_cents > 0),
    )[0][0]
    assert f"/admin/cycles/{name}/people/{waiting}" in page.text
    assert "Held back: Above the cap on pay" in ada.words
    assert ada.visit("/admin/breakage/2020-W01").status_code == 404


def test_what_is_held_back_is_told_as_it_stands_and_never_added_up_over_cycles(sqlite_app, signed_in):
    every = read(
        sqlite_app,
        select(Run.breakage).join(Cycle, Cycle.close_run_id == Run.id).order_by(Cycle.starts_at.desc()),
    )
    held = [sum(told["money"]["held"].values()) for (told,) in every]
    lost = sum(sum(told["money"]["lost"].values()) for (told,) in every)
    assert sum(map(bool, held)) > 1 and lost > 0, "several weeks hold something back, and something is lost"

    page = signed_in("ada").visit("/admin/breakage")

    assert cents(part(page, "held"))[0] == held[0] == sum(cents(part(page, "held"))[1:])
    assert sum(cents(part(page, "rules"))) == lost
    assert sum(held) not in cents(page.text)


def test_a_consultant_sees_what_was_taken_from_them_and_from_nobody_else(sqlite_app, signed_in):
    _, run_id, _ = latest(sqlite_app)
    held = read(sqlite_app, select(Loss.held_cents).where(Loss.run_id == run_id, Loss.consultant_id == 1))
    assert sum(amount for (amount,) in held) > 0
    took = (Loss.cents != 0) | (Loss.left != 0) | (Loss.right != 0)
    rows = read(
        sqlite_app,
        select(Loss.consultant_id, func.sum(Loss.cents), func.count())
        .join(Cycle, Cycle.close_run_id == Loss.run_id)
        .where(took)
        .group_by(Loss.consultant_id),
    )
    sums = {who: (int(total), number) for who, total, number in rows}
    for name, who in (("ana", 1), ("dia", 4)):
        page = signed_in(name).visit("/earnings/lost")
        total, number = sums.get(who, (0, 0))
        lost = page.text.split('id="lost"')[1]
        assert sum(cents(lost)) == total and lost.count("<tr>") == (number + 1 if number else 0)
        assert ('id="held"' in page.text) == (who == 1)
        if who == 1:
            assert sum(cents(part(page, "held"))) == sum(amount for (amount,) in held)
    assert signed_in("ada").visit("/earnings/lost").status_code in (403, 404)
    assert signed_in("ana").visit("/admin/breakage").status_code == 403
