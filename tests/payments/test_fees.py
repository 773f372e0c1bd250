"""What Stripe keeps is booked to the cent, once, in any order of events and however often it is asked.

The judge is the played Stripe's own balance: with every fee known the books say the same.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs import fees as job
from portal.extensions import db
from portal.gateways.sandbox.balance import FUNDS_CENTS, platform_funds
from portal.gateways.sandbox.faults import order_faults
from portal.kernel.ids import new_id
from portal.ledger.audit import warnings
from portal.models import Entry, Payment, PaymentReversal
from portal.payments import fees
from portal.store import perform
from tests.payments.stage import FILE, build, company_balances
from tests.payments.test_every_order import STORIES, happen

PACK, ROOF = 49_00, 1_300_00
OF_PACK, OF_ROOF, OF_DISPUTE = 1_72, 38_00, 15_00


def learn(stage, stripe, *, later=timedelta(0)) -> int:
    """Ask for every fee that is due; how many were asked for."""
    stage.now[0] += later
    asked = 0
    with stage.app.app_context():
        while question := perform(fees.claim_next, stage.clock):
            asked += 1
            if not job.ask(stripe, question, stage.clock):
                break
    return asked


def at_stripe(stage) -> int:
    with stage.play.store.reading() as books:
        return platform_funds(books) - FUNDS_CENTS


def balances(stage) -> dict[str, int]:
    with stage.app.app_context():
        return company_balances()


def kept(stage, subject) -> list[tuple[str, int]]:
    """What was booked of Stripe's fees, without the fees that people paid us."""
    ours = ("payment fee", "refund fee", "dispute fee")
    return [(kind, cents) for kind, cents in stage.state_of(subject)["entries"] if kind.startswith(ours)]


def order(stage, operation, *faults) -> None:
    order_faults(stage.play.store, {"operation": operation, "faults": list(faults)})


@pytest.mark.parametrize(
    ("what", "acts", "expected"),
    [
        ("pack", ("pay",), [("payment fee", OF_PACK)]),
        ("order", ("pay",), [("payment fee", OF_ROOF)]),
        ("pack", ("pay", "refund"), [("payment fee", OF_PACK)]),
        ("pack", ("pay", "refund", "fail-refund"), [("payment fee", OF_PACK)]),
        ("order", ("pay", "dispute"), [("dispute fee", OF_DISPUTE), ("payment fee", OF_ROOF)]),
        ("order", ("pay", "dispute", "lose"), [("dispute fee", OF_DISPUTE), ("payment fee", OF_ROOF)]),
        (
            "order",
            ("pay", "dispute", "win"),
            [("dispute fee", OF_DISPUTE), ("dispute fee returned", OF_DISPUTE), ("payment fee", OF_ROOF)],
        ),
    ],
)
def test_a_fee_is_booked_as_stripe_tells_it(stage, stripe, what, acts, expected):
    subject = stage.order() if what == "order" else stage.register(what)
    stage.deliver(stage.act(subject, *acts))
    stage.drain()

    learn(stage, stripe)

    assert kept(stage, subject) == expected
    assert balances(stage)["stripe_balance"] == at_stripe(stage)
    assert stage.faults() == []
    assert learn(stage, stripe, later=timedelta(days=30)) == 0, "nothing is left to ask"


def shuffled(stage, stripe, *, tries: int, seed: int) -> None:
    """Each story some times over, its events in any order, with questions about fees anywhere between."""
    chance = random.Random(seed)
    for story in STORIES:
        for _ in range(tries):
            _, events = happen(stage, story)
            chance.shuffle(events)
            for event in events:
                stage.deliver([event])
                stage.drain()
                if chance.random() < 0.5:
                    learn(stage, stripe, later=timedelta(minutes=chance.randrange(20)))
    stage.finish()
    learn(stage, stripe, later=timedelta(days=1))


def test_in_any_order_the_books_say_what_stripe_has(small_stage, stripe):
    shuffled(small_stage, stripe, tries=2, seed=4)

    assert balances(small_stage)["stripe_balance"] == at_stripe(small_stage) != 0
    assert small_stage.faults() == []
    assert learn(small_stage, stripe, later=timedelta(days=30)) == 0


@pytest.mark.postgres
def test_in_any_order_the_books_say_what_stripe_has_on_postgresql(
    postgresql_database, make_app, tmp_path, stripe
):
    stage = build(make_app(postgresql_database), tmp_path, file=FILE)

    shuffled(stage, stripe, tries=1, seed=5)

    assert balances(stage)["stripe_balance"] == at_stripe(stage) != 0
    assert stage.faults() == []


def test_without_a_key_for_each_move_a_fee_is_booked_twice(small_stage, stripe, monkeypatch):
    monkeypatch.setattr(fees, "key_of", lambda *_: f"stripe:{new_id()}:fee")

    shuffled(small_stage, stripe, tries=1, seed=4)

    assert balances(small_stage)["stripe_balance"] != at_stripe(small_stage)
    assert "what Stripe kept of each payment is booked as it is known" in [
        fault.invariant for fault in small_stage.faults()
    ]


def test_without_asking_once_more_a_fee_that_was_given_back_is_missed(small_stage, stripe):
    subject = small_stage.order()
    small_stage.deliver(small_stage.act(subject, "pay", "dispute"))
    small_stage.drain()
    learn(small_stage, stripe)
    small_stage.deliver(small_stage.act(subject, "win"))
    small_stage.drain()

    off = at_stripe(small_stage) - balances(small_stage)["stripe_balance"]
    learn(small_stage, stripe)

    assert off == OF_DISPUTE
    assert balances(small_stage)["stripe_balance"] == at_stripe(small_stage)


def test_while_stripe_does_not_tell_it_is_asked_again(small_stage, stripe):
    subjects = [small_stage.order(), small_stage.order()]
    for subject in subjects:
        small_stage.deliver(small_stage.act(subject, "pay"))
    small_stage.drain()
    order(small_stage, "stripe.payment_intents.get", "500_before", "drop_after", "429")

    asked = [learn(small_stage, stripe, later=timedelta(minutes=10 * turn)) for turn in range(4)]

    assert asked[:3] == [1, 1, 1], "who is away is not asked for the next one"
    assert [kept(small_stage, subject) for subject in subjects] == [[("payment fee", OF_ROOF)]] * 2


def test_what_stripe_has_not_booked_yet_is_asked_for_again(small_stage, stripe):
    subject = small_stage.order()
    small_stage.deliver(small_stage.act(subject, "pay"))
    small_stage.drain()
    with small_stage.play.store.writing() as books:
        (charge,) = books.newest("charge")
        books.save("charge", {**charge, "balance_transaction": None})
    learn(small_stage, stripe)
    assert kept(small_stage, subject) == []
    with small_stage.play.store.writing() as books:
        books.save("charge", charge)

    assert learn(small_stage, stripe) == 0, "not at once"
    learn(small_stage, stripe, later=timedelta(minutes=10))

    assert kept(small_stage, subject) == [("payment fee", OF_ROOF)]


@pytest.mark.parametrize("change", [{"currency": "eur"}, {"amount": 1}])
def test_what_cannot_be_true_is_not_booked_and_named_after_a_week(small_stage, stripe, change, caplog):
    subject = small_stage.order()
    small_stage.deliver(small_stage.act(subject, "pay"))
    small_stage.drain()
    with small_stage.play.store.writing() as books:
        (move,) = books.newest("balance_transaction")
        books.save("balance_transaction", {**move, **change})

    learn(small_stage, stripe)
    small_stage.now[0] += timedelta(days=8)

    assert kept(small_stage, subject) == [] == small_stage.faults()
    assert "was not booked" in caplog.text
    named = small_stage.read(lambda session: warnings(session(), now=small_stage.now[0]))
    assert "what Stripe kept of a payment is unknown for more than 7 days" in [w.invariant for w in named]


def test_a_month_is_asked_for_when_its_intent_is_known(small_stage, stripe):
    subject = small_stage.register("plus")
    first, *rest = small_stage.act(subject, "pay")
    small_stage.deliver([first])
    small_stage.drain()
    assert learn(small_stage, stripe) == 0
    small_stage.deliver(rest)
    small_stage.drain()

    learn(small_stage, stripe)
    small_stage.deliver(small_stage.act(subject, "renew"))
    small_stage.drain()
    learn(small_stage, stripe)

    assert [cents for _, cents in kept(small_stage, subject)] == [85, 517]
    assert balances(small_stage)["stripe_balance"] == at_stripe(small_stage)


def test_a_question_of_somebody_who_died_is_asked_by_another(small_stage, stripe):
    small_stage.deliver(small_stage.act(small_stage.order(), "pay"))
    small_stage.drain()
    with small_stage.app.app_context():
        assert perform(fees.claim_next, small_stage.clock) is not None

    assert learn(small_stage, stripe) == 0
    assert learn(small_stage, stripe, later=timedelta(minutes=3)) == 1


def test_an_answer_from_before_the_dispute_was_won_does_not_end_the_questions(small_stage, stripe):
    """The call stands outside the transactions: the dispute may be won meanwhile."""
    subject = small_stage.order()
    small_stage.deliver(small_stage.act(subject, "pay", "dispute"))
    small_stage.drain()
    with small_stage.app.app_context():
        questions = []
        while question := perform(fees.claim_next, small_stage.clock):
            questions.append((question, stripe.money_moves(question.kind, question.ref)))
    small_stage.deliver(small_stage.act(subject, "win"))
    small_stage.drain()
    with small_stage.app.app_context():
        for question, moves in questions:
            perform(
                lambda uow, q=question, m=moves: fees.note_moves(uow, question=q, moves=m), small_stage.clock
            )

    learn(small_stage, stripe, later=timedelta(hours=1))

    assert balances(small_stage)["stripe_balance"] == at_stripe(small_stage)


def test_the_same_line_with_another_fee_is_refused(small_stage, stripe):
    subject = small_stage.order()
    small_stage.deliver(small_stage.act(subject, "pay"))
    small_stage.drain()
    learn(small_stage, stripe)
    with small_stage.app.app_context():
        payment = db.session.scalars(select(Payment)).unique().one()
        question = fees.Question("payment", payment.id, payment.provider_ref)
        (move,) = stripe.money_moves("payment", payment.provider_ref)

        with pytest.raises(Exception, match="other content"):
            perform(
                lambda uow: fees.note_moves(uow, question=question, moves=[replace(move, fee_cents=1)]),
                small_stage.clock,
            )
    assert kept(small_stage, subject) == [("payment fee", OF_ROOF)]


def test_keys_are_the_payments_and_the_lines_of_stripe(small_stage, stripe):
    subject = small_stage.order()
    small_stage.deliver(small_stage.act(subject, "pay", "dispute", "win"))
    small_stage.drain()
    learn(small_stage, stripe)

    with small_stage.app.app_context():
        keys = set(db.session.scalars(select(Entry.key).where(Entry.kind.contains(" fee"))))
        payment = db.session.scalars(select(Payment)).unique().one()
        of_dispute = db.session.scalars(select(PaymentReversal.fee_cents)).one()
        assert (payment.fee_cents, of_dispute) == (OF_ROOF, 0)
    with small_stage.play.store.reading() as books:
        lines = {f"stripe:{each['id']}:fee" for each in books.newest("dispute")[0]["balance_transactions"]}
    assert keys == {f"stripe:{payment.public_id}:fee", *lines}
