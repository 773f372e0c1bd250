"""A program reads a list to its end while rows come and change: nothing twice, nothing left out.

`CANOPY_SOAK=20` reads 20,000 rows of each list.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from portal.models import CommissionLine, Consultant, Cycle, Lead, Person, Placement, Run, Sale
from tests.shop import add_sale

ROWS = 1_000 * int(os.environ.get("CANOPY_SOAK", "1"))
FIRST = 100_000


@pytest.fixture
def company(do, cast):
    """So many people in a chain below Cem, leads and sales of Ana, lines of two closes that Ana earned."""
    do(lambda uow: write(uow, cast, range(FIRST, FIRST + ROWS)))
    return cast


def write(uow, cast, numbers):
    """People, leads, sales and lines with these ids, settled long ago."""
    session, long_ago = uow.session, uow.clock() - timedelta(days=1)
    if not session.scalar(select(func.count()).select_from(Sale)):
        add_sale(uow, cast.ana, 1_00)
        add_closes(uow, cast)
        session.execute(update(Consultant).values(joined_at=long_ago))
    sale = session.scalars(select(Sale).limit(1)).unique().one()
    runs = session.scalars(select(Run.id).order_by(Run.id)).all()
    people = {"country": "US", "created_at": long_ago}
    names = [{"id": n, "public_id": f"p{n}", "name": f"P {n}", "email": f"{n}@example.com"} for n in numbers]
    joined = {"pack": "plus", "status": "active", "preference": "weaker", "joined_at": long_ago}
    kept = ("cycle_id", "contract_id", "terms_version_id", "milestone", "volume")
    sold = {name: getattr(sale, name) for name in kept}
    sold |= {name: getattr(sale, name) for name in ("revenue_cents", "occurred_at", "recorded_at")}
    lead = {"consultant_id": cast.ana, "stage": "new", "source": "api", "changed_at": long_ago}
    line = {"consultant_id": cast.ana, "kind": "binary", "amount_cents": 1, "base": 1, "level": 0}
    place = {"leg": "L", "valid_from": long_ago}
    up = {n: n - 1 if n > FIRST else cast.cem for n in numbers}
    for table, rows in (
        (Person, [each | people for each in names]),
        (Consultant, [joined | {"id": n, "public_id": f"c{n}", "code": f"K{n}", "person_id": n,
                                "sponsor_id": cast.cem} for n in numbers]),
        (Placement, [place | {"consultant_id": n, "parent_id": up[n]} for n in numbers]),
        (Lead, [lead | {"public_id": f"l{n}", "person_id": n, "created_at": long_ago} for n in numbers]),
        (Sale, [sold | {"public_id": f"s{n}", "consultant_id": cast.ana, "cause": f"s{n}"} for n in numbers]),
        (CommissionLine, [line | {"run_id": runs[n % 2]} for n in numbers]),
    ):  # fmt: skip
        session.execute(insert(table), rows)


def add_closes(uow, cast):
    """Two closed cycles with a run each."""
    week = uow.session.get_one(Cycle, cast.cycle)
    for number in (2, 1):
        starts = week.starts_at - timedelta(days=7 * number)
        past = Cycle(
            name=f"2026-W0{number}", starts_at=starts, until=starts + timedelta(days=7), state="closed",
            plan_version_id=week.plan_version_id, closed_at=starts + timedelta(days=8),
        )  # fmt: skip
        uow.session.add(past)
        uow.session.flush()
        run = Run(
            cycle_id=past.id, purpose="close", plan_version_id=week.plan_version_id, inputs=b"",
            input_hash="0" * 64, frozen_at=uow.clock(),
        )  # fmt: skip
        uow.session.add(run)
        uow.session.flush()
        past.close_run_id = run.id


def change(uow, cast, numbers):
    """Rows that were read and rows that were not are changed, and new ones come."""
    write(uow, cast, numbers)
    at = FIRST + numbers.start % 7
    some = range(at, FIRST + ROWS, 7)
    uow.session.execute(update(Lead).where(Lead.person_id.in_(some)).values(stage="contacted"))
    uow.session.execute(update(Person).where(Person.id.in_(some)).values(name=f"Q {at}"))
    uow.session.execute(update(Consultant).where(Consultant.id.in_(some)).values(status="suspended"))


def read(program, name, between):
    """The ids of a list, page by page, with the etags of pages that are asked for twice."""
    ids, after = [], ""
    while after is not None:
        asked = f"{name}?limit=100" + (f"&after={after}" if after else "")
        answer = program.get(asked)
        again = program.get(asked, **{"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        ids += [row["id"] for row in answer.json[name]]
        after = answer.json["next"]
        between()
    return ids


@pytest.mark.parametrize("name", ["members", "leads", "sales", "earnings"])
def test_what_stood_before_the_first_page_is_read_once_whatever_comes(app, program, do, company, name):
    ana, coming = program("Ana"), iter(range(FIRST + ROWS, FIRST + 2 * ROWS, 10))
    quiet = read(ana, name, lambda: None)
    changes = iter([True] * 8)

    def between():
        if next(changes, False):
            start = next(coming)
            do(lambda uow: change(uow, company, range(start, start + 10)) and None)

    found = read(ana, name, between)

    assert len(found) == len(set(found)) and ROWS <= len(quiet) <= len(found)
    assert [one for one in found if one in set(quiet)] == quiet
    if name != "earnings":
        assert found[: len(quiet)] == quiet and len(found) > len(quiet), "what came stands behind"


def test_a_page_that_changed_is_sent_again(program, do, company):
    ana = program("Ana")
    tags = {name: ana.get(name).headers["ETag"] for name in ("members", "leads")}
    do(lambda uow: change(uow, company, range(FIRST + ROWS, FIRST + ROWS + 1)) and None)

    for name, tag in tags.items():
        assert ana.get(name, **{"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("name", ["members", "leads"])
def test_nothing_is_read_past_a_row_that_is_not_settled(program, do, company, name):
    ana, middle = program("Ana"), FIRST + 50
    young = update(Lead).where(Lead.person_id == middle)
    do(lambda uow: uow.session.execute(young.values(created_at=uow.clock())) and None)
    young = update(Consultant).where(Consultant.id == middle)
    do(lambda uow: uow.session.execute(young.values(joined_at=uow.clock())) and None)

    page = ana.get(f"{name}?limit=100").json

    assert page["next"] is None and page[name][-1]["id"] in (f"c{middle - 1}", f"l{middle - 1}")
