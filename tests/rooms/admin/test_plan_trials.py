"""The pages of a trial: asked for, on its way without a script, what it came to, cancelled."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from jobs import trials as job
from portal.extensions import db
from portal.models import PlanDraft, Trial
from tests.commissions.five_weeks import close_five, drafted
from tests.html import Visitor
from tests.people import PASSWORD


@pytest.fixture
def closed(sqlite_app):
    return close_five(sqlite_app)


@pytest.fixture
def ada(sqlite_app, closed):
    laptop = Visitor(sqlite_app)
    laptop.sign_in("ada@example.com", PASSWORD)
    return laptop


@pytest.fixture
def new_draft(sqlite_app, closed):
    """Writes a draft; its address."""

    def write(**changed):
        with sqlite_app.app_context():
            public_id = db.session.get_one(PlanDraft, drafted(closed, **changed)).public_id
        return f"/admin/plans/drafts/{public_id}"

    return write


@pytest.fixture
def draft(new_draft):
    return new_draft(direct={"rate": {}}, unilevel={"rates": []}, retail={"rate": {"plus": "0.06"}})


@pytest.fixture
def work(sqlite_app):
    def run():
        with sqlite_app.app_context():
            job.drain()

    return run


def asked(visitor, draft):
    page = visitor.visit(f"{draft}/try")
    names = [part.split('"')[0] for part in page.text.split('<option value="')[1:]]
    visitor.submit(f"{draft}/try", {"first": names[-1], "last": names[0]})
    return visitor.page.location


def test_a_trial_is_watched_without_a_script_and_opens_into_people(ada, draft, work):
    trial = asked(ada, draft)
    page = ada.visit(trial)
    assert '<noscript><meta http-equiv="refresh"' in page.text and "tick from:body" in page.text
    assert "Waiting for its turn" in ada.words and "You can leave this page" in ada.words

    work()
    page = ada.visit(trial)
    assert "refresh" not in page.text.split("</head>")[0]
    for word in ("Would have paid", "Payout ratio", "Cycle by cycle", "How many win and lose how much"):
        assert word in ada.words, word
    assert page.text.count('class="picture__after"') == 5 and 'role="img"' in page.text

    rows = list(csv.DictReader(io.StringIO(ada.client.get(f"{trial}/people.csv").text)))
    changes = {row["code"]: round(float(row["change"]) * 100) for row in rows}
    loser = min(rows, key=lambda row: changes[row["code"]])
    assert changes[loser["code"]] < 0 < max(changes.values())
    ada.visit(f"{trial}?order=losers")
    assert ada.words.index(loser["name"]) < min(
        ada.words.index(row["name"]) for row in rows if row is not loser
    )
    ada.visit(f"{trial}?who={loser['code'][:4]}")
    assert loser["name"] in ada.words
    assert "Nobody is called so" in (ada.visit(f"{trial}?who=zzzz") and ada.words)
    assert ada.visit(f"{trial}?page=99999999&order=nonsense").status_code == 200


def test_a_trial_is_cancelled_from_its_page(sqlite_app, ada, draft, work):
    trial = asked(ada, draft)
    ada.visit(trial)
    ada.submit(f"{trial}/cancel")
    assert "It stops before the next cycle" in (ada.follow() and ada.words)
    work()
    assert "It was cancelled" in (ada.visit(trial) and ada.words)
    with sqlite_app.app_context():
        assert db.session.scalars(select(Trial.state)).one() == "cancelled"


def test_a_draft_with_faults_is_not_tried(ada, new_draft):
    broken = new_draft(pool={"rate": "2"})
    ada.visit(f"{broken}/try")
    answer = ada.submit(f"{broken}/try", {"first": "x", "last": "y"})
    assert answer.status_code == 422 and "Faults in the plan: 1." in ada.words
