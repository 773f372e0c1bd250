"""Why this amount: every line of one's own opens down to the activations behind it; no other does."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, select

from portal.commissions import explained
from portal.extensions import db
from portal.kernel.ids import new_id
from portal.models import CommissionLine, Consultant, Customer, Pack, Person, Sale
from portal.store import perform
from tests.commissions.closed import closed
from tests.commissions.shared_sales import SHARES, offer, sell
from tests.html import Visitor
from tests.people import PASSWORD, add_consultant
from tests.shop import add_sale, reverse_sale

FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Source": "a"}


@pytest.fixture
def week(app, cast):
    """Ben and Cem sell below Ana, Eve below Ben; the week is closed. The ids of all lines by (who, kind)."""

    def write(uow):
        eve = add_consultant(uow, "Eve", sponsor=cast.ben, under=(cast.ben, "L"))
        sale = add_sale(uow, cast.ben, 400_00, revenue=3_000_00)
        add_sale(uow, cast.cem, 300_00, revenue=3_000_00)
        add_sale(uow, eve, 100_00, revenue=333_33)
        for name, seller in (("Carla Customer", cast.ben), ("Edgar Egg", eve)):
            person = Person(public_id=new_id(), name=name, email="c@example.com", created_at=uow.clock())
            uow.session.add(person)
            uow.session.flush()
            buyer = uow.session.scalars(select(Customer).where(Customer.consultant_id == seller)).first()
            buyer.person_id = person.id
        uow.session.flush()
        return eve, sale

    explained.let_go()
    with app.app_context():
        eve, _ = perform(write)
        rename(cast.ben, "Ben Brown")
        rename(eve, "Eve Evergreen")
        closed(cast.cycle, cast.ada, cast.fin)
        rows = db.session.execute(
            select(CommissionLine.consultant_id, CommissionLine.kind, CommissionLine.id)
        )
        found = {(who, kind): line_id for who, kind, line_id in rows}
        people = db.session.execute(select(Consultant.id, Consultant.public_id))
        return found, dict(people.all()), eve


def rename(consultant_id, name):
    def write(uow):
        uow.session.get_one(Consultant, consultant_id).person.name = name

    perform(write)


def phone(app, name):
    visitor = Visitor(app)
    visitor.sign_in(f"{name}@example.com", PASSWORD)
    return visitor


def test_a_statement_leads_to_the_sum_of_each_line(app, cast, week):
    lines, *_ = week
    ben = phone(app, "ben")
    with app.app_context():
        name = db.session.scalars(
            select(explained.Cycle.name).where(explained.Cycle.closed_at.is_not(None))
        ).one()

    ben.visit(f"/earnings/weeks/{name}")
    assert f'href="/earnings/lines/{lines[cast.ben, "retail"]}"' in ben.page.text
    ben.visit(f"/earnings/lines/{lines[cast.ben, 'retail']}")

    for words in ("$3,000.00 × 5% = $150.00", "Revenue of the sale $3,000.00", "Rate of your plan 5%"):
        assert words in ben.words
    assert "Carla Customer" in ben.words, "their own customer has a name"
    assert "Amount $150.00" in ben.words and "Test plan" in ben.words


def test_a_share_by_the_terms_of_a_service_names_them(app, cast, do):
    explained.let_go()
    do(sell, cast.ben, do(offer, "Volta", "charger", SHARES), revenue=200_00)
    with app.app_context():
        closed(cast.cycle, cast.ada, cast.fin)
        found = db.session.execute(select(CommissionLine.consultant_id, CommissionLine.id))
        lines = dict(found.all())
    ben, ana = phone(app, "ben"), phone(app, "ana")

    ben.visit(f"/earnings/lines/{lines[cast.ben]}")
    ana.visit(f"/earnings/lines/{lines[cast.ana]}")

    terms = "By the terms of Volta/Charger from Nov 1, 2026"
    assert f"{terms} consultant 5% of revenue $200.00" in ben.words
    assert f"{terms} level 1 above the seller 3% of revenue $200.00" in ana.words


def test_a_match_opens_both_legs_and_each_branch_down_to_the_sales(app, cast, week):
    lines, ids, eve = week
    ana = phone(app, "ana")

    ana.visit(f"/earnings/lines/{lines[cast.ana, 'binary']}")

    assert "300 volume matched × $1.00 × 10% = $30.00" in ana.words
    assert (
        "Carried over from before 0 New 500 Used for the match 300 Carries over to the next cycle 200"
        in ana.words
    )
    branch = f"/earnings/lines/{lines[cast.ana, 'binary']}/team/{ids[cast.ben]}"
    assert f'href="{branch}"' in ana.page.text
    ana.visit(branch)
    assert "Own sales of Ben Brown: 400 volume" in ana.words
    assert "A customer of Ben Brown" in ana.words, "Ana sponsors Ben"
    assert "Carla" not in ana.words, "nobody else's customer has a name"
    deeper = f"/earnings/lines/{lines[cast.ana, 'binary']}/team/{ids[eve]}"
    assert deeper in ana.page.text and "Eve E." in ana.words and "Evergreen" not in ana.words
    ana.visit(deeper)
    assert "A customer of Eve E." in ana.words and "Edgar" not in ana.words


def test_a_branch_opens_in_place(app, cast, week):
    lines, ids, _ = week
    ana = phone(app, "ana")

    answer = ana.client.get(
        f"/earnings/lines/{lines[cast.ana, 'binary']}/team/{ids[cast.ben]}", headers=FRAGMENT
    )

    assert answer.text.lstrip().startswith("<div") and "<html" not in answer.text
    assert f'id="inside-{ids[cast.ben]}"' in answer.text


def test_lines_of_others_do_not_exist(app, cast, week):
    lines, ids, eve = week
    ben, stranger = phone(app, "ben"), phone(app, "dia")

    for visitor in (ben, stranger):
        assert visitor.visit(f"/earnings/lines/{lines[cast.ana, 'binary']}").status_code == 404
    own = lines[cast.ben, "retail"]
    assert ben.visit(f"/earnings/lines/{own}/team/{ids[eve]}").status_code == 200
    for other in (cast.cem, cast.ana, cast.ben, cast.dia):
        assert ben.visit(f"/earnings/lines/{own}/team/{ids[other]}").status_code == 404
    assert ben.visit("/earnings/lines/999999999").status_code == 404


def test_a_plan_that_shows_one_level_opens_no_deeper_one(app, cast, week):
    lines, ids, eve = week
    with app.app_context():
        perform(lambda uow: setattr(uow.session.get_one(Pack, "plus"), "features", {"tree_levels": 1}))
    ana = phone(app, "ana")

    ana.visit(f"/earnings/lines/{lines[cast.ana, 'binary']}/team/{ids[cast.ben]}")
    assert "1 person further down" in ana.words and "Eve" not in ana.words
    assert ana.visit(f"/earnings/lines/{lines[cast.ana, 'binary']}/team/{ids[eve]}").status_code == 404


def test_a_line_of_an_open_or_previewed_week_is_no_consultant_s(app, cast, do):
    from portal.commissions import cycles
    from tests.commissions.closed import ZONE

    do(add_sale, cast.ben, 400_00, revenue=3_000_00)
    do(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True) and None)
    do(lambda uow: cycles.preview(uow, cycle_id=cast.cycle) and None)
    with app.app_context():
        line = db.session.scalars(select(CommissionLine.id).where(CommissionLine.kind == "retail")).one()

    assert phone(app, "ben").visit(f"/earnings/lines/{line}").status_code == 404


def test_projected_amounts_open_in_the_same_way(app, cast, do):
    explained.let_go()
    first = do(add_sale, cast.ben, 400_00, revenue=3_000_00)
    do(add_sale, cast.cem, 300_00, revenue=1_000_00)
    do(reverse_sale, first, volume=100_00, revenue=1_000_00)
    ana, ben = phone(app, "ana"), phone(app, "ben")

    ben.visit("/earnings/projected")
    assert "Projected this week: $100.00" in ben.words and "Projected, as of" in ben.words
    links = re.findall(r'href="(/earnings/projected/line/retail[^"]+)"', ben.page.text.replace("&amp;", "&"))
    assert len(links) == 2
    told = [(ben.visit(link), ben.words)[1] for link in links]
    assert "$3,000.00 × 5% = $150.00" in told[0]
    assert "$150.00 × $1,000.00 / $3,000.00 = $50.00" in told[1] and "taken back" in told[1]

    ana.visit("/earnings/projected/line/binary")
    assert "300 volume matched" in ana.words and "Projected, as of" in ana.words
    with app.app_context():
        public_id = db.session.get_one(Consultant, cast.ben).public_id
    ana.visit(f"/earnings/projected/team/{public_id}")
    assert "Own sales of Ben: 300 volume" in ana.words
    assert ben.visit("/earnings/projected/line/binary").status_code == 404


def test_the_second_page_about_a_run_computes_nothing_and_asks_little(app, cast, week, monkeypatch):
    lines, ids, _ = week
    ana = phone(app, "ana")
    calls = []
    real = explained.calculate
    monkeypatch.setattr(explained, "calculate", lambda inputs: calls.append(1) or real(inputs))
    statements = []

    ana.visit(f"/earnings/lines/{lines[cast.ana, 'binary']}")
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    ana.visit(f"/earnings/lines/{lines[cast.ana, 'binary']}/team/{ids[cast.ben]}")
    ana.visit(f"/earnings/lines/{lines[cast.ana, 'binary']}")

    assert len(calls) == 1
    assert len(statements) <= 24, statements
    assert not any("run.inputs" in statement for statement in statements)


def test_only_the_last_runs_are_held(app, cast, week, monkeypatch):
    monkeypatch.setattr(explained, "HELD_RUNS", 1)
    with app.app_context():
        run_ids = list(db.session.scalars(select(CommissionLine.run_id).distinct()))
        for run_id in [*run_ids, *run_ids]:
            assert explained.opened_run(db.session(), run_id).run_id == run_id
        assert len(explained._runs) == 1


def test_a_run_of_another_system_says_that_it_cannot_be_opened(app, cast, week):
    lines, *_ = week
    with app.app_context():
        from portal.models import Run

        perform(lambda uow: [setattr(run, "ids", None) for run in uow.session.query(Run)] and None)
    explained.let_go()
    ben = phone(app, "ben")

    ben.visit(f"/earnings/lines/{lines[cast.ben, 'retail']}")

    assert "This amount came from another system" in ben.words and "$150.00" in ben.words


def test_every_sale_of_the_week_is_found_by_opening(app, cast, week):
    """Following every link from a match reaches the volume of both legs, sale by sale."""
    lines, *_ = week
    ana = phone(app, "ana")
    start = f"/earnings/lines/{lines[cast.ana, 'binary']}"
    seen, todo, volume = set(), [start], 0
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        ana.visit(path)
        own = re.search(r"Own sales of .*?: ([\d,.]+) volume", ana.words)
        volume += int(own[1].replace(",", "")) if own else 0
        todo += re.findall(rf'href="({start}/team/[^"?]+)"', ana.page.text)

    with app.app_context():
        sold = sum(db.session.scalars(select(Sale.volume).where(Sale.consultant_id != cast.ana))) // 100
    assert volume == sold
