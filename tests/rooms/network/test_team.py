"""/team: the tree around one person, and who may see whom."""

from __future__ import annotations

import re

import pytest

from portal.members.team import viewer_for
from portal.models import Consultant, Pack
from portal.store import perform
from tests.people import add_consultant
from tests.shop import add_sale

FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Source": "a"}


@pytest.fixture
def ana(signed_in):
    return signed_in("Ana")


def grow(app, *rows):
    """Places people: (name, sponsor, parent, leg); a parent may be the name of somebody placed before."""

    def write(uow):
        known = {}
        for name, sponsor, parent, leg in rows:
            parent = known.get(parent, parent)
            known[name] = add_consultant(uow, name, sponsor=known.get(sponsor, sponsor), under=(parent, leg))
        return known

    with app.app_context():
        return perform(write)


def address(app, consultant_id):
    with app.app_context():
        return perform(lambda uow: f"/team/{uow.session.get_one(Consultant, consultant_id).public_id}")


def rename(app, consultant_id, name):
    def write(uow):
        uow.session.get_one(Consultant, consultant_id).person.name = name

    with app.app_context():
        perform(write)


def test_the_tree_shows_both_legs_with_volume_and_people(app, cast, ana, project):
    grow(app, ("Eve", cast.ben, cast.ben, "L"))
    with app.app_context():
        perform(lambda uow: add_sale(uow, cast.ben, 100_000))
    project()

    ana.visit("/team")

    assert "Left 1,000 2 people Right 0 1 person" in ana.words
    assert re.search(r"Ben Left ?active 0 1 below", ana.words)
    assert "Eve 0 0 below" in ana.words
    assert ana.words.count("Open spot") == 3


def test_four_generations_are_in_the_page_and_no_fifth(app, cast, ana):
    chain = [("C2", cast.ben, cast.ben, "L"), ("C3", cast.ben, "C2", "L"), ("C4", cast.ben, "C3", "L")]
    found = grow(app, *chain)

    ana.visit("/team")

    assert "C3" in ana.words
    assert "C4" not in ana.words
    ana.visit(address(app, found["C2"]))
    assert "C4" in ana.words


def test_beyond_one_s_own_people_a_name_is_cut_to_its_initial(app, cast, ana):
    people = grow(app, ("Own", cast.ana, cast.ben, "L"), ("Other", cast.ben, cast.ben, "R"))
    rename(app, people["Own"], "Olive Green")
    rename(app, people["Other"], "Oscar Black")

    ana.visit("/team")

    assert "Olive Green" in ana.words
    assert "Oscar B." in ana.words
    assert "Black" not in ana.page.text
    ana.visit(address(app, people["Other"]))
    assert "Black" not in ana.page.text
    assert "other@example.com" not in ana.page.text
    ana.visit(address(app, people["Own"]))
    assert "mailto:own@example.com" in ana.page.text


def test_nobody_sees_above_or_beside(app, cast, signed_in):
    ben = signed_in("Ben")

    assert ben.visit(address(app, cast.ben)).status_code == 200
    for other in (cast.ana, cast.cem, cast.dia):
        assert ben.visit(address(app, other)).status_code == 404
        assert ben.visit(address(app, other) + "/bottom/left").status_code == 404
    assert ben.visit("/team/nobodyofthatnamehere").status_code == 404


def test_the_sponsor_above_is_not_named(app, cast, signed_in):
    ben = signed_in("Ben")

    ben.visit("/team")

    assert "Ana" not in ben.words


def test_the_path_leads_back_and_hides_its_middle(app, cast, ana):
    rows = [("P1", cast.ben, cast.ben, "L")]
    rows += [(f"P{number}", cast.ben, f"P{number - 1}", "L") for number in range(2, 9)]
    people = grow(app, *rows)

    page = ana.visit(address(app, people["P8"]))

    path = re.search(r'aria-label="Path to this person">(.*?)</nav>', page.text, re.S)[1]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", path)).strip()
    assert words.startswith("You L Left: Ben 6 more")
    assert words.endswith("L Left: P7 L Left: P8")
    assert f'href="{address(app, cast.ana)}"' in path


def test_a_tap_swaps_the_tree_and_moves_the_focus(app, cast, ana):
    fragment = ana.visit(address(app, cast.ben), headers=FRAGMENT)

    assert fragment.text.lstrip().startswith('<div id="tree"')
    assert "data-focus" in fragment.text
    assert (
        "data-focus"
        not in ana.visit(address(app, cast.ben), headers=FRAGMENT | {"HX-Source": "div#tree"}).text
    )


def test_the_bottom_of_a_leg_is_one_step_away(app, cast, ana):
    people = grow(
        app, ("D1", cast.ben, cast.ben, "L"), ("D2", cast.ben, "D1", "L"), ("D3", cast.ben, "D2", "R")
    )

    ana.visit(address(app, cast.ana) + "/bottom/left")

    assert ana.page.location == address(app, people["D2"])


def test_a_leg_of_five_thousand_is_no_burden(sqlite_app):
    from portal.extensions import db
    from portal.models import Person, Placement
    from portal.network import queries
    from tests.people import invite_cast

    cast = invite_cast(sqlite_app)

    def write(uow):
        parent, now = cast.ben, uow.clock()
        first = 10_000
        rows = range(first, first + 5_000)
        uow.session.execute(
            Person.__table__.insert(),
            [
                {
                    "id": n,
                    "public_id": f"p{n}",
                    "name": f"Deep {n}",
                    "email": f"{n}@example.com",
                    "created_at": now,
                }
                for n in rows
            ],
        )
        uow.session.execute(
            Consultant.__table__.insert(),
            [
                {
                    "id": n, "public_id": f"c{n}", "code": f"K{n}", "person_id": n, "sponsor_id": parent,
                    "pack": "plus", "status": "active", "preference": "weaker", "joined_at": now,
                }
                for n in rows
            ],
        )  # fmt: skip
        uow.session.execute(
            Placement.__table__.insert(),
            [
                {
                    "consultant_id": n,
                    "parent_id": n - 1 if n > first else parent,
                    "leg": "L",
                    "valid_from": now,
                    "valid_until": None,
                }
                for n in rows
            ],
        )

    with sqlite_app.app_context():
        perform(write)
        session = db.session()
        person_id = session.get_one(Consultant, cast.ana).person_id
        viewer = viewer_for(session, person_id)
        focus, path = queries.person_below(session, viewer, "c14999")

    assert (focus.id, path.depth, path.more, len(path.between)) == (14_999, 5_001, 4_998, 40)


@pytest.mark.parametrize(
    ("levels", "seen"), [(0, []), (1, ["Ben"]), (2, ["Ben", "Low"]), (None, ["Ben", "Low", "Deep"])]
)
def test_a_pack_may_end_the_view(app, cast, ana, levels, seen):
    people = grow(app, ("Low", cast.ana, cast.ben, "L"), ("Deep", cast.ana, "Low", "L"))

    def limit(uow):
        uow.session.get_one(Pack, "plus").features = {"tree_levels": levels}

    with app.app_context():
        perform(limit)

    ana.visit("/team")

    names = {"Ben": cast.ben, **people}
    opened = [name for name, found in names.items() if ana.visit(address(app, found)).status_code == 200]
    assert opened == seen


def test_who_sees_no_tree_sees_whom_they_sponsored(app, cast, ana):
    with app.app_context():
        perform(lambda uow: setattr(uow.session.get_one(Pack, "plus"), "features", {"tree_levels": 0}))

    ana.visit("/team")

    assert "People you sponsored C Cem" in ana.words
    assert "Open spot" not in ana.words
