"""Who stands where: one spot for one person, also when many ask at once, also in very deep trees."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from portal.kernel import clock
from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.members import queries
from portal.members.placement import place_by_hand, place_waiting
from portal.models import Consultant, Outbox, Person, Placement
from portal.store import perform
from tests.members.conftest import NOW, Company


def _spot(company: Company, consultant_id: int) -> tuple[int | None, str | None] | None:
    placement = company.read(lambda session: queries.placement_of(session, consultant_id))
    return (placement.parent_id, placement.leg) if placement else None


def _by_hand(company: Company, sponsor: int, person: int, parent: int, leg: str) -> None:
    def work(uow):
        sponsor_row, person_row, parent_row = (
            uow.session.get(Consultant, number) for number in (sponsor, person, parent)
        )
        place_by_hand(uow, sponsor=sponsor_row, consultant=person_row, parent=parent_row, leg=leg)

    with company.app.app_context():
        perform(work)


def _place_waiting(company: Company, *, after: timedelta = timedelta(0)) -> int:
    with company.app.app_context():
        later = clock.fixed(clock.utc_now() + after)
        return perform(lambda uow: len(place_waiting(uow)), later)


@pytest.mark.parametrize(("preference", "leg"), [("left", "L"), ("right", "R")])
def test_the_preferred_side_is_filled_from_top_to_bottom(small_company, preference, leg):
    ana = small_company.consultant("Ana")
    small_company.prefer(ana, preference)

    people = [small_company.join(name, sponsor=ana) for name in ("Ben", "Cem", "Eda")]

    assert [_spot(small_company, person) for person in people] == [
        (ana, leg),
        (people[0], leg),
        (people[1], leg),
    ]


def test_the_side_of_the_link_counts_before_the_preference(small_company):
    ana = small_company.consultant("Ana")
    small_company.prefer(ana, "left")
    ben = small_company.join("Ben", sponsor=ana, side="R")
    assert _spot(small_company, ben) == (ana, "R")


def test_the_outside_edge_is_not_left_for_an_inner_gap(small_company):
    """
    ana
      L ben
          L cem
            R eda
    """
    ana = small_company.consultant("Ana")
    ben = small_company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    cem = small_company.consultant("Cem", sponsor=ana, under=(ben, "L"))
    small_company.consultant("Eda", sponsor=ana, under=(cem, "R"))
    small_company.prefer(ana, "left")

    assert _spot(small_company, small_company.join("Fay", sponsor=ana)) == (cem, "L")


def test_the_leg_with_less_volume_is_the_weaker_one(small_company):
    ana = small_company.consultant("Ana")
    ben = small_company.join("Ben", sponsor=ana, volumes=lambda _ana: (500, 499))
    cem = small_company.join("Cem", sponsor=ana, volumes=lambda _ana: (500, 501))
    eda = small_company.join("Eda", sponsor=ana, volumes=lambda _ana: (500, 499))

    assert [_spot(small_company, person) for person in (ben, cem, eda)] == [
        (ana, "R"),
        (ana, "L"),
        (ben, "R"),
    ]


def test_without_volumes_the_leg_with_fewer_people_is_weaker_and_then_left(small_company):
    ana = small_company.consultant("Ana")

    people = [small_company.join(f"P{number}", sponsor=ana) for number in range(4)]

    legs = [_spot(small_company, person) for person in people]
    assert legs == [(ana, "L"), (ana, "R"), (people[0], "L"), (people[1], "R")]


def test_equal_volumes_are_decided_by_people(small_company):
    ana = small_company.consultant("Ana")
    small_company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    cem = small_company.join("Cem", sponsor=ana, volumes=lambda _ana: (700, 700))
    assert _spot(small_company, cem) == (ana, "R")


def test_people_far_below_count_too(small_company):
    ana = small_company.consultant("Ana")
    ben = small_company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    cem = small_company.consultant("Cem", sponsor=ana, under=(ana, "R"))
    small_company.consultant("Eda", sponsor=ana, under=(cem, "L"))
    assert _spot(small_company, small_company.join("Fay", sponsor=ana)) == (ben, "L")


def test_without_a_sponsor_one_stands_at_the_top(small_company):
    ana = small_company.join("Ana")
    assert _spot(small_company, ana) == (None, None)


def test_a_sponsor_who_places_by_hand_lets_people_wait(small_company):
    ana = small_company.consultant("Ana")
    small_company.prefer(ana, "hand")
    ben = small_company.join("Ben", sponsor=ana)

    assert _spot(small_company, ben) is None
    waiting = small_company.read(lambda session: [c.id for c in queries.waiting_people(session, ana)])
    assert waiting == [ben]

    _by_hand(small_company, ana, ben, ana, "R")
    assert _spot(small_company, ben) == (ana, "R")
    facts = small_company.read(lambda session: list(session.scalars(select(Outbox.name))))
    assert facts.count("consultant.placed") == 1


def test_a_spot_anywhere_in_the_own_downline_can_be_chosen(small_company):
    ana = small_company.consultant("Ana")
    ben = small_company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    cem = small_company.consultant("Cem", sponsor=ben, under=(ben, "R"))
    small_company.prefer(ana, "hand")
    eda = small_company.join("Eda", sponsor=ana)

    _by_hand(small_company, ana, eda, cem, "L")

    assert _spot(small_company, eda) == (cem, "L")


def test_what_is_not_yours_does_not_exist(small_company):
    ana = small_company.consultant("Ana")
    ben = small_company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    dia = small_company.consultant("Dia")
    small_company.prefer(ana, "hand")
    eda = small_company.join("Eda", sponsor=ana)

    for sponsor, parent in [(ben, ben), (dia, dia), (ana, dia), (ana, eda)]:
        with pytest.raises(NotYours):
            _by_hand(small_company, sponsor, eda, parent, "L")
    assert _spot(small_company, eda) is None


def test_a_sponsor_cannot_place_above_themselves(small_company):
    ana = small_company.consultant("Ana")
    ben = small_company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    small_company.prefer(ben, "hand")
    eda = small_company.join("Eda", sponsor=ben)
    with pytest.raises(NotYours):
        _by_hand(small_company, ben, eda, ana, "R")


def test_a_taken_spot_a_placed_person_and_a_third_leg_are_refused(small_company):
    ana = small_company.consultant("Ana")
    ben = small_company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    small_company.prefer(ana, "hand")
    eda = small_company.join("Eda", sponsor=ana)

    with pytest.raises(Conflict):
        _by_hand(small_company, ana, eda, ana, "L")
    with pytest.raises(Conflict):
        _by_hand(small_company, ana, ben, ana, "R")
    with pytest.raises(BadInput):
        _by_hand(small_company, ana, eda, ana, "M")


def test_who_waits_seven_days_is_placed_on_the_weaker_leg(small_company):
    ana = small_company.consultant("Ana")
    small_company.prefer(ana, "hand")
    ben = small_company.join("Ben", sponsor=ana)
    cem = small_company.join("Cem", sponsor=ana, side="L")

    assert _place_waiting(small_company, after=timedelta(days=6, hours=23)) == 0
    assert _place_waiting(small_company, after=timedelta(days=7, minutes=1)) == 2
    assert _place_waiting(small_company, after=timedelta(days=8)) == 0

    assert [_spot(small_company, person) for person in (ben, cem)] == [(ana, "L"), (ben, "L")]


def test_people_of_a_waiting_sponsor_follow_when_the_sponsor_has_a_place(small_company):
    ana = small_company.consultant("Ana")
    small_company.prefer(ana, "hand")
    ben = small_company.join("Ben", sponsor=ana)
    cem = small_company.join("Cem", sponsor=ben)
    assert _spot(small_company, cem) is None
    assert _place_waiting(small_company) == 0

    _by_hand(small_company, ana, ben, ana, "R")

    assert _place_waiting(small_company) == 1
    assert _spot(small_company, cem) == (ben, "L")


def test_sixteen_people_under_one_sponsor_at_once_all_get_a_place(company):
    ana = company.consultant("Ana")
    registrations = [company.begin(f"P{number}", sponsor=ana) for number in range(16)]

    with ThreadPoolExecutor(16) as pool:
        people = list(pool.map(company.complete, registrations))

    spots = [_spot(company, person) for person in people]
    assert None not in spots
    assert len(set(spots)) == 16


def test_two_sponsors_whose_legs_end_in_one_spot_do_not_collide(company):
    ana = company.consultant("Ana")
    ben = company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    registrations = [company.begin(f"P{n}", sponsor=[ana, ben][n % 2], side="L") for n in range(8)]

    with ThreadPoolExecutor(8) as pool:
        people = list(pool.map(company.complete, registrations))

    assert len({_spot(company, person) for person in people}) == 8


def test_two_hands_reaching_for_one_spot_give_it_to_one(company):
    ana = company.consultant("Ana")
    company.prefer(ana, "hand")
    people = [company.join(name, sponsor=ana) for name in ("Ben", "Cem", "Eda", "Fay")]

    def reach(person: int) -> str:
        try:
            _by_hand(company, ana, person, ana, "L")
        except Conflict:
            return "refused"
        return "placed"

    with ThreadPoolExecutor(4) as pool:
        results = sorted(pool.map(reach, people))

    assert results == ["placed", "refused", "refused", "refused"]


def test_the_database_itself_refuses_a_second_person_in_a_spot(company):
    from sqlalchemy.exc import IntegrityError

    ana = company.consultant("Ana")
    company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    with pytest.raises(IntegrityError):
        company.consultant("Cem", sponsor=ana, under=(ana, "L"))


def test_a_leg_ten_thousand_deep_is_walked_in_a_moment(company):
    ana = company.consultant("Ana")
    bottom = _write_chain(company, ana, length=10_000)

    start = time.perf_counter()
    newcomer = company.join("Zoe", sponsor=ana, side="L")
    took = time.perf_counter() - start

    assert _spot(company, newcomer) == (bottom, "L")
    assert company.read(lambda session: queries.is_in_downline(session, ana, newcomer))
    assert not company.read(lambda session: queries.is_in_downline(session, newcomer, ana))
    assert company.read(lambda session: queries.smaller_leg(session, ana)) == "R"
    assert took < 5


def test_a_place_that_was_left_is_free_again(small_company):
    ana = small_company.consultant("Ana")
    ben = small_company.consultant("Ben", sponsor=ana, under=(ana, "L"))
    with small_company.app.app_context():
        left = update(Placement).where(Placement.consultant_id == ben).values(valid_until=NOW)
        perform(lambda uow: uow.session.execute(left) and None)

    cem = small_company.join("Cem", sponsor=ana, side="L")

    assert _spot(small_company, cem) == (ana, "L")
    assert not small_company.read(lambda session: queries.is_in_downline(session, ana, ben))


def test_nobody_is_in_their_own_downline(small_company):
    ana = small_company.consultant("Ana")
    assert not small_company.read(lambda session: queries.is_in_downline(session, ana, ana))


def test_children_are_told_by_leg(small_company):
    ana = small_company.consultant("Ana")
    small_company.consultant("Ben", sponsor=ana, under=(ana, "R"))
    seen = small_company.read(
        lambda session: {leg: c.person.name for leg, c in queries.children_of(session, ana).items()}
    )
    assert seen == {"R": "Ben"}


def _write_chain(company: Company, top: int, *, length: int) -> int:
    """A leg in which everybody stands left below the one before; gives the last one's id."""
    numbers = range(1_000_000, 1_000_000 + length)
    people = [
        {"id": n, "public_id": f"p{n}", "name": f"N {n}", "email": f"n{n}@example.com", "created_at": NOW}
        for n in numbers
    ]
    consultants = [
        {"id": n, "public_id": f"c{n}", "code": f"C{n}", "person_id": n, "sponsor_id": top, "pack": "pack",
         "status": "active", "preference": "weaker", "joined_at": NOW}
        for n in numbers
    ]  # fmt: skip
    places = [
        {"consultant_id": n, "parent_id": n - 1 if n > numbers[0] else top, "leg": "L", "valid_from": NOW}
        for n in numbers
    ]

    def work(uow):
        for model, rows in ((Person, people), (Consultant, consultants), (Placement, places)):
            uow.session.execute(insert(model), rows)

    with company.app.app_context():
        perform(work)
    return numbers[-1]
