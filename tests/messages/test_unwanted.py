"""Who asked not to be contacted gets mails about their own business, and no others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.messages import sending
from portal.messages.kinds import ABOUT_OWN_BUSINESS, NOT_WANTED
from portal.messages.service import queue_message
from portal.models import Consultant, Message, Person
from portal.store import people
from tests.house import sources

HOUR = timedelta(hours=1)
PROMOTIONAL: set[str] = set()


def queue(uow, person_id, template):
    queue_message(uow, key=f"{template}-{person_id}", template=template, person_id=person_id, params={})


def claimed(uow):
    found = sending.claim_next(uow, repeat_within=HOUR)
    return found and found.template


@pytest.fixture
def ben(do, cast):
    return do(lambda uow: uow.session.get_one(Consultant, cast.ben).person_id)


def stop(uow, person_id):
    person = uow.session.get_one(Person, person_id)
    people.stop_person(uow, person, reason="asked", asked_by=None)


def test_a_promotional_mail_is_not_sent_after_a_stop_and_says_why(do, ben):
    do(queue, ben, "spring_offers")
    do(stop, ben)

    assert do(claimed) is None
    row = do(lambda uow: [(each.state, each.last_error) for each in uow.session.query(Message)])
    assert row == [("failed", NOT_WANTED)]


def test_a_mail_about_ones_own_money_is_sent_all_the_same(do, ben):
    do(stop, ben)
    do(queue, ben, "withdrawal_paid")

    assert do(claimed) == "withdrawal_paid"


def test_without_a_stop_a_promotional_mail_is_sent(do, ben):
    do(queue, ben, "spring_offers")

    assert do(claimed) == "spring_offers"


def test_every_mail_of_the_house_is_sorted():
    mails = {name.removeprefix("mail/").removesuffix(".html") for name in sources.templates()}
    there = {name for name in mails if "/" not in name and f"mail/{name}.html" in sources.templates()}

    assert there - {"_frame"} == ABOUT_OWN_BUSINESS | PROMOTIONAL
