"""The pay plans' pages: versions, drafts as forms and as JSON, comparing, and two people for going live."""

from __future__ import annotations

import json
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from portal.commissions import cycles
from portal.commissions.plans.drafts import starts_ahead
from portal.commissions.plans.versions import add_plan
from portal.commissions.rhythms import Wish, beginnings, decide_rhythm
from portal.commissions.weeks import midnight
from portal.extensions import db
from portal.models import Audit, Cycle, PlanDraft, PlanVersion
from tests.commissions.closes import ZONE
from tests.html import Visitor
from tests.people import PASSWORD, PLAN

REASON = "Asked for by the board in November."


class Inputs(HTMLParser):
    """What a browser would send from the page: inputs, chosen options and texts by name."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.errors = 0
        self._select = ""

    def handle_starttag(self, tag, attrs):
        at = {name: value or "" for name, value in attrs}
        self.errors += at.get("class") == "field__error"
        if tag == "input" and at.get("type") != "checkbox" and at.get("name"):
            self.values[at["name"]] = at.get("value", "")
        elif tag == "input" and "checked" in at:
            self.values[at["name"]] = at["value"]
        elif tag == "select":
            self._select = at["name"]
            self.values.setdefault(self._select, "")
        elif tag == "option" and "selected" in at:
            self.values[self._select] = at["value"]


def form_of(page):
    found = Inputs()
    found.feed(page.text)
    return found


@pytest.fixture
def signed_in(app, cast):
    def browser(name):
        laptop = Visitor(app)
        laptop.sign_in(f"{name}@example.com", PASSWORD)
        return laptop

    return browser


@pytest.fixture
def ada(signed_in):
    return signed_in("ada")


def new_draft(visitor):
    visitor.visit("/admin/plans")
    visitor.submit("/admin/plans/1/draft")
    return visitor.page.location


def document(app):
    with app.app_context():
        return dict(db.session.scalars(select(PlanDraft).order_by(PlanDraft.id.desc())).first().document)


def version(app):
    with app.app_context():
        return dict(db.session.get_one(PlanVersion, 1).document)


def send(visitor, draft, changed=None, act="save", without=()):
    values = form_of(visitor.visit(draft)).values | (changed or {}) | {"act": act}
    return visitor.submit(draft, {name: value for name, value in values.items() if name not in without})


def test_a_draft_saved_as_it_came_is_the_version_byte_for_byte(app, ada):
    draft = new_draft(ada)
    answer = send(ada, draft)

    assert answer.status_code == 303
    assert json.dumps(document(app)) == json.dumps(version(app))


def test_faults_stand_at_their_fields_and_nothing_typed_is_lost(app, ada):
    draft = new_draft(ada)
    typed = {"retail.rate#0.value": "five", "binary.carry_cycles": "0", "point_value": "1000"}
    answer = send(ada, draft, typed)

    shown = form_of(answer)
    assert answer.status_code == 422 and "3 things are to be put right" in ada.words
    assert {name: shown.values[name] for name in typed} == typed and shown.errors == 3
    assert 'id="retail-rate-0-value-error"' in answer.text
    assert "This must be written in digits" in ada.words
    assert form_of(ada.visit(draft)).values["retail.rate#0.value"] == "five"


def test_ranks_levels_and_parts_come_and_go_without_a_script(app, ada):
    draft = new_draft(ada)
    send(ada, draft, {"unilevel": "on"}, act="add unilevel.rates")
    assert ada.page.location.endswith("#part-unilevel")
    send(ada, draft, {"unilevel.rates#0": "0.02"}, act="add unilevel.rates")
    send(ada, draft, {"unilevel.rates#1": "0.01"}, act="add ranks")
    send(
        ada, draft, {"ranks#0.name": "bronze", "ranks#0.requires.weak_leg_volume": "1000.00"}, act="add ranks"
    )
    send(ada, draft, {"ranks#1.name": "silver", "ranks#1.requires.leg_rank": "bronze"})
    made = document(app)
    assert made["unilevel"] == {"rates": ["0.02", "0.01"]}
    assert [rank["name"] for rank in made["ranks"]] == ["bronze", "silver"]

    assert send(ada, draft, act="raise ranks 1").status_code == 303
    assert "This must be the name of a rank below this one." in (ada.follow() and ada.words)
    send(ada, draft, act="remove ranks 0")
    send(ada, draft, act="remove unilevel.rates 0")
    send(ada, draft, without=("direct",))
    made = document(app)
    assert [rank["name"] for rank in made["ranks"]] == ["bronze"] and made["unilevel"]["rates"] == ["0.01"]
    assert "direct" not in made


def test_a_table_takes_another_pack_and_refuses_the_same_twice(app, ada):
    draft = new_draft(ada)
    answer = send(ada, draft, {"retail.rate#3.key": "gold", "retail.rate#3.value": "0.05"})
    assert answer.status_code == 303 and document(app)["retail"]["rate"]["gold"] == "0.05"
    answer = send(ada, draft, {"retail.rate#4.key": "gold", "retail.rate#4.value": "0.09"})
    assert answer.status_code == 422 and "There is another row of this name." in ada.words
    assert form_of(answer).values["retail.rate#4.value"] == "0.09"


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(app, signed_in, ada):
    draft = new_draft(ada)
    other = signed_in("ada")
    mine = form_of(ada.visit(draft)).values | {"name": "Mine", "act": "save"}
    send(other, draft, {"name": "Theirs"})
    answer = ada.submit(draft, mine)

    assert answer.status_code == 409 and form_of(answer).values["name"] == "Mine"
    assert document(app)["name"] == "Theirs"


def test_the_same_plan_can_be_written_as_json(app, ada):
    draft = new_draft(ada)
    ada.visit(f"{draft}/text")
    plan = version(app) | {"payout_limit": "0.45"}
    seen = form_of(ada.page).values["seen"]
    assert ada.submit(f"{draft}/text", {"text": json.dumps(plan), "seen": seen}).status_code == 303
    assert document(app) == plan

    ada.visit(f"{draft}/text")
    answer = ada.submit(f"{draft}/text", {"text": '{"name": ', "seen": form_of(ada.page).values["seen"]})
    assert answer.status_code == 422 and "This is not one JSON object" in ada.words
    assert "&#34;name&#34;:" in answer.text
    assert json.loads(ada.client.get(f"{draft}/plan.json").text) == plan


def test_two_plans_beside_each_other_in_words(app, ada):
    draft = new_draft(ada)
    send(ada, draft, {"binary.rate#0.value": "0.12", "payout_limit": "0.45"})
    ada.visit(f"/admin/plans/compare?before=version-1&after=draft-{draft.split('/')[-1]}")

    assert "Binary: Rate pack 10% 12%" in ada.words
    assert "Payout limit: Most that is paid on volume nothing 45%" in ada.words
    assert "Own sales" not in ada.words


def propose(visitor, draft, **more):
    page = visitor.visit(f"{draft}/propose")
    starts = [part.split('"')[0] for part in page.text.split('<option value="')[1:]]
    codes = {"no-limit": REASON, "no-cap": REASON}
    return visitor.submit(
        f"{draft}/propose", {"starts_at": [*starts, ""][0], "reason": REASON} | codes | more
    )


def test_two_people_let_a_plan_hold_from_the_next_cycle_and_the_open_one_keeps_its_own(
    app, signed_in, ada, do
):
    fin, draft = signed_in("fin"), new_draft(ada)
    send(ada, draft, {"binary.rate#0.value": "0.12"})
    assert propose(ada, draft).status_code == 303
    assert "You proposed this" in (ada.follow() and ada.words)
    assert ada.submit(f"{draft}/approve").status_code == 422

    assert f'href="{draft}"' in fin.visit("/admin").text and "waits for a second person" in fin.words
    fin.visit(draft)
    assert "No payout limit" in fin.words and REASON in fin.words
    assert fin.submit(f"{draft}/approve").status_code == 303
    fin.visit("/admin")
    assert "waits for a second person" not in fin.words
    with app.app_context():
        made = db.session.get_one(PlanVersion, 2)
        open_cycle = db.session.scalars(select(Cycle).where(Cycle.state == "open")).unique().one()
        assert made.valid_from == open_cycle.until and open_cycle.plan_version_id == 1
        assert made.document["binary"]["rate"]["pack"] == "0.12"
        noted = db.session.scalars(select(Audit.action).where(Audit.action.like("plan.%")).order_by(Audit.id))
        assert list(noted) == ["plan.draft", "plan.write", "plan.propose", "plan.approve"]
    do(cycles.end_if_due, zone=ZONE, early=True)
    with app.app_context():
        open_cycle = db.session.scalars(select(Cycle).where(Cycle.state == "open")).unique().one()
        assert open_cycle.plan_version_id == 2
    ada.visit("/admin/plans")
    assert "1 cycle" in ada.words and "Now" in ada.words
    assert ada.submit(draft, {"act": "save"}).status_code == 409


def test_a_proposal_wants_a_reason_for_every_warning_and_a_start_that_is_offered(app, ada):
    draft = new_draft(ada)
    answer = propose(ada, draft, **{"no-cap": "short"})
    assert answer.status_code == 422 and 'id="no-cap-error"' in answer.text and REASON in answer.text
    assert propose(ada, draft, starts_at="2020-01-06T07:00:00+00:00").status_code == 422
    assert propose(ada, draft, reason="").status_code == 422
    assert propose(ada, draft).status_code == 303


def test_a_proposal_is_taken_back_or_refused_with_a_reason(app, signed_in, ada):
    fin, draft = signed_in("fin"), new_draft(ada)
    propose(ada, draft)
    ada.follow()
    ada.submit(f"{draft}/withdraw")
    assert "Save the draft" in ada.follow().text
    propose(ada, draft)
    fin.visit(draft)
    assert fin.submit(f"{draft}/reject", {"decision": ""}).status_code == 422
    assert fin.submit(f"{draft}/reject", {"decision": "Too dear for this year."}).status_code == 303
    ada.visit(draft)
    assert "Too dear for this year." in ada.words and "Save the draft" in ada.words


def test_a_start_that_has_passed_is_refused_when_it_is_agreed_to(app, signed_in, ada, do):
    fin, draft = signed_in("fin"), new_draft(ada)
    propose(ada, draft)
    do(cycles.end_if_due, zone=ZONE, early=True)
    fin.visit(draft)
    assert fin.submit(f"{draft}/approve").status_code == 409
    assert "That cycle has begun" in fin.words
    with app.app_context():
        assert db.session.query(PlanVersion).count() == 1


def test_a_second_plan_for_the_same_start_is_refused_and_the_first_is_named(app, signed_in, ada):
    fin, first, second = signed_in("fin"), new_draft(ada), new_draft(ada)
    for draft in (first, second):
        assert propose(ada, draft).status_code == 303
    fin.visit(first)
    assert fin.submit(f"{first}/approve").status_code == 303
    fin.visit(second)
    assert fin.submit(f"{second}/approve").status_code == 409
    assert "Version 2, Test plan, was agreed to and begins then already." in fin.words
    third = new_draft(ada)
    assert propose(ada, third).status_code == 409
    assert 'id="starts_at-error"' in ada.page.text, "the fault stands at the field"
    assert ": version 2 begins then" in ada.visit(f"{third}/propose").text
    with app.app_context():
        assert db.session.query(PlanVersion).count() == 2


def test_a_start_that_a_change_of_rhythm_removed_is_not_agreed_to(app, signed_in, ada, do, cast):
    fin, draft = signed_in("fin"), new_draft(ada)
    with app.app_context():
        starts = starts_ahead(db.session(), ZONE)
        month = next(one.first_day for one in beginnings(db.session(), "month", ZONE))
        removed = next(start for start in starts if start.astimezone(ZONE).date() > month + timedelta(days=8))
    assert propose(ada, draft, starts_at=removed.isoformat()).status_code == 303
    do(decide_rhythm, Wish("month", month, "Customers asked for it"), zone=ZONE, actor_id=cast.ada)

    fin.visit(draft)
    assert fin.submit(f"{draft}/approve").status_code == 409
    assert "No cycle begins then any more" in fin.words


def test_the_cycle_of_a_plan_whose_start_was_removed_is_taken(app, ada, do, cast):
    with app.app_context():
        month = next(one.first_day for one in beginnings(db.session(), "month", ZONE))
    removed = midnight(month + timedelta(days=14), ZONE)
    do(add_plan, PLAN, valid_from=removed)
    do(decide_rhythm, Wish("month", month, "Customers asked for it"), zone=ZONE, actor_id=cast.ada)
    with app.app_context():
        start = next(each for each in starts_ahead(db.session(), ZONE) if each >= removed)

    assert propose(ada, new_draft(ada), starts_at=start.isoformat()).status_code == 409
    assert "Version 2, Test plan, was agreed to and begins then already." in ada.words


def test_the_starts_that_are_offered_follow_the_rhythm_that_is_decided(app, cast, do):
    with app.app_context():
        monday = starts_ahead(db.session(), ZONE)[0]
    wish = Wish("day", monday.astimezone(ZONE).date(), "Customers asked for it")
    do(lambda uow: decide_rhythm(uow, wish, zone=ZONE, actor_id=cast.ada))
    with app.app_context():
        days = [start.astimezone(ZONE).date() for start in starts_ahead(db.session(), ZONE)]

    assert [(day - days[0]).days for day in days] == list(range(12))


def test_pay_for_registration_cannot_be_proposed(app, ada):
    draft = new_draft(ada)
    send(
        ada,
        draft,
        {"services#0.key": "plus", "services#0.retail#0.key": "plus", "services#0.retail#0.value": "0.5"},
    )
    ada.visit(draft)
    assert "nothing may be paid on a registration" in ada.words
    with app.app_context():
        start = starts_ahead(db.session(), ZONE)[0].isoformat()
    assert propose(ada, draft, starts_at=start).status_code == 422
    assert "Cannot go live" in ada.words and "Propose it" not in ada.words


def test_a_draft_is_read_by_finance_and_written_by_nobody_else(app, signed_in, ada):
    fin, ana, draft = signed_in("fin"), signed_in("ana"), new_draft(ada)
    assert "Save the draft" not in fin.visit(draft).text
    assert fin.submit(draft, {"act": "save"}).status_code == 403
    assert ana.visit(draft).status_code == 403
    assert ada.visit("/admin/plans/99").status_code == 404
    assert ada.visit("/admin/plans/drafts/nonsense").status_code == 404
