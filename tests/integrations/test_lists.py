"""What a token reads: own rows alone, whole and in order, and not twice."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.models import Consultant, Lead
from portal.store import people
from tests.people import add_consultant
from tests.shop import add_sale

DANA = {"name": "Dana Reed", "email": "dana@example.com", "phone": "+13035550142", "state": "CO"}


def all_of(program, name, limit):
    rows, after = [], ""
    while after is not None:
        answer = program.get(f"{name}?limit={limit}" + (f"&after={after}" if after else "")).json
        rows, after = rows + answer[name], answer["next"]
    return rows


def test_a_consultant_reads_their_own_sales_and_the_company_all(program, do, cast):
    for seller, volume in ((cast.ana, 10_00), (cast.ben, 20_00), (cast.ben, 30_50), (cast.dia, 40_00)):
        do(add_sale, seller, volume, revenue=volume)

    assert [row["volume"] for row in all_of(program("Ben"), "sales", 1)] == ["20.00", "30.50"]
    assert len(all_of(program("Fin", "sales:read"), "sales", 3)) == 4


def test_sales_that_come_between_two_pages_are_read_once(program, do, cast):
    ben = program("Ben")
    for _ in range(4):
        do(add_sale, cast.ben, 10_00)
    first = ben.get("sales?limit=2").json
    do(add_sale, cast.ben, 99_00)
    second = ben.get(f"sales?limit=2&after={first['next']}").json
    third = ben.get(f"sales?limit=2&after={second['next']}").json

    ids = [row["id"] for page in (first, second, third) for row in page["sales"]]
    assert len(ids) == len(set(ids)) == 5
    assert (third["sales"][-1]["volume"], third["next"]) == ("99.00", None)


@pytest.mark.parametrize("wrong", ["limit=0", "limit=201", "limit=x", "limit=", "after=%00", "after="])
def test_a_page_that_cannot_be_asked_for_is_refused(program, wrong):
    answer = program("Ben").get(f"sales?{wrong}")

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == wrong.partition("=")[0]


@pytest.mark.parametrize("name", ["sales", "leads", "members", "earnings"])
def test_a_place_that_is_none_is_not_found(program, name):
    assert program("Ben").get(f"{name}?after=mfrggzdfmztwq2lknnwg").status_code == 404


def test_a_page_that_did_not_change_is_not_sent_again(program, do, cast):
    ben = program("Ben")
    tag = ben.get("sales").headers["ETag"]
    again = ben.get("sales", **{"If-None-Match": tag})
    do(add_sale, cast.ben, 10_00)

    assert (again.status_code, again.data) == (304, b"")
    assert ben.get("sales", **{"If-None-Match": tag}).status_code == 200


def test_a_consultant_reads_their_team_by_the_names_of_the_tree(program, do, cast):
    do(add_consultant, "Eve", sponsor=cast.ben, under=(cast.ben, "L"))
    do(rename, "Eve", "Eve Winter")
    do(settle_members)

    rows = {row["name"]: row for row in program("Ana").get("members").json["members"]}

    assert set(rows) == {"Ben", "Cem", "Eve W."}
    assert (rows["Ben"]["side"], rows["Ben"]["level"], rows["Eve W."]["level"]) == ("left", 1, 2)
    assert rows["Eve W."]["email"] is None and rows["Eve W."]["code"] is None
    assert rows["Ben"]["email"] == "ben@example.com" and rows["Ben"]["sponsored_by_me"]
    assert [row["name"] for row in program("Ben").get("members").json["members"]] == ["Eve Winter"]


def test_a_plan_that_shows_one_level_shows_one_level_here_too(program, do, cast):
    from portal.models import Pack

    do(add_consultant, "Eve", sponsor=cast.ben, under=(cast.ben, "L"))
    do(settle_members)
    do(lambda uow: uow.session.get_one(Pack, "plus").features.update(tree_levels=1))
    do(lambda uow: setattr(uow.session.get_one(Pack, "plus"), "features", {"tree_levels": 1}))

    assert len(program("Ana").get("members").json["members"]) == 2


def test_the_company_reads_everybody(program, do, cast):
    do(settle_members)

    assert len(all_of(program("Ada"), "members", 2)) == 4


def test_a_lead_of_somebody_else_is_not_there(program, let_time_pass):
    ben, ana = program("Ben"), program("Ana")
    lead = ben.send("leads", DANA).json
    let_time_pass()

    assert ana.get(f"leads/{lead['id']}").status_code == 404
    assert ana.get("leads").json["leads"] == []
    assert ben.get(f"leads/{lead['id']}").json["name"] == lead["name"]
    assert [row["id"] for row in ben.get("leads").json["leads"]] == [lead["id"]]
    assert [row["id"] for row in program("Ada").get("leads").json["leads"]] == [lead["id"]]
    tag = ben.get(f"leads/{lead['id']}").headers["ETag"]
    assert ben.get(f"leads/{lead['id']}", **{"If-None-Match": tag}).status_code == 304


def test_who_must_not_be_contacted_is_shown_without_a_way_to_do_it(program, do, let_time_pass):
    ben = program("Ben")
    lead = ben.send("leads", DANA).json

    def stop(uow):
        person = uow.session.scalars(select(Lead)).unique().one().person
        people.stop_person(uow, person, reason="asked", asked_by=None)

    do(stop)
    shown = ben.get(f"leads/{lead['id']}").json

    assert (shown["email"], shown["phone"], shown["do_not_contact_by"]) == (None, None, ["email", "phone"])


def test_a_lead_is_taken_once_for_its_key(program, app):
    ben = program("Ben")
    first, again = ben.send("leads", DANA), ben.send("leads", DANA)
    other = ben.send("leads", {**DANA, "name": "Somebody"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json == again.json
    assert first.json["source_name"] == "a test"
    assert program("Ana").send("leads", DANA).status_code == 201
    with app.app_context():
        assert db.session.query(Lead).count() == 2


def test_a_lead_of_the_company_waits_for_a_consultant(program, app):
    program("Ada").send("leads", DANA)

    with app.app_context():
        assert db.session.scalars(select(Lead)).unique().one().consultant_id is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " Dana"}, "name"),
        ({"name": "Da\u0000na"}, "name"),
        ({"name": 7}, "name"),
        ({"email": "dana"}, "email"),
        ({"phone": "303555014"}, "phone"),
        ({"state": "XX"}, "state"),
        ({"consultant_id": 1}, "consultant_id"),
        ({"stage": "won"}, "stage"),
    ],
)
def test_what_a_lead_may_not_say_is_refused_by_field(program, change, field):
    answer = program("Ben").send("leads", {**DANA, **change})

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == field


def test_a_lead_needs_a_key_a_way_to_reach_it_and_plain_json(program):
    ben = program("Ben")

    assert ben.send("leads", DANA, key="").json["errors"][0]["field"] == "Idempotency-Key"
    assert ben.send("leads", {"name": "Dana"}).json["errors"][0]["field"] == "email"
    assert ben.send("leads", [1]).status_code == 422
    assert ben.send("leads", {**DANA, "note": "x" * 30_000}).status_code == 413
    assert ben.send("leads", DANA, **{"Content-Type": "text/plain"}).status_code == 415
    assert ben.send("leads", {**DANA, "service": "nothing"}).status_code == 404


def rename(uow, name, to):
    found = uow.session.scalars(select(Consultant)).all()
    next(one for one in found if one.person.name == name).person.name = to


def settle_members(uow):
    from datetime import timedelta

    for one in uow.session.scalars(select(Consultant)):
        one.joined_at = uow.clock() - timedelta(minutes=1)


def test_earnings_of_closed_cycles_are_read_line_by_line(app, program, do, cast):
    from tests.commissions.closed import closed

    for seller in (cast.ben, cast.cem, cast.ben):
        do(add_sale, seller, 100_00, revenue=200_00)
    with app.app_context():
        closed(cast.cycle, user_ids(do)["ada@example.com"], user_ids(do)["fin@example.com"])
        db.session.rollback()

    assert all_of(program("Ben"), "earnings", 1) == []
    do(let_the_time_to_undo_pass)
    ben, ana = all_of(program("Ben"), "earnings", 1), all_of(program("Ana"), "earnings", 1)
    everything = all_of(program("Fin"), "earnings", 2)

    assert [(row["kind"], row["amount"], row["currency"]) for row in ben] == [("retail", "10.00", "USD")] * 2
    assert len({row["consultant"] for row in ana}) == 1 and "binary" in {row["kind"] for row in ana}
    assert len(everything) >= len(ben) + len(ana)
    assert {row["id"] for row in ben + ana} <= {row["id"] for row in everything}
    assert program("Ben").get(f"earnings?after={ben[0]['id']}").json["earnings"] == ben[1:]
    assert program("Ben").get(f"earnings?after={ana[0]['id']}").status_code == 404


def user_ids(do):
    from portal.models import AccountUser

    return dict(do(lambda uow: uow.session.execute(select(AccountUser.email, AccountUser.id)).all()))


def let_the_time_to_undo_pass(uow):
    from portal.models import Cycle

    for cycle in uow.session.query(Cycle).filter(Cycle.undo_until.is_not(None)):
        cycle.undo_until = uow.clock()
