"""What nobody can be sure of is decided by two people; the pages show every attempt, stop and match."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict, DomainError
from portal.models import AccountUser, Consultant, Outbox, Withdrawal
from portal.payouts import stops
from portal.payouts.automatic import review, steps
from portal.payouts.automatic.review import Proposal
from tests.html import Visitor
from tests.people import PASSWORD

QUEUE = "/admin/payouts/sending"


@pytest.fixture
def database(sqlite_database):
    """Pages and decisions do not depend on the engine."""
    return sqlite_database


@pytest.fixture
def waiting(show, cast) -> int:
    """A payout in review."""
    (one,) = show.queue()
    show.do(steps.send_to_review, one, old="queued", reason="Nobody knows.")
    return one


def propose(show, cast, one, decision, *, ref="", reason="I asked the provider."):
    proposal = Proposal(decision, reason, ref)
    show.do(lambda uow: review.propose(uow, proposal, withdrawal_id=one, actor_id=cast.fin) and None)


def confirm(show, one, actor_id, *, read=""):
    proposal_id = read or (show.row(one).proposal or {}).get("id", "")
    named = {"withdrawal_id": one, "actor_id": actor_id, "proposal_id": proposal_id}
    show.do(lambda uow: review.confirm(uow, **named) and None)


def test_nobody_confirms_what_they_have_not_read(show, cast, waiting):
    propose(show, cast, waiting, "release")
    read = show.row(waiting).proposal["id"]
    with pytest.raises(Conflict):
        propose(show, cast, waiting, "paid", ref="tr_mine")
    show.do(lambda uow: review.drop(uow, withdrawal_id=waiting, actor_id=cast.fin) and None)
    propose(show, cast, waiting, "paid", ref="tr_mine")

    with pytest.raises(Conflict):
        confirm(show, waiting, cast.ada, read=read)
    assert show.state(waiting) == "review"


def test_a_payment_that_is_booked_elsewhere_is_not_booked_again(show, cast, waiting):
    (other,) = show.queue()
    show.drain()
    known = show.row(other).provider_ref

    with pytest.raises(BadInput) as refusal:
        propose(show, cast, waiting, "paid", ref=known)
    assert refusal.value.field == "ref"

    propose(show, cast, waiting, "paid", ref="tr_late")
    show.do(
        lambda uow: uow.session.execute(
            update(Withdrawal).where(Withdrawal.id == other).values(provider_ref="tr_late")
        )
    )
    with pytest.raises(BadInput):
        confirm(show, waiting, cast.ada)
    assert show.state(waiting) == "review"


def test_the_second_person_books_it_as_paid(show, cast, waiting):
    propose(show, cast, waiting, "paid", ref="tr_by_hand")
    confirm(show, waiting, cast.ada)

    assert (show.state(waiting), show.row(waiting).provider_ref) == ("sent", "tr_by_hand")


def test_the_second_person_gives_the_money_back_and_the_owner_is_told(show, cast, waiting):
    propose(show, cast, waiting, "release")
    confirm(show, waiting, cast.ada)
    show.hear()

    assert show.state(waiting) == "failed"
    assert show.messages("withdrawal_returned") == 1


def test_the_second_person_lets_it_go_again_under_a_new_key(show, cast, waiting):
    propose(show, cast, waiting, "again")
    confirm(show, waiting, cast.ada)
    show.drain()

    assert show.state(waiting) == "sent"
    assert show.attempts(waiting) == [(1, "accepted")]


def test_nobody_confirms_what_they_proposed(show, cast, waiting):
    propose(show, cast, waiting, "release")

    with pytest.raises(DomainError):
        confirm(show, waiting, cast.fin)
    assert show.state(waiting) == "review"


def test_nobody_decides_on_their_own_payout(show, waiting):
    with show.app.app_context():
        owner = db.session.scalars(
            select(AccountUser.id)
            .join(Consultant, Consultant.person_id == AccountUser.person_id)
            .join(Withdrawal, Withdrawal.consultant_id == Consultant.id)
        ).one()

    with pytest.raises(DomainError):
        show.do(review.propose, Proposal("release", "mine"), withdrawal_id=waiting, actor_id=owner)


@pytest.mark.parametrize(
    ("proposal", "field"),
    [
        (Proposal("burn", "why not"), "decision"),
        (Proposal("release", " "), "reason"),
        (Proposal("paid", "seen"), "ref"),
    ],
)
def test_a_proposal_says_what_why_and_where(show, cast, waiting, proposal, field):
    with pytest.raises(BadInput) as refusal:
        show.do(review.propose, proposal, withdrawal_id=waiting, actor_id=cast.fin)

    assert refusal.value.field == field


def test_nothing_is_sent_again_while_payouts_are_stopped(show, cast, waiting):
    propose(show, cast, waiting, "again")
    show.do(lambda uow: stops.stop(uow, cause="a test", detail="stop") and None)

    with pytest.raises(Conflict):
        confirm(show, waiting, cast.ada)


def test_what_is_decided_cannot_be_decided_again(show, cast, waiting):
    propose(show, cast, waiting, "release")
    confirm(show, waiting, cast.ada)

    with pytest.raises(Conflict):
        confirm(show, waiting, cast.ada)


def visitor(show, name: str) -> Visitor:
    found = Visitor(show.app)
    found.sign_in(f"{name}@example.com", PASSWORD)
    return found


def test_two_people_decide_on_the_pages(show, cast, waiting):
    fin, ada = visitor(show, "fin"), visitor(show, "ada")
    page = f"{QUEUE}/{show.row(waiting).public_id}"
    assert "Payee0" in fin.visit(QUEUE).text
    assert "Nobody knows." in fin.visit(page).text

    assert fin.submit(page, {"decision": "release", "reason": ""}).status_code == 422
    assert fin.submit(page, {"decision": "release", "reason": "Not paid."}).status_code == 303
    fin.visit(page)
    fin.submit(f"{page}/confirm")
    assert show.state(waiting) == "review"
    ada.visit(page)
    ada.submit(f"{page}/drop")
    assert show.row(waiting).proposal is None
    fin.visit(page)
    fin.submit(page, {"decision": "release", "reason": "Not paid."})
    ada.visit(page)
    ada.submit(f"{page}/confirm", {"proposal": "read before"})
    assert show.state(waiting) == "review"
    ada.submit(f"{page}/confirm")

    assert show.state(waiting) == "failed"
    assert "Confirmed" in ada.visit(page).text


def test_the_button_asks_for_a_match(show, cast):
    ada = visitor(show, "ada")
    ada.visit(QUEUE)

    assert ada.submit(f"{QUEUE}/match").status_code == 303

    with show.app.app_context():
        assert db.session.scalar(select(Outbox.id).where(Outbox.name == "match.requested")) is not None


def test_stops_and_reasons_are_on_the_page(show, cast):
    show.queue()
    show.do(lambda uow: stops.stop(uow, cause="a test", detail="Somebody has to look.") and None)

    assert "Somebody has to look." in visitor(show, "fin").visit(QUEUE).text


def test_others_have_no_such_page(show, cast, waiting):
    assert visitor(show, "ben").visit(QUEUE).status_code == 403
    assert visitor(show, "fin").visit(f"{QUEUE}/nothing").status_code == 404
