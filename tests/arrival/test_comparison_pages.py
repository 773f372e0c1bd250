"""/admin/comparisons: upload, look, name kinds, settle, take away as a file."""

from __future__ import annotations

import csv
import io
import shutil

import pytest
from sqlalchemy import select

from jobs import comparisons as job
from portal.arrival.comparing import service
from portal.extensions import db
from portal.models import ComparedLine, Cycle
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


def compared(visitor, name, content):
    """Upload a file and let the job compare it; the address of the comparison."""
    upload(visitor, name, content)
    work_page = visitor.page.location
    work(visitor)
    visitor.visit(work_page)
    return visitor.follow().request.path


def work(visitor):
    """What the worker does."""
    with visitor.client.application.app_context():
        job.drain()


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
    address = compared(ada, name, companies.old_lines(lines))
    assert "Another carry or leg volume" in ada.words and "team bonus" in ada.words

    kinds = sorted({kind for _, kind in lines})
    named = {f"kind-{at}": "matching" if kind == "team bonus" else kind for at, kind in enumerate(kinds)}
    assert ada.submit(f"{address}/kinds", named).location.endswith("/work")
    assert (
        ada.visit(address).status_code == 303 and ada.visit(f"{address}/differences.csv").status_code == 409
    )
    work(ada)
    assert "2 differences" in (ada.visit(address) and ada.words)
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


def test_a_comparison_is_watched_without_a_script_and_says_why_it_could_not_be_made(ada, week, monkeypatch):
    name, ours = week
    monkeypatch.setattr(service, "READ_AT_ONCE", 10)
    assert upload(ada, name, companies.old_lines(ours) + b"\nA1,retail,a lot,x").status_code == 303
    work_page = ada.page.location
    page = ada.visit(work_page)
    assert '<noscript><meta http-equiv="refresh"' in page.text and "tick from:body" in page.text
    assert "Waiting for its turn" in ada.words and "You can leave this page" in ada.words
    assert "Being compared" in (ada.visit("/admin/comparisons") and ada.words)

    work(ada)
    assert "It could not be compared" in (ada.visit(work_page) and ada.words)
    assert f"line {len(ours) + 2}, amount" in ada.words
    assert "Could not be compared" in (ada.visit("/admin/comparisons") and ada.words)


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
    address = compared(ada, name, companies.old_lines(lines))
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
    address = compared(ada, name, companies.old_lines(lines))
    upload(ada, name, companies.old_lines(lines))
    paths = [address, f"{address}/{line_of(ada, binary)}", ada.page.location, "/admin/comparisons"]
    with served(house) as address, chromium() as browser:
        screen = Screen(browser)
        screen.context.add_cookies(cookies(house, address, "Ada"))
        assert [fault for path in paths for fault in look_at(screen, address, path)] == []
