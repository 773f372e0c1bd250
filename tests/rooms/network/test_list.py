"""The team as a list: who is in it, found, in order, fifty a page, as a file, and on an earlier day."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import event

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Consultant, Pack, Person, Placement
from portal.network import listed
from portal.network.teams import depths
from tests.people import add_consultant
from tests.shop import add_sale

PATH = "/team/list"


@pytest.fixture(params=["by recursion", "in memory"], autouse=True)
def way(request, monkeypatch):
    """Small teams are asked for by recursion, large ones read at once: both have to say the same."""
    if request.param == "in memory":
        monkeypatch.setattr(listed, "MOST_BY_RECURSION", 0)


@pytest.fixture
def team(cast, do):
    """Eve Stone and Fay stand below Ben, Gus below Cem; Ben sold something. Dia stands elsewhere."""
    eve = do(add_consultant, "Eve", sponsor=cast.ben, under=(cast.ben, "L"))
    fay = do(add_consultant, "Fay", sponsor=cast.ana, under=(eve, "R"))
    gus = do(add_consultant, "Gus", sponsor=cast.cem, under=(cast.cem, "L"))
    do(lambda uow: setattr(person(uow, eve), "name", "Eve Stone"))
    do(lambda uow: setattr(person(uow, fay), "name", "Fay Woods"))
    do(lambda uow: add_sale(uow, fay, 120_00))
    return eve, fay, gus


def person(uow, consultant_id):
    return uow.session.get_one(Person, uow.session.get_one(Consultant, consultant_id).person_id)


def limited(do, levels):
    """Ana's plan shows her this many levels."""

    def write(uow):
        pack = uow.session.get_one(Pack, "plus")
        pack.features = pack.features | {"tree_levels": levels}

    do(write)


def names(visitor, query=""):
    """The names in the list, in their order."""
    page = visitor.visit(f"{PATH}{query}").text
    return [name.strip() for name in re.findall(r'<th scope="row"><span>(?:<a[^>]*>)?([^<]+)', page)]


def test_everybody_below_is_listed_with_leg_level_and_legs(cast, team, signed_in):
    ana = signed_in("Ana")

    assert names(ana) == ["Gus", "Fay Woods", "Eve S.", "Cem", "Ben"]
    assert "5 people" in ana.words and "Dia" not in ana.words
    assert "Fay Woods sponsored by you Left, level 3 Consultant Plus+" in ana.words
    assert "Eve S. Left, level 2 Consultant Plus+" in ana.words and "0 120" in ana.words
    assert names(signed_in("Cem")) == ["Gus"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?order=oldest", ["Ben", "Cem", "Eve S.", "Fay Woods", "Gus"]),
        ("?order=name", ["Ben", "Cem", "Eve S.", "Fay Woods", "Gus"]),
        ("?order=near", ["Ben", "Cem", "Eve S.", "Gus", "Fay Woods"]),
        ("?side=right", ["Gus", "Cem"]),
        ("?own=1", ["Fay Woods", "Cem", "Ben"]),
        ("?name=fay", ["Fay Woods"]),
        ("?name=woods", ["Fay Woods"]),
        ("?name=eve+s", ["Eve S."]),
        ("?name=Eve+S.", ["Eve S."]),
        ("?name=%25", []),
        ("?order=nonsense&side=up&page=-1", ["Gus", "Fay Woods", "Eve S.", "Cem", "Ben"]),
    ],
)
def test_the_list_is_searched_and_sorted(team, signed_in, query, found):
    assert names(signed_in("Ana"), query) == found


@pytest.mark.parametrize("query", ["?name=stone", "?name=eve+st", "?name=eve+stone"])
def test_a_name_that_is_not_shown_is_not_searched(team, signed_in, query):
    """Eve is Ben's: he sees her whole name, Ana sees `Eve S.` and cannot guess the rest letter by letter."""
    assert names(signed_in("Ana"), query) == []
    assert names(signed_in("Ben"), query) == ["Eve Stone"]


def test_fifty_stand_on_a_page_and_a_page_costs_the_same_for_many(app, cast, team, signed_in, do):
    ana, statements = signed_in("Ana"), []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    counts = []
    for more in (0, 60):
        do(lambda uow, more=more: many(uow, cast.dia, more))
        do(lambda uow: adopt(uow, cast))
        ana.visit(PATH)
        statements.clear()
        ana.visit(PATH)
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 12, statements
    assert len(names(ana)) == 50 and "Page 1 of 2" in ana.words
    assert len(names(ana, "?page=2")) == 16
    assert ana.visit(f"{PATH}?order=name&page=3").location == f"{PATH}?order=name"


def many(uow, top, number):
    for each in range(number):
        top = add_consultant(uow, f"P{each}", sponsor=top, under=(top, "L"))


def adopt(uow, cast):
    """Dia and everybody below come to stand below Cem."""
    place = uow.session.query(Placement).filter_by(consultant_id=cast.dia, valid_until=None).one()
    if place.parent_id is not None:
        return
    place.valid_until = now = uow.clock()
    uow.session.flush()
    uow.session.add(Placement(consultant_id=cast.dia, parent_id=cast.cem, leg="R", valid_from=now))


def test_a_plan_with_few_levels_lists_those_and_gives_no_file(cast, team, signed_in, do):
    limited(do, 2)
    ana = signed_in("Ana")

    assert names(ana) == ["Gus", "Eve S.", "Cem", "Ben"]
    assert "CSV of all" not in ana.words
    assert ana.visit(f"{PATH}.csv").status_code == 404


def test_a_plan_without_the_tree_lists_whom_one_sponsored(cast, team, signed_in, do):
    limited(do, 0)
    ana = signed_in("Ana")

    assert names(ana) == ["Fay Woods", "Cem", "Ben"]
    assert "outside your tree" in ana.words and "/team/" + "x" not in ana.page.text
    assert names(ana, "?name=woods") == ["Fay Woods"]


def test_the_file_has_everybody_as_shown_and_nothing_a_spreadsheet_would_run(cast, team, signed_in, do):
    do(lambda uow: setattr(person(uow, team[1]), "name", "=1+1 Woods"))
    page = signed_in("Ana").visit(f"{PATH}.csv?order=oldest")
    rows = list(csv.DictReader(io.StringIO(page.text)))

    assert [row["Name"] for row in rows] == ["Ben", "Cem", "Eve S.", "'=1+1 Woods", "Gus"]
    assert [(row["Leg"], row["Level"]) for row in rows][:3] == [("left", "1"), ("right", "1"), ("left", "2")]
    assert rows[2]["Right volume"] == "120" and rows[0]["Plan"] == "Consultant Plus+"
    assert len(list(csv.reader(io.StringIO(signed_in("Ana").visit(f"{PATH}.csv?side=right").text)))) == 3


def test_on_an_earlier_day_it_lists_who_was_there_and_still_is(cast, team, signed_in, do):
    day = (utc_now() - timedelta(days=5)).date()

    def date_back(uow):
        for place in uow.session.query(Placement):
            late = place.consultant_id == team[1]
            place.valid_from = utc_now() - timedelta(days=2 if late else 20)

    do(date_back)
    ana = signed_in("Ana")

    assert names(ana, f"?on={day}&order=oldest") == ["Ben", "Cem", "Eve S.", "Gus"]
    assert "Your team as it was on" in ana.words
    assert f"/team/list.csv?order=oldest&amp;on={day}" in ana.page.text
    assert f'href="/team?on={day}"' in ana.page.text, "the tree of the same day is beside it"
    assert names(ana, f"?on={day - timedelta(days=30)}") == []


@pytest.mark.parametrize("shape", ["chain", "bush", "forest"])
def test_depths_are_counted_as_one_walks_up(shape):
    parents = {
        "chain": [*range(1, 1_000), -1],
        "bush": [-1, *((n - 1) // 2 for n in range(1, 1_000))],
        "forest": [-1 if n % 7 == 0 else n - 1 - n % 2 for n in range(1_000)],
    }[shape]

    def walked(member):
        steps = 0
        while parents[member] >= 0:
            member, steps = parents[member], steps + 1
        return steps

    assert depths(np.array(parents)).tolist() == [walked(member) for member in range(1_000)]


def test_tree_and_list_lead_to_each_other(cast, team, signed_in):
    ana = signed_in("Ana")
    assert 'href="/team/list"' in ana.visit("/team").text
    assert 'href="/team"' in ana.visit(PATH).text
    assert signed_in("Fin").visit(PATH).status_code in (403, 404)
