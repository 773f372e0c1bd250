"""A consultant is told once that a sale of theirs is held, why and what to do, and once how it ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs.reactions import drain_mail
from jobs.relay import carry
from portal.extensions import db
from portal.models import Consultant, HeldSale, Message, Outbox
from portal.sales import holds
from portal.store import perform
from tests.sales.rules import add_licence, limit_own_use, rule, tell
from tests.vendors import activated, cancelled, invite_vera, registered


@pytest.fixture
def vera(desk):
    """Solar needs a licence in California."""
    made = invite_vera(desk.app, desk.cast)
    with desk.app.app_context():
        rule(licence_kind="solar", licence_states=["CA"])
    return made


def told(desk):
    """What is queued now, in its order: template and person."""
    with desk.app.app_context():
        while carry():
            pass
        while drain_mail():
            pass
        rows = db.session.execute(select(Message.template, Message.person_id).order_by(Message.id)).all()
        return [tuple(row) for row in rows]


def hold(desk, vera, **about):
    with desk.app.app_context():
        tell(vera, activated(vera, customer_state="CA", **about))
        return db.session.scalars(select(HeldSale.public_id).order_by(HeldSale.id.desc())).first()


def ben(desk):
    return desk.do(lambda uow: uow.session.get_one(Consultant, desk.cast.ben).person_id)


def settle(desk, deed, public_id):
    desk.do(lambda uow: deed(uow, public_id=public_id, actor_id=desk.cast.fin, note="Seen on paper") and None)


def test_a_held_sale_is_told_once_with_its_reason_and_what_to_do(desk, vera):
    hold(desk, vera)
    assert told(desk) == [("sale_held", ben(desk))]
    hold(desk, vera, type="service.changed", milestone="", size_thousandths=10_000)
    assert told(desk) == [("sale_held", ben(desk))]

    assert desk.send_next()
    (sent,) = desk.sent()
    assert sent["to_email"] == "ben@example.com"
    assert sent["subject"] == "A sale of Solar is held"
    for words in (sent["text"], sent["html"]):
        assert "no verified solar licence for California covers Nov 2, 2026" in words
        assert "/licences" in words and "/earnings#held" in words
        assert "contract K1, activated, 184 volume" in words


@pytest.mark.parametrize(
    ("deed", "template", "subject"),
    [
        (holds.release, "sale_released", "Your held sale of Solar counts now"),
        (holds.refuse, "sale_refused", "Your held sale of Solar was refused"),
    ],
)
def test_what_the_company_decides_is_told_once_with_its_reason(desk, vera, deed, template, subject):
    public_id = hold(desk, vera)
    told(desk)
    settle(desk, deed, public_id)
    hold(desk, vera, type="service.changed", milestone="", size_thousandths=10_000)

    assert told(desk) == [("sale_held", ben(desk)), (template, ben(desk))]
    assert desk.send_next() and desk.send_next()
    sent = next(mail for mail in desk.sent() if mail["subject"] == subject)
    assert "Seen on paper" in sent["text"] and "Seen on paper" in sent["html"]


def test_what_lets_itself_go_says_that_it_counts(desk, vera):
    hold(desk, vera)
    told(desk)
    with desk.app.app_context():
        add_licence(desk.cast.ben)
        perform(lambda uow: holds.release_covered(uow, consultant_id=desk.cast.ben))
        perform(lambda uow: holds.release_covered(uow, consultant_id=desk.cast.ben))

    assert told(desk) == [("sale_held", ben(desk)), ("sale_released", ben(desk))]
    assert desk.send_next() and desk.send_next()
    assert any("What was missing came." in mail["text"] for mail in desk.sent())


def test_what_is_held_once_more_is_told_once_more(desk, vera):
    hold(desk, vera)
    told(desk)
    desk.do(_let_go)
    with desk.app.app_context():
        perform(lambda uow: holds.release_covered(uow, consultant_id=desk.cast.ben))
    hold(desk, vera, type="service.changed", milestone="", size_thousandths=10_000)

    assert told(desk) == [("sale_held", ben(desk))] * 2


def _let_go(uow):
    """As a cancellation that was taken back leaves it, an hour ago."""
    row = uow.session.scalars(select(HeldSale)).unique().one()
    row.state, row.held_at = "gone", row.held_at - timedelta(hours=1)


def test_what_is_let_go_before_anybody_was_told_is_not_spoken_of(desk, vera):
    public_id = hold(desk, vera)
    settle(desk, holds.release, public_id)
    hold(desk, vera, contract_ref="K2")
    with desk.app.app_context():
        tell(vera, cancelled(vera, contract_ref="K2"))
        facts = [name for name in db.session.scalars(select(Outbox.name)) if name.startswith("sale.")]

    assert told(desk) == []
    assert facts.count("sale.held") == 2 and facts.count("sale.released") == 1


def test_what_is_sold_at_once_is_not_spoken_of(desk, vera):
    with desk.app.app_context():
        add_licence(desk.cast.ben)
    hold(desk, vera)

    assert told(desk) == []


def test_each_reason_says_what_settles_it(desk, vera):
    with desk.app.app_context():
        rule(licence_kind=None, licence_states=[], states=["UT"], required_fields=["customer.age"])
    hold(desk, vera)
    with desk.app.app_context():
        rule(states=[], required_fields=[], packs=["smart"])
        limit_own_use(50_00)
        own = {"customer_ref": "C2", "customer_email": "ben@example.com"}
        tell(vera, registered(vera, **own))
        tell(vera, activated(vera, contract_ref="K2", **own))
        rule(packs=[])
        tell(vera, activated(vera, contract_ref="K3", occurred_at=activated(vera).occurred_at, **own))
    assert [name for name, _ in told(desk)] == ["sale_held"] * 3

    assert desk.send_next() and desk.send_next() and desk.send_next()
    first, second, third = (mail["text"] for mail in sorted(desk.sent(), key=lambda mail: mail["text"]))
    assert "it is not sold in California" in first and "the customer's age is missing" in first
    assert "Ask the vendor to send it." in first and "somebody at the company looks at it" in first
    assert "the plan Consultant Plus+ may not sell this; Smart may" in second
    assert "own use in November 2026 is above 50 volume (0 used before)" in third
