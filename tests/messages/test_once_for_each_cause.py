"""P20: many mails to a provider that fails in every way: one for each cause at most, none lost silently."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from jobs import mail
from jobs.mail import REPEAT_WITHIN
from portal.extensions import db
from portal.gateways.brevo import Mail, MailRejected, MailRetryLater, MailUnknown, Sent
from portal.kernel.clock import fixed, utc_now
from portal.messages import sending, service
from portal.models import Consultant, Message
from portal.store import perform
from tests.people import invite_cast

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
MAILS = 500 * TIMES
# How one call goes; 401 is our own account, the hang an answer that never came after the mail was taken.
WAYS = ("ok", "ok", "ok", "lost after", "lost before", "429", "500", "401", "hang", "refused")


class Brevo:
    """What Brevo does, without a wire: a key is remembered for 30 minutes, then forgotten."""

    def __init__(self, clock, seed=20):
        self.clock = clock
        self.chance = random.Random(seed)
        self.ways = WAYS
        self.known: dict[str, object] = {}
        self.delivered: Counter[str] = Counter()

    def send(self, mail: Mail) -> Sent:
        way = self.chance.choice(self.ways)
        if way == "429":
            raise MailRetryLater(60)
        if way == "401":
            raise MailRejected("Brevo refuses our account", final=False)
        if way == "refused" and mail.idempotency_key not in self.known:
            raise MailRejected("Brevo refuses this mail", final=True)
        if way == "lost before":
            raise MailUnknown("the answer of Brevo was lost")
        self._take(mail)
        if way in ("lost after", "500", "hang"):
            raise MailUnknown("the answer of Brevo was lost")
        return Sent(message_id=f"<{mail.idempotency_key}>")

    def _take(self, mail: Mail) -> None:
        first = self.known.get(mail.idempotency_key)
        if first is None or self.clock() - first >= timedelta(minutes=30):
            self.known[mail.idempotency_key] = self.clock()
            self.delivered[mail.idempotency_key] += 1


@pytest.fixture
def post(sqlite_app, monkeypatch):
    """A post office with a clock of its own: `work(minutes)` sends what is due, minute by minute."""
    return Post(sqlite_app, monkeypatch)


class Post:
    def __init__(self, app, monkeypatch):
        self.app, self.now = app, [utc_now()]
        self.brevo = Brevo(lambda: self.now[0])
        cast = invite_cast(app)
        with app.app_context():
            self.ben = db.session.get_one(Consultant, cast.ben).person_id
        monkeypatch.setattr(mail, "perform", lambda work: perform(work, fixed(self.now[0])))
        monkeypatch.setattr(mail, "utc_now", lambda: self.now[0])

    def queue(self, number):
        def write(uow):
            for cause in [*range(number), *range(0, number, 3)]:
                service.queue_message(
                    uow,
                    key=f"cause:{cause}",
                    template="welcome",
                    person_id=self.ben,
                    params={"code": "BENS2345"},
                )

        with self.app.app_context():
            perform(write, fixed(self.now[0]))

    def work(self, *, hours):
        with self.app.app_context():
            for _ in range(hours * 12):
                while mail.send_next(self.brevo):
                    pass
                self.now[0] += timedelta(minutes=5)

    def messages(self):
        with self.app.app_context():
            return db.session.scalars(select(Message)).all()


def test_each_cause_gets_one_mail_at_most_and_every_end_is_known(post):
    post.queue(MAILS)

    post.work(hours=24)

    states = Counter(message.state for message in post.messages())
    assert states.total() == MAILS
    assert set(states) <= {"sent", "unknown", "failed"} and states["sent"] > 0.7 * MAILS
    assert max(post.brevo.delivered.values()) == 1
    by_state = {message.public_id: message.state for message in post.messages()}
    assert all(by_state[key] in ("sent", "unknown") for key in post.brevo.delivered)
    assert all(post.brevo.delivered[key] for key, state in by_state.items() if state == "sent")
    assert all(message.last_error for message in post.messages() if message.state in ("unknown", "failed"))


def test_what_is_unknown_is_listed_and_never_sent_again(post):
    post.brevo.ways = ("lost after",)
    post.queue(20)
    post.work(hours=3)

    assert {message.state for message in post.messages()} == {"unknown"}
    post.brevo.ways = ("ok",)
    post.work(hours=3)
    assert max(post.brevo.delivered.values()) == 1


def test_without_the_end_of_repeating_a_mail_comes_twice(post, monkeypatch):
    """The negative control: repeated beyond the minutes for which Brevo knows the key."""
    monkeypatch.setattr(mail, "REPEAT_WITHIN", timedelta(days=3))
    monkeypatch.setattr(sending, "MOST_TRIES", 10**6)
    post.brevo.ways = ("lost after",)
    post.queue(20)

    post.work(hours=3)

    assert timedelta(minutes=30) > REPEAT_WITHIN
    assert max(post.brevo.delivered.values()) > 1


def test_without_one_key_for_each_cause_a_cause_told_twice_is_two_mails(post):
    post.brevo.ways = ("ok",)
    post.queue(3)
    with post.app.app_context():
        renamed = update(Message).where(Message.key == "cause:0").values(key="cause:0, the key forgotten")
        perform(lambda uow: uow.session.execute(renamed) and None)
    post.queue(3)

    post.work(hours=1)

    assert sum(post.brevo.delivered.values()) == 4
