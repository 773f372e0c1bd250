"""Everybody of a week beside the week before: the table, the files, one person, what is behind figures."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import event, select

from jobs import books
from portal.extensions import db
from portal.kernel.ids import new_id
from portal.models import Consultant, Cycle
from tests.rooms.admin.cycle_steps import closed, ended, previewed
from tests.shop import add_sale


def test_one_person_sees_every_line_with_base_and_rate(app, cast, week, signed_in, work):
    ada = signed_in("ada")
    previewed(ada, work, week)
    with app.app_context():
        ana = db.session.get_one(Consultant, cast.ana).public_id

    assert ada.visit(f"/admin/cycles/{week}/people/{ana}").status_code == 200
    assert "Weaker-leg match 300 × 10% $30.00" in ada.words
    assert "400 × 4% $16.00" in ada.words and "Total $58.00" in ada.words
    assert ada.visit(f"/admin/cycles/{week}/people/{new_id()}").status_code == 404


def test_the_csv_holds_every_line_and_no_formula(app, cast, week, signed_in, work):
    with app.app_context():
        ben = db.session.get_one(Consultant, cast.ben).person
        ben.name = '=HYPERLINK("x")'
        db.session.commit()
    ada = signed_in("ada")
    previewed(ada, work, week)

    answer = ada.visit(f"/admin/cycles/{week}/lines.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.mimetype == "text/csv"
    assert sum(int(row["amount"].replace(".", "")) for row in rows) == 358_00
    assert {row["name"][0] for row in rows if "HYPERLINK" in row["name"]} == {"'"}
    assert {row["rate"] for row in rows if row["kind"] == "binary"} == {"0.1000"}


@pytest.fixture
def second(app, cast, do, signed_in, work, week):
    """The week after: Dia sells, nobody else does; its name."""
    closed(signed_in, work, week)
    do(add_sale, cast.dia, 500_00, revenue=8_000_00)
    with app.app_context():
        open_id = db.session.scalar(select(Cycle.id).where(Cycle.state == "open"))
    name = ended(app, do, open_id)
    previewed(signed_in("ada"), work, name)
    return name


def test_everybody_stands_beside_the_week_before_the_biggest_difference_first(second, week, signed_in):
    fin = signed_in("fin")
    fin.visit(f"/admin/cycles/{second}/people")

    assert f"Name Why {week} {second} Difference" in fin.words
    order = [fin.words.index(name) for name in ("Dia ", "Ben ", "Cem ", "Ana ")]
    assert order == sorted(order)
    assert "More own sales $0.00 $400.00 +$400.00" in fin.words
    assert "Sum of all 4 $358.00 $400.00 +$42.00" in fin.words


def test_people_are_found_by_the_beginning_of_a_word_or_by_code(app, cast, second, signed_in):
    fin = signed_in("fin")
    with app.app_context():
        cem = db.session.get_one(Consultant, cast.cem)
        cem.person.name, code = "Cem Ortiz", cem.code
        db.session.commit()

    for written in ("cem", "ce", "or", "  CEM  ", code.lower()):
        fin.visit(f"/admin/cycles/{second}/people", query_string={"name": written})
        assert "1 person" in fin.words and "Cem Ortiz" in fin.words, written
    for written in ("em", "%", "_em", "tiz"):
        fin.visit(f"/admin/cycles/{second}/people", query_string={"name": written})
        assert "Nobody fits" in fin.words, written
    fin.visit(f"/admin/cycles/{second}/people", query_string={"only": "paid"})
    assert "1 person" in fin.words and "Dia" in fin.words


def test_pages_of_people_hold_each_of_them_once(second, signed_in, monkeypatch):
    monkeypatch.setattr("portal.admin.cycles.people.ROWS_A_PAGE", 3)
    fin = signed_in("fin")

    first = fin.visit(f"/admin/cycles/{second}/people?order=pay").text
    assert "Page 1 of 2" in fin.words and "order=pay" in first and "page=2" in first
    other = fin.visit(f"/admin/cycles/{second}/people?order=pay&page=2").text
    assert sum(text.count("/people/") for text in (first, other)) == 4
    fin.visit(f"/admin/cycles/{second}/people?page=99999999")
    assert "Nobody fits" in fin.words


def test_the_file_of_people_gives_the_difference_and_the_reason_in_words(second, signed_in):
    answer = signed_in("fin").visit(f"/admin/cycles/{second}/people.csv")
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(answer.text))}

    assert len(rows) == 4
    assert (rows["Ben"]["before"], rows["Ben"]["now"], rows["Ben"]["change"]) == ("150.00", "0.00", "-150.00")
    assert rows["Dia"]["reason"] == "More own sales"


def test_each_of_the_four_numbers_opens_into_what_is_behind_it(second, week, signed_in):
    fin = signed_in("fin")
    page = fin.visit(f"/admin/cycles/{second}").text

    for behind in ("people?order=pay", "people?only=paid", "revenue", "legs"):
        assert f'href="/admin/cycles/{second}/{behind}"' in page, behind
    fin.visit(f"/admin/cycles/{second}/revenue")
    assert "Solar roof SunPath 1 500 $8,000.00" in fin.words
    assert "Paid ÷ revenue = 5%" in fin.words and f"{week} $358.00 5.96%" in fin.words
    fin.visit(f"/admin/cycles/{second}/legs")
    assert "Carried in from the cycle before 100 New in this cycle 0" in fin.words
    assert fin.words.count("Together 100") == 2 and "Ana" in fin.words


def test_a_cycle_without_a_run_has_nothing_behind_it(week, signed_in):
    fin = signed_in("fin")

    for path in ("people", "people.csv", "revenue", "legs", "checks/vendors", "checks/nonsense"):
        assert fin.visit(f"/admin/cycles/{week}/{path}").status_code == 404, path


def first_of(app):
    with app.app_context():
        return db.session.scalars(select(Cycle.name).order_by(Cycle.starts_at)).first()


def statements(app, visitor, path):
    """How many statements a page runs once it was seen; the books were looked at a moment ago."""
    counted = []
    with app.app_context():
        books.check()
        engine = db.engine
    visitor.visit(path)

    def note(_connection, _cursor, statement, *_rest):
        counted.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        visitor.visit(path)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(counted)


def test_the_pages_of_a_cycle_ask_for_nothing_twice(app, second, signed_in):
    ada = signed_in("ada")

    assert statements(app, ada, f"/admin/cycles/{second}/people") <= 12
    assert statements(app, ada, f"/admin/cycles/{second}") <= 13, "under review, with all its checks"
    assert statements(app, ada, f"/admin/cycles/{first_of(app)}") <= 12, "closed"
