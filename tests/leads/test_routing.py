"""A lead without a consultant is offered to one after the other, in an order that anybody can check."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from jobs import leads as job
from portal.kernel.clock import fixed, utc_now
from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.leads import offers as service
from portal.leads.criteria import CRITERIA, SHIPPED, Criterion
from portal.leads.ranking import Weighed, decide_rule
from portal.leads.signing_up import SignUp, sign_up
from portal.leads.stopping import stop_contact
from portal.models import Consultant, Customer, Lead, LeadOffer, LeadStep, Outbox
from portal.store import perform
from portal.store.people import Contact
from tests.leads.conftest import consultant_of, lead_of, license, offers, only_the_cast


def why(uow, lead_id):
    rows = uow.session.query(LeadStep).filter_by(lead_id=lead_id, kind="unrouted").order_by(LeadStep.id)
    return [row.detail["why"] for row in rows]


def reasons(uow, lead_id):
    offer = uow.session.query(LeadOffer).filter_by(lead_id=lead_id, state="open").one()
    return {reason["code"]: reason for reason in offer.reasons}


def in_hours(hours):
    return fixed(utc_now() + timedelta(hours=hours))


def test_the_first_with_the_fewest_leads_is_asked_and_told_why(do, cast, roof):
    do(lead_of, roof, number=7, consultant=cast.ana)
    lead = do(lead_of, roof)
    do(service.route, lead_id=lead)
    do(service.route, lead_id=lead)

    assert do(offers, lead) == [(cast.ben, "open")]
    said = do(reasons, lead)
    assert said["load"] == {"code": "load", "weight": 3, "points": 100, "figure": 0}
    assert said["licence"] == {"code": "licence", "weight": 1, "region": "CO", "needed": False}
    told = do(lambda uow: uow.session.query(Outbox).filter_by(name="lead.offered").count())
    assert told == 1


def test_a_state_with_a_licence_goes_to_who_holds_one_today(do, cast, roof):
    do(license, cast.ben, state="submitted")
    do(license, cast.cem, until=-1)
    do(license, cast.ana, region="CO")
    do(license, cast.dia)
    lead = do(lead_of, roof, region="CA")
    do(service.route, lead_id=lead)

    assert do(offers, lead) == [(cast.dia, "open")]
    assert do(reasons, lead)["licence"]["needed"] is True


def test_nobody_who_meets_it_leaves_the_lead_to_the_company_with_the_reason(do, cast, roof):
    no_licence, not_served = (
        do(lead_of, roof, number=1, region="CA"),
        do(lead_of, roof, number=2, region="TX"),
    )
    for lead in (no_licence, not_served, not_served):
        do(service.route, lead_id=lead)

    assert (do(why, no_licence), do(why, not_served)) == (["licence"], ["state"])
    waiting = do(lambda uow: [lead.id for lead in uow.session.scalars(service.unrouted()).unique()])
    assert waiting == [no_licence, not_served]


def test_a_plan_without_the_desk_or_the_vendor_is_not_asked(do, cast, roof):
    def packs(uow):
        for name, pack in ((cast.ana, "smart"), (cast.ben, "pack"), (cast.cem, "plus")):
            uow.session.get_one(Consultant, name).pack = pack
        uow.session.get_one(Consultant, cast.dia).status = "suspended"

    do(packs)
    lead = do(lead_of, roof)
    do(service.route, lead_id=lead)

    assert do(offers, lead) == [(cast.cem, "open")]


def test_a_no_goes_to_the_next_and_the_last_no_to_the_company(do, cast, roof):
    do(only_the_cast, "Ana", "Ben")
    lead = do(lead_of, roof)
    do(service.route, lead_id=lead)
    for consultant in (cast.ana, cast.ben):
        offer = do(lambda uow: uow.session.query(LeadOffer).filter_by(state="open").one().public_id)
        do(service.decline, public_id=offer, consultant_id=consultant, actor_id=1)

    assert do(offers, lead) == [(cast.ana, "declined"), (cast.ben, "declined")]
    assert do(why, lead) == ["nobody"]


def test_who_takes_it_has_it_and_the_one_after_the_limit_comes_too_late(do, app, cast, roof):
    do(only_the_cast, "Ana", "Ben")
    lead = do(lead_of, roof)
    first = do(lambda uow: service.route(uow, lead_id=lead).public_id)
    with app.app_context():
        with pytest.raises(Conflict):
            perform(
                lambda uow: service.accept(uow, public_id=first, consultant_id=cast.ana, actor_id=1) and None,
                clock=in_hours(25),
            )
        assert perform(service.expire_next, clock=in_hours(23)) is False
        assert perform(service.expire_next, clock=in_hours(25)) is True
    assert do(offers, lead) == [(cast.ana, "expired"), (cast.ben, "open")]
    with pytest.raises(Conflict):
        do(lambda uow: service.accept(uow, public_id=first, consultant_id=cast.ana, actor_id=1) and None)
    second = do(lambda uow: uow.session.query(LeadOffer).filter_by(state="open").one().public_id)
    with pytest.raises(NotYours):
        do(lambda uow: service.accept(uow, public_id=second, consultant_id=cast.ana, actor_id=1) and None)
    for _ in range(2):
        do(lambda uow: service.accept(uow, public_id=second, consultant_id=cast.ben, actor_id=1) and None)

    assert do(consultant_of, lead) == cast.ben
    assert do(offers, lead) == [(cast.ana, "expired"), (cast.ben, "accepted")]


def test_the_job_hands_over_what_is_due(do, app, cast, roof, monkeypatch):
    do(only_the_cast, "Ana", "Ben")
    ids = [do(lead_of, roof, number=number) for number in (1, 2)]
    for lead in ids:
        do(service.route, lead_id=lead)
    do(lambda uow: uow.session.query(LeadOffer).update({"respond_by": uow.clock()}) and None)
    with app.app_context():
        assert job.hand_over() == 2
        assert job.hand_over() == 0

    assert [do(offers, lead)[1] for lead in ids] == [(cast.ben, "open"), (cast.ana, "open")]


def test_who_was_just_asked_waits_while_others_are_rested(do, cast, roof):
    do(only_the_cast, "Ana", "Ben", "Cem")
    asked = []
    for number in range(1, 7):
        lead = do(lead_of, roof, number=number)
        do(service.route, lead_id=lead)
        asked.append(do(offers, lead)[0][0])

    assert asked == [cast.ana, cast.ben, cast.cem] * 2


def test_who_must_not_be_contacted_is_offered_to_nobody(do, cast, roof):
    lead, before = do(lead_of, roof, number=1), do(lead_of, roof, number=2)
    do(service.route, lead_id=before)

    def stop(uow):
        for lead_id in (lead, before):
            person = uow.session.get_one(Lead, lead_id).person
            stop_contact(uow, person, reason="asked", actor_id=None)

    do(stop)
    do(service.route, lead_id=lead)

    assert (do(offers, lead), do(why, lead)) == ([], ["stopped"])
    assert [state for _, state in do(offers, before)] == ["withdrawn"]


def test_who_signed_up_becomes_the_customer_of_who_takes_them(do, cast, roof):
    do(only_the_cast, "Ben")

    def story(uow):
        contact = Contact("Dana Reed", "dana@example.com", "", "12 Elm St", "CO")
        sign_up(uow, signup=SignUp(contact, roof.service_id, None, 8_400, (), "signup-1"))
        lead = uow.session.query(Lead).one()
        return service.route(uow, lead_id=lead.id).public_id

    offer = do(story)
    do(lambda uow: service.accept(uow, public_id=offer, consultant_id=cast.ben, actor_id=1) and None)

    customer = do(lambda uow: [(row.consultant_id, row.own_use) for row in uow.session.query(Customer)])
    assert customer == [(cast.ben, False)]


def test_an_admin_gives_a_lead_by_hand_and_the_offer_ends(do, cast, roof):
    lead = do(lead_of, roof)
    do(service.route, lead_id=lead)
    code = do(lambda uow: uow.session.get_one(Consultant, cast.dia).code)
    with pytest.raises(BadInput):
        do(service.assign, lead_id=lead, code="NOBODY22", actor_id=cast.ada)
    do(service.assign, lead_id=lead, code=code.lower(), actor_id=cast.ada)

    assert do(consultant_of, lead) == cast.dia
    assert [state for _, state in do(offers, lead)] == ["withdrawn"]
    with pytest.raises(Conflict):
        do(service.assign, lead_id=lead, code=code, actor_id=cast.ada)


def test_a_hand_over_against_a_rule_says_which_and_needs_a_reason(do, cast, roof):
    """Dia has no licence in California; somebody who has one is given the lead without a word."""
    codes = do(lambda uow: {row.id: row.code for row in uow.session.query(Consultant)})
    lead, licensed = (do(lead_of, roof, number=number, region="CA") for number in (1, 2))
    for reason in ("", "  "):
        with pytest.raises(service.Unfit) as warning:
            do(service.assign, lead_id=lead, code=codes[cast.dia], actor_id=cast.ada, reason=reason)
    assert warning.value.unmet == ["licence"]
    assert do(consultant_of, lead) is None

    why = "Her licence comes on Friday."
    do(service.assign, lead_id=lead, code=codes[cast.dia], actor_id=cast.ada, reason=why)
    do(license, cast.ben)
    do(service.assign, lead_id=licensed, code=codes[cast.ben], actor_id=cast.ada)
    assert (do(consultant_of, lead), do(consultant_of, licensed)) == (cast.dia, cast.ben)
    steps = do(lambda uow: [step.text for step in uow.session.query(LeadStep).filter_by(kind="assigned")])
    assert steps == [why, ""]


def test_the_order_and_the_weights_are_data(do, cast, roof):
    """Ana has a lead and was never asked; Ben has none and was asked a moment ago."""
    do(only_the_cast, "Ana", "Ben")
    do(lead_of, roof, number=7, consultant=cast.ana)
    old = do(lead_of, roof, number=8, consultant=cast.dia)

    def asked_before(uow):
        lead_id = lead_of(uow, roof, number=9)
        offer = service.route(uow, lead_id=lead_id)
        assert offer is not None and offer.consultant_id == cast.ben
        offer.state = "withdrawn"

    do(asked_before)
    chosen = {}
    for name, order in {
        "load alone": [("load", 1)],
        "rest alone": [("rest", 1)],
        "rest is off": [("rest", 0), ("load", 5)],
        "rest weighs more": [("load", 1), ("rest", 1)],
    }.items():
        number = 10 + len(chosen)
        do(decide_rule, [Weighed(*each) for each in order], hours=1, actor_id=cast.ada)
        lead = do(lead_of, roof, number=number)
        do(service.route, lead_id=lead)
        chosen[name] = do(offers, lead)[0][0]
        do(long_ago, lead)

    assert old and chosen == {
        "load alone": cast.ben,
        "rest alone": cast.ana,
        "rest is off": cast.ben,
        "rest weighs more": cast.ana,
    }


def long_ago(uow, lead_id):
    offer = uow.session.query(LeadOffer).filter_by(lead_id=lead_id).one()
    offer.state, offer.offered_at = "withdrawn", offer.offered_at - timedelta(days=60)


def test_a_rule_that_says_nothing_is_refused(do, cast, roof):
    for weighed, hours in (
        ([Weighed("state", 1)], 24),
        ([Weighed("load", 0)], 24),
        ([Weighed("load", 1), Weighed("load", 2)], 24),
        ([Weighed("moon", 1)], 24),
        ([Weighed("load", 11)], 24),
        ([Weighed("load", 1)], 0),
    ):
        with pytest.raises(BadInput):
            do(decide_rule, weighed, hours=hours, actor_id=cast.ada)


def test_a_later_score_joins_by_its_code_alone(do, cast, roof, monkeypatch):
    from sqlalchemy import case

    chance = Criterion("chance", score=lambda _asked: case((Consultant.id == cast.cem, 100), else_=0))
    monkeypatch.setitem(CRITERIA, "chance", chance)
    rule = [Weighed("chance", 10), *(Weighed(*each) for each in SHIPPED)]
    do(decide_rule, rule, hours=24, actor_id=cast.ada)
    lead = do(lead_of, roof)
    do(service.route, lead_id=lead)

    assert do(offers, lead) == [(cast.cem, "open")]
    assert do(reasons, lead)["chance"] == {"code": "chance", "weight": 10, "points": 100}


@pytest.mark.postgres
def test_two_jobs_at_once_offer_a_lead_once_and_hand_it_over_once(postgresql_database, make_app):
    made, again = race(postgresql_database, make_app)

    assert (made, again) == (1, 2)


@pytest.mark.postgres
def test_without_the_lock_on_the_lead_two_jobs_offer_it_twice(postgresql_database, make_app, monkeypatch):
    """The negative control: what the lock is for."""
    monkeypatch.setattr(service, "lock_row", lambda uow, model, row_id: uow.session.get_one(model, row_id))
    monkeypatch.setattr(service, "advisory", lambda _uow, _name: None)

    made, _ = race(postgresql_database, make_app)

    assert made > 1


def race(database, make_app):
    """Eight jobs at the same moment: offers after routing, and after the first one expired."""
    from tests.people import invite_cast

    app = make_app(database)
    cast = invite_cast(app)
    jobs = 8

    def do(work, *values, **named):
        with app.app_context():
            return perform(lambda uow: work(uow, *values, **named))

    lead = do(lambda uow: lead_of(uow, _Plain(None)))
    barrier = Barrier(jobs)

    def together(work):
        def run(_number):
            def wait_and_work(uow):
                uow.session.get(Lead, lead)
                if not barrier.broken:
                    barrier.wait(10)
                return work(uow)

            with app.app_context():
                try:
                    perform(wait_and_work)
                except Exception as lost:  # noqa: BLE001
                    return type(lost).__name__
            return ""

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(run, range(jobs)))

    together(lambda uow: service.route(uow, lead_id=lead) and None)
    made = len(do(offers, lead))
    do(lambda uow: uow.session.query(LeadOffer).update({"respond_by": uow.clock()}) and None)
    together(service.expire_next)
    assert cast
    return made, len(do(offers, lead))


class _Plain:
    """No service: everybody with the desk may be asked."""

    def __init__(self, service_id):
        self.service_id = service_id
