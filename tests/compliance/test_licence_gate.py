"""A solar sale without a licence earns nothing until one for its day is verified; then it counts once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from jobs import licences as jobs
from portal import live
from portal.compliance import licences
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, Conflict
from portal.models import AccountUser, Audit, Cycle, HeldSale, Licence, Message, Sale
from portal.ui.sales import against
from tests.compliance.conftest import SIGNED

VOLUME = 184_00


def legs_of(app, consultant_id):
    with app.app_context():
        return live.legs([consultant_id]).legs[0]


def test_without_a_licence_nobody_earns_and_the_reason_is_told_in_words(app, cast, sell, books, do):
    sell()

    assert books() == (0, 0, "held", ["licence"])
    assert legs_of(app, cast.ana).left == 0
    reasons = do(lambda uow: uow.session.scalars(select(HeldSale)).unique().one().reasons)
    with app.test_request_context():
        assert against(reasons) == "no verified solar licence for California covers Nov 2, 2026"


def test_once_verified_it_counts_in_the_open_cycle_once_however_often_the_job_runs(
    app, cast, sell, books, licensed, react, do
):
    sell()
    public_id = licensed(verify=False)
    react()
    assert books() == (0, 0, "held", ["licence"])

    do(
        lambda uow: (
            licences.verify(uow, public_id=public_id, actor_id=cast.ada, reason="In the register.") and None
        )
    )
    react()
    assert books()[:3] == (1, VOLUME, "released")
    licence_id = do(lambda uow: uow.session.scalars(select(Licence.id)).one())
    do(jobs.release_held, {"licence_id": licence_id})
    do(jobs.release_held, {"licence_id": licence_id})

    assert books()[:2] == (1, VOLUME)
    assert legs_of(app, cast.ana).left == VOLUME
    cycles = do(lambda uow: uow.session.scalars(select(Sale.cycle_id)).all())
    assert cycles == [do(lambda uow: uow.session.scalar(select(Cycle.id).where(Cycle.state == "open")))]


@pytest.mark.parametrize(
    ("first", "last", "held"),
    [
        (date(2026, 1, 1), SIGNED, False),
        (date(2026, 1, 1), SIGNED - timedelta(days=1), True),
        (SIGNED, date(2027, 1, 1), False),
        (SIGNED + timedelta(days=1), date(2027, 1, 1), True),
    ],
)
def test_the_day_of_signing_decides(sell, books, licensed, first, last, held):
    licensed(first, last)
    sell()

    assert books()[2] == ("held" if held else "")
    assert books()[0] == (0 if held else 1)


def test_another_state_needs_none_and_a_licence_of_another_state_does_not_help(sell, books, licensed):
    sell("K1", state="CO")
    licensed(region="NV")
    sell("K2", state="CA")

    assert books("K1")[:3] == (1, VOLUME, "")
    assert books("K2")[:3] == (0, 0, "held")


def test_a_licence_that_only_covers_the_past_releases_the_past(sell, books, licensed, react):
    sell("K1")
    sell("K2", signed_on=date(2026, 11, 10))
    licensed(date(2026, 1, 1), date(2026, 11, 5))
    react()

    assert books("K1")[:3] == (1, VOLUME, "released")
    assert books("K2")[:3] == (0, 0, "held")


def test_days_before_it_was_sent_in_ask_for_a_reason(cast, licensed, do):
    public_id = licensed(verify=False)
    with pytest.raises(BadInput):
        do(licences.verify, public_id=public_id, actor_id=cast.ada, reason="  ")

    today = utc_now().date()
    later = licensed(today, today + timedelta(days=300), verify=False, number="9")
    do(lambda uow: licences.verify(uow, public_id=later, actor_id=cast.ada, reason="") and None)


def test_ended_early_it_covers_the_days_before_and_no_others(cast, sell, books, licensed, do):
    public_id = licensed()
    seen = {"public_id": public_id, "actor_id": cast.ada, "reason": "Revoked."}
    do(lambda uow: licences.end_early(uow, last_day=date(2026, 11, 5), **seen) and None)
    sell("K1")
    sell("K2", signed_on=date(2026, 11, 6))

    assert (books("K1")[0], books("K2")[2]) == (1, "held")
    said = do(lambda uow: uow.session.execute(select(Licence.state, Licence.decision)).one())
    assert tuple(said) == ("verified", "Seen in the register. Revoked.")
    deeds = do(lambda uow: uow.session.scalars(select(Audit.action).order_by(Audit.id)).all())
    assert [deed for deed in deeds if deed.startswith("licence")] == [
        "licence submitted",
        "licence verified",
        "licence ended",
    ]


def test_taken_back_from_its_first_day_it_never_counted(cast, sell, books, licensed, do):
    public_id = licensed()
    seen = {"public_id": public_id, "actor_id": cast.ada, "reason": "Forged."}
    do(lambda uow: licences.end_early(uow, last_day=date(2025, 12, 31), **seen) and None)
    sell()

    assert books()[2] == "held"


def test_nobody_decides_on_their_own_licence_and_nobody_decides_twice(cast, licensed, do):
    public_id = licensed(verify=False)
    own = do(
        lambda uow: uow.session.scalar(select(AccountUser.id).where(AccountUser.email == "ben@example.com"))
    )
    with pytest.raises(Conflict, match="your own"):
        do(licences.verify, public_id=public_id, actor_id=own, reason="It is mine.")
    seen = {"public_id": public_id, "actor_id": cast.ada, "reason": "Not in the register."}
    do(lambda uow: licences.reject(uow, **seen) and None)
    with pytest.raises(Conflict, match="already"):
        do(licences.reject, **seen)


def test_the_same_licence_is_sent_in_once(licensed):
    licensed(verify=False)
    with pytest.raises(Conflict, match="already"):
        licensed(verify=False)


def test_a_decision_is_told_once(cast, licensed, react, do):
    licensed()
    rejected = licensed(region="NV", verify=False)
    seen = {"public_id": rejected, "actor_id": cast.ada, "reason": "The number is not known there."}
    do(lambda uow: licences.reject(uow, **seen) and None)
    react()

    told = do(lambda uow: uow.session.execute(select(Message.template, Message.params)).all())
    assert [name for name, _ in told] == ["licence_verified", "licence_rejected"]
    assert told[1][1]["reason"] == "The number is not known there."
    assert do(lambda uow: uow.session.scalar(select(func.count(Sale.id)))) == 0
