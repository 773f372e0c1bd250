"""/admin/dead: what was given up is grouped, and tried again one by one or together, noted and harmless."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.models import Audit, Inbox, Message, Outbox, Person, Task
from portal.store import perform
from tests.html import Visitor
from tests.people import PASSWORD
from tests.rooms.vendors.conftest import come
from tests.vendors import invite_vera


@pytest.fixture
def house(app, cast):
    """Two events that were given up, a reaction, a mail that failed and one that may have been sent."""
    vera = invite_vera(app, cast)
    for ref in ("K1", "K2"):
        come(app, vera, dead=True, ref=ref)

    def more(uow):
        now = uow.clock()
        fact = Outbox(name="sale.recorded", body={}, happened_at=now)
        uow.session.add(fact)
        uow.session.flush()
        about = {"attempts": 12, "next_at": now, "last_error": "broken"}
        uow.session.add(
            Task(outbox_id=fact.id, handler="jobs.mail.welcome", queue="mail", state="dead", **about)
        )
        person = uow.session.scalars(select(Person.id)).first()
        for at, state in enumerate(("failed", "unknown")):
            key = {"key": f"m{at}", "public_id": f"m{at}" * 5, "created_at": now}
            uow.session.add(
                Message(template="welcome", person_id=person, params={}, state=state, **key, **about)
            )

    with app.app_context():
        perform(more)
    return app


@pytest.fixture
def ada(house):
    laptop = Visitor(house)
    laptop.sign_in("ada@example.com", PASSWORD)
    return laptop


def states(app, model):
    with app.app_context():
        return sorted(db.session.scalars(select(model.state)))


def test_events_of_one_fault_are_one_group_and_are_tried_again_together(house, ada):
    ada.visit("/admin/dead")
    said = ada.words
    with house.app_context():
        row = db.session.scalars(select(Inbox)).first()
        group = f"{row.source}|{row.kind}|{row.problem or ''}"
    ada.visit("/admin/dead?kind=event")

    ada.submit("/admin/dead/event", {"group": group})
    again = ada.submit("/admin/dead/event", {"group": group})

    assert "Vera Solar" in said and "There is no service roof" in said
    assert states(house, Inbox) == ["retry", "retry"]
    assert again.status_code == 303
    with house.app_context():
        noted = db.session.scalars(select(Audit.detail).where(Audit.action == "given-up.retry")).all()
        assert [each["number"] for each in noted] == [2, 0]


def test_one_thing_is_tried_again_and_a_second_click_is_told_so(house, ada):
    with house.app_context():
        first = db.session.scalars(select(Inbox.id)).first()
    ada.visit("/admin/dead?kind=event")

    for _time in range(2):
        ada.submit(f"/admin/dead/event/{first}")
        ada.follow()

    assert "not given up any more" in ada.words
    assert states(house, Inbox) == ["dead", "retry"]


def test_reactions_and_mails_too_but_never_a_mail_that_may_have_been_sent(house, ada):
    ada.visit("/admin/dead?kind=mail")
    ada.submit("/admin/dead/mail")
    ada.visit("/admin/dead?kind=task")
    ada.submit("/admin/dead/task")

    assert states(house, Message) == ["queued", "unknown"]
    assert states(house, Task) == ["retry"]


@pytest.mark.parametrize("path", ["/admin/dead?kind=odd", "/admin/dead/odd/1", "/admin/dead/event/999999"])
def test_what_is_not_there_is_not_there(house, ada, path):
    ada.visit("/admin/dead")
    ask = ada.visit if "?" in path else ada.submit

    assert ask(path).status_code == 404


def test_only_who_sees_traffic_comes_in(house):
    fin = Visitor(house)
    fin.sign_in("fin@example.com", PASSWORD)

    assert fin.visit("/admin/dead").status_code == 403
