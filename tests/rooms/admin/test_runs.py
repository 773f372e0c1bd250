"""A run's page: where it came from, computed again by a button, downloaded and verified; every line opens."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select, update

from portal.commissions import explained
from portal.commissions.bundle_check import verify
from portal.extensions import db
from portal.models import Audit, Carry, CommissionLine, Consultant, Run
from portal.store import perform
from tests.commissions.closed import closed, previewed
from tests.html import Visitor
from tests.people import PASSWORD
from tests.shop import add_sale


@pytest.fixture
def run_id(app, cast):
    explained.let_go()
    with app.app_context():
        perform(lambda uow: add_sale(uow, cast.ben, 400_00, revenue=3_000_00))
        perform(lambda uow: add_sale(uow, cast.cem, 300_00, revenue=3_000_00))
        previewed(cast.cycle)
        return closed(cast.cycle, cast.ada, cast.fin)


@pytest.fixture
def ada(app, cast):
    laptop = Visitor(app)
    laptop.sign_in("ada@example.com", PASSWORD)
    return laptop


def test_a_run_says_how_long_its_preview_and_its_close_took_apart(ada, run_id):
    ada.visit(f"/admin/runs/{run_id}")

    told = ada.page.text.partition("How long each step took")[2].partition("</details>")[0]
    preview, _, close = told.partition(">Close</h3>")
    assert ">Preview</h3>" in preview and "Writing lines" in preview and "Crediting wallets" not in preview
    assert "Crediting wallets" in close and "Writing lines" not in close


def test_a_run_says_where_it_came_from(app, ada, run_id):
    ada.visit(f"/admin/runs/{run_id}")

    with app.app_context():
        run = db.session.get_one(Run, run_id)
        for hash_ in (run.input_hash, run.plan_sha256, run.output_hash, run.code_version):
            assert hash_ in ada.words
        others = list(db.session.scalars(select(Run.id).where(Run.id != run_id)))
    assert "Engine, still the same" in ada.words and "Test plan" in ada.words and "Stands" in ada.words
    assert others
    assert all(f'href="/admin/runs/{other}"' in ada.page.text for other in others), "all runs are listed"


def test_a_run_is_computed_again_by_a_button_and_the_finding_is_kept(app, ada, run_id):
    ada.visit(f"/admin/runs/{run_id}")
    assert ada.submit(f"/admin/runs/{run_id}/replay").status_code == 303
    ada.follow()
    assert "Computed again: everything is the same." in ada.words and "The same" in ada.words

    with app.app_context():
        changed = update(Carry).where(Carry.run_id == run_id).values(left=1)
        perform(lambda uow: uow.session.execute(changed) and None)
    ada.submit(f"/admin/runs/{run_id}/replay")
    ada.follow()

    assert "something differs" in ada.words and "left: kept 1, computed 10000" in ada.words
    with app.app_context():
        found = db.session.scalars(select(Audit).where(Audit.action == "run.compared")).all()
        assert [note.detail["same"] for note in found] == [True, False]


def test_the_bundle_of_a_run_is_verified(ada, run_id):
    answer = ada.client.get(f"/admin/runs/{run_id}/bundle.zip")

    assert answer.headers["Content-Disposition"].startswith("attachment; filename=canopy-")
    assert verify(io.BytesIO(answer.data)).manifest.run == run_id


def test_a_person_s_lines_open_down_to_the_sale_without_a_customer_s_name(app, cast, ada, run_id):
    with app.app_context():
        ids = dict(db.session.execute(select(Consultant.id, Consultant.public_id)).all())
        lines = select(CommissionLine.kind, CommissionLine.id).where(CommissionLine.run_id == run_id)
        own = dict(db.session.execute(lines.where(CommissionLine.consultant_id == cast.ana)).all())

    person = f"/admin/runs/{run_id}/people/{ids[cast.ana]}"
    ada.visit(person)
    assert f'href="{person}/lines/{own["binary"]}"' in ada.page.text
    ada.visit(f"{person}/lines/{own['binary']}")
    assert "300 volume matched × $1.00 × 10% = $30.00" in ada.words
    ada.visit(f"{person}/team/{ids[cast.ben]}")
    assert "A customer of Ben" in ada.words and "Contract contract-" in ada.words

    assert ada.visit(f"{person}/team/{ids[cast.dia]}").status_code == 404
    assert ada.visit(f"/admin/runs/{run_id}/people/{ids[cast.ben]}/lines/{own['binary']}").status_code == 404
    assert ada.visit("/admin/runs/999/people/nobody").status_code == 404


def test_a_run_without_inputs_can_neither_be_computed_nor_exported(app, cast, ada, run_id):
    with app.app_context():
        perform(lambda uow: setattr(uow.session.get_one(Run, run_id), "ids", None))
    ada.visit(f"/admin/runs/{run_id}")

    assert ada.submit(f"/admin/runs/{run_id}/replay").status_code == 409
    assert ada.visit(f"/admin/runs/{run_id}/bundle.zip").status_code == 409


def test_consultants_see_no_run(app, cast, run_id):
    ben = Visitor(app)
    ben.sign_in("ben@example.com", PASSWORD)

    for path in (f"/admin/runs/{run_id}", f"/admin/runs/{run_id}/bundle.zip"):
        assert ben.visit(path).status_code in (403, 404)
