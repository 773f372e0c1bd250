"""/admin/comparisons: upload, look, name kinds, settle, take away as a file."""

from __future__ import annotations

import csv
import io
import shutil

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.models import ComparedLine, Comparison, Cycle
from portal.store import perform
from tests.arrival import companies
from tests.browser import Screen, chromium, cookies, served
from tests.html import Visitor
from tests.people import PASSWORD, add_user
from tests.rooms.test_every_page_in_the_browser import look_at


@pytest.fixture
def house(previewed, tmp_path, make_app):
    """A company with a previewed week, admin Ada and Fin of finance."""
    app = make_app(companies.on_sqlite(shutil.copy(previewed, tmp_path / "week.sqlite")))
    with app.app_context():
        perform(lambda uow: add_user(uow, "Fin", role="finance") and None)
        db.session.rollback()
    return app


@pytest.fixture
def week(house):
    with house.app_context():
        cycle = db.session.scalars(select(Cycle).where(Cycle.state == "previewed")).one()
        return cycle.name, companies.ours_in(cycle.id)


@pytest.fixture
def ada(house):
    visitor = Visitor(house)
    visitor.sign_in("ada@example.com", PASSWORD)
    return visitor


def upload(visitor, name, content):
    visitor.visit("/admin/comparisons")
    data = {"cycle": name, "file": (io.BytesIO(content), "old.csv")}
    return visitor.submit("/admin/comparisons", data, content_type="multipart/form-data")


def changed(ours):
    """Their lines: one binary is another, a kind has a name of its own, somebody is not known."""
    binary = next(place for place in sorted(ours) if place[1] == "binary")
    lines = {
        (code, "team bonus" if kind == "matching" else kind): cents for (code, kind), cents in ours.items()
    }
    return binary, lines | {binary: ours[binary] - 7_31, ("X-99", "retail"): 5_00}


def test_a_file_is_compared_and_every_difference_opens_and_is_settled(ada, week):
    name, ours = week
    binary, lines = changed(ours)
    assert upload(ada, name, companies.old_lines(lines)).status_code == 303
    page = ada.follow()
    address = page.request.path
    assert "Another carry or leg volume" in ada.words and "team bonus" in ada.words

    kinds = sorted({kind for _, kind in lines})
    named = {f"kind-{at}": "matching" if kind == "team bonus" else kind for at, kind in enumerate(kinds)}
    ada.submit(f"{address}/kinds", named)
    ada.follow()
    assert "Compared again: 2 differences." in ada.words
    assert "1 difference," in (ada.visit(f"{address}?text={binary[0]}") and ada.words)
    assert "0 differences" in (ada.visit(f"{address}?state=settled") and ada.words)

    line = line_of(ada, binary)
    assert "At 10% theirs needs" in (ada.visit(f"{address}/{line}") and ada.words)
    assert ada.submit(f"{address}/{line}", {"note": ""}).status_code == 422
    ada.submit(f"{address}/{line}", {"note": "Theirs missed a sale."})
    assert "Theirs missed a sale." in (ada.follow() and ada.words)
    rows = list(csv.DictReader(io.StringIO(ada.visit(f"{address}/differences.csv").text)))
    assert {row["code"]: row["difference"] for row in rows} == {binary[0]: "7.31", "X-99": "-5.00"}
    assert {row["note"] for row in rows} == {"Theirs missed a sale.", ""}


def line_of(visitor, place):
    with visitor.client.application.app_context():
        wanted = select(ComparedLine.id).where(ComparedLine.code == place[0], ComparedLine.kind == place[1])
        return db.session.scalars(wanted).one()


def test_what_cannot_be_compared_is_said_at_the_field(ada, week):
    name, _ = week
    assert upload(ada, name, b"who,what\nA,b\n").status_code == 422
    assert "this column is missing" in ada.words
    assert upload(ada, "2020-W01", b"code,kind,amount\n").status_code == 422
    ada.visit("/admin/comparisons")
    assert ada.submit("/admin/comparisons", {"cycle": name}).status_code == 422
    assert "Please choose a file." in ada.words


def test_finance_may_look_and_changes_nothing(house, week, ada):
    name, ours = week
    _, lines = changed(ours)
    upload(ada, name, companies.old_lines(lines))
    address = ada.follow().request.path
    fin = Visitor(house)
    fin.sign_in("fin@example.com", PASSWORD)

    assert fin.visit(address).status_code == 200 and "Compare again" not in fin.words
    assert fin.submit(f"{address}/kinds", {}).status_code == 403
    assert upload(fin, name, b"").status_code == 403
    assert fin.visit("/admin/comparisons/nothing").status_code == 404
    assert fin.visit(f"{address}/999999").status_code == 404


@pytest.mark.browser
def test_the_pages_have_no_finding_a_complaint_or_a_sideways_scroll(house, week, ada):
    name, ours = week
    binary, lines = changed(ours)
    upload(ada, name, companies.old_lines(lines))
    with house.app_context():
        public_id = db.session.scalars(select(Comparison.public_id)).one()
    paths = [f"/admin/comparisons/{public_id}", f"/admin/comparisons/{public_id}/{line_of(ada, binary)}"]
    with served(house) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(house, address, "Ada"))
        assert [fault for path in paths for fault in look_at(screen, address, path)] == []
