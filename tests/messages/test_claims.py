"""Many workers, one mail each: nobody takes what another has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from jobs.mail import REPEAT_WITHIN
from portal.messages import sending, service
from portal.models import Consultant
from portal.store import perform


def test_eight_workers_share_forty_mails_without_an_overlap(app, cast):
    with app.app_context():
        perform(lambda uow: _queue(uow, cast, 40))

    with ThreadPoolExecutor(8) as workers:
        taken = [found for some in workers.map(lambda _: _claim_all(app), range(8)) for found in some]

    assert len(taken) == len(set(taken)) == 40


def _queue(uow, cast, number):
    person_id = uow.session.get_one(Consultant, cast.ben).person_id
    for count in range(number):
        service.queue_message(uow, key=f"k{count}", template="welcome", person_id=person_id, params={})


def _claim_all(app):
    taken = []
    with app.app_context():
        while claimed := perform(lambda uow: sending.claim_next(uow, repeat_within=REPEAT_WITHIN)):
            taken.append(claimed.message_id)
    return taken
