"""A corrected day of signing brings other terms: what was sold is paid by those, whenever it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import select

from portal.commissions import gathering
from portal.engine import KINDS, calculate
from portal.extensions import db
from portal.kernel.vendor_events import VendorEvent
from portal.models import CommissionLine, Cycle, HeldSale, Sale, TermsVersion
from portal.sales import holds, settling
from portal.store import UnitOfWork, perform
from tests.commissions.closed import closed
from tests.people import Cast
from tests.sales.histories import end_of, named
from tests.sales.rules import held, net, tell
from tests.vendors import NOON, Vera, activated, invite_vera

FIRST = {"vendor": 6000, "company": 2900, "consultant": 800, "upline": [300]}
LATER = {"vendor": 5000, "company": 4000, "consultant": 1000, "upline": []}
BEGINS = date(2026, 11, 10)


@pytest.fixture
def vera(app: Flask, cast: Cast) -> Iterator[Vera]:
    """Vera's service shares 8% and 3%; what is signed from the tenth of November on 10% and nothing more."""
    found = invite_vera(app, cast)
    with app.app_context():
        perform(lambda uow: _share(uow))
        yield found


def _share(uow: UnitOfWork, **more: Any) -> None:
    first = uow.session.scalars(select(TermsVersion)).one()
    first.shares = FIRST
    same = {
        column.name: getattr(first, column.name)
        for column in TermsVersion.__table__.columns
        if column.name not in ("id", "valid_from", "shares")
    }
    uow.session.add(TermsVersion(**{**same, "valid_from": BEGINS, "shares": LATER, **more}))


def change_later(**values: Any) -> None:
    def write(uow: UnitOfWork) -> None:
        later = uow.session.scalars(select(TermsVersion).where(TermsVersion.valid_from == BEGINS)).one()
        for name, value in values.items():
            setattr(later, name, value)

    perform(write)


def signed_late(vera: Vera, **more: Any) -> VendorEvent:
    """The contract is active, signed on the sixteenth as far as it is known."""
    return activated(vera, **{"signed_on": NOON.date(), **more})


def corrected(vera: Vera, **more: Any) -> VendorEvent:
    """It was signed on the second."""
    about = {"type": "service.signed", "milestone": "signed", "occurred_at": NOON, "size_thousandths": 0}
    return activated(vera, **{**about, "signed_on": date(2026, 11, 2), **more})


def sales() -> list[tuple[int, int, bool, date]]:
    """Volume, revenue, whether it is a reversal, and from when its terms are, of every sale in its order."""
    db.session.rollback()
    rows = select(Sale.volume, Sale.revenue_cents, Sale.reverses_id, TermsVersion.valid_from)
    rows = rows.join(TermsVersion, TermsVersion.id == Sale.terms_version_id).order_by(Sale.id)
    return [(volume, cents, of is not None, day) for volume, cents, of, day in db.session.execute(rows)]


def test_other_shares_take_back_what_was_sold_and_sell_it_anew(vera: Vera, cast: Cast) -> None:
    tell(vera, signed_late(vera), corrected(vera))
    tell(vera, corrected(vera, occurred_at=NOON + timedelta(minutes=1)))

    start = date(2026, 1, 1)
    assert sales() == [
        (184_00, 620_00, False, BEGINS),
        (-184_00, -620_00, True, BEGINS),
        (184_00, 620_00, False, start),
    ]
    assert set(db.session.scalars(select(Sale.consultant_id))) == {cast.ben}
    assert [found.state for found in db.session.scalars(select(HeldSale)).unique()] == []


def test_terms_that_share_alike_move_the_difference_alone(vera: Vera) -> None:
    change_later(shares=dict(FIRST), revenue_flat_cents=150_00)

    tell(vera, signed_late(vera), corrected(vera))

    assert sales() == [(184_00, 570_00, False, BEGINS), (0, 50_00, False, date(2026, 1, 1))]


def test_what_is_taken_back_later_goes_by_the_terms_that_paid_it(vera: Vera) -> None:
    smaller = activated(
        vera,
        type="service.changed",
        milestone="",
        size_thousandths=4_000,
        occurred_at=NOON + timedelta(hours=3),
    )

    tell(vera, signed_late(vera), corrected(vera), smaller)

    assert sales()[-1] == (-44_00, -220_00, True, date(2026, 1, 1))


def test_what_is_sold_anew_is_held_against_the_rules_of_its_terms(vera: Vera, cast: Cast) -> None:
    first = select(TermsVersion).where(TermsVersion.valid_from < BEGINS)
    perform(lambda uow: setattr(uow.session.scalars(first).one(), "states", ["CA"]))

    tell(vera, signed_late(vera, customer_state="UT"), corrected(vera))

    assert net() == (0, 0)
    assert held() == [("held", 184_00, ["state"])]
    one = db.session.scalars(select(HeldSale.public_id)).one()
    perform(lambda uow: holds.release(uow, public_id=one, actor_id=cast.fin, note="Signed by fax") and None)
    assert sales()[-1] == (184_00, 620_00, False, date(2026, 1, 1))
    tell(vera, corrected(vera, occurred_at=NOON + timedelta(minutes=1)))
    assert net() == (184_00, 620_00)


def test_what_somebody_released_is_sold_anew_without_asking_again(vera: Vera, cast: Cast) -> None:
    perform(_only_in_california)
    tell(vera, signed_late(vera, customer_state="UT"))
    one = db.session.scalars(select(HeldSale.public_id)).one()
    perform(lambda uow: holds.release(uow, public_id=one, actor_id=cast.fin, note="Signed by fax") and None)

    tell(vera, corrected(vera))

    assert sales()[-1] == (184_00, 620_00, False, date(2026, 1, 1))
    assert held() == [("released", 184_00, ["state"])]


def test_what_was_refused_is_never_sold_whatever_the_terms(vera: Vera, cast: Cast) -> None:
    change_later(states=["CA"])
    tell(vera, signed_late(vera, customer_state="UT"))
    one = db.session.scalars(select(HeldSale.public_id)).one()
    perform(lambda uow: holds.refuse(uow, public_id=one, actor_id=cast.fin, note="Not ours") and None)

    tell(vera, corrected(vera))

    assert sales() == []


def test_what_is_held_is_worth_what_the_right_terms_say(vera: Vera) -> None:
    change_later(states=["CA"], volume_flat=1_00)
    tell(vera, signed_late(vera, customer_state="UT"))
    assert held() == [("held", 85_00, ["state"])]

    tell(vera, corrected(vera))

    assert sales() == [(184_00, 620_00, False, date(2026, 1, 1))]
    assert held() == [("released", 85_00, ["state"])]


def _only_in_california(uow: UnitOfWork) -> None:
    for terms in uow.session.scalars(select(TermsVersion)):
        terms.states = ["CA"]


def facts(vera: Vera) -> list[VendorEvent]:
    """Active, another size, and the day of signing that was wrong."""
    larger = activated(
        vera,
        type="service.changed",
        milestone="",
        size_thousandths=10_000,
        occurred_at=NOON + timedelta(hours=2),
        signed_on=None,
    )
    return [signed_late(vera, size_thousandths=8_000), larger, corrected(vera)]


def told_around_a_close(vera: Vera, cast: Cast) -> list[str]:
    """Every order of the facts, with the cycle closed and paid after none, one, two or all of them."""
    orders = [(order, cut) for order in permutations(facts(vera)) for cut in range(4)]
    names = [f"{number}" for number in range(len(orders))]
    for name, (order, cut) in zip(names, orders, strict=True):
        tell(vera, *[named(event, name) for event in order[:cut]])
    closed(cast.cycle, cast.ada, cast.fin)
    for name, (order, cut) in zip(names, orders, strict=True):
        tell(vera, *[named(event, name) for event in order[cut:]])
    return names


def paid_by_terms() -> Counter[tuple[int, str]]:
    """What the closed cycle paid on revenue and what the open one pays, by consultant and kind, cents."""
    found: Counter[tuple[int, str]] = Counter()
    of_close = select(CommissionLine.consultant_id, CommissionLine.kind, CommissionLine.amount_cents)
    for who, kind, cents in db.session.execute(of_close):
        found[who, kind] += cents
    gathered = gathering.gather(
        db.session(), db.session.scalars(select(Cycle).where(Cycle.state == "open")).one()
    )
    lines = calculate(gathered.inputs).lines
    for member, kind, cents in zip(lines.member, lines.kind, lines.amount, strict=True):
        found[int(gathered.consultants[int(member)]), KINDS[int(np.int64(kind))]] += int(cents)
    return Counter({key: cents for key, cents in found.items() if key[1] in ("retail", "revenue_share")})


def test_before_and_after_pay_and_in_any_order_it_ends_in_the_same_books_and_pay(
    vera: Vera, cast: Cast
) -> None:
    names = told_around_a_close(vera, cast)

    ends = [end_of(name) for name in names]
    assert all(end == ends[0] for end in ends)
    ((_, revenue),) = ends[0]["net"].values()
    # 10 kW are $700.00: 8% to Ben and 3% to Ana, for each of the contracts.
    assert revenue == 700_00
    assert paid_by_terms() == {
        (cast.ben, "retail"): 56_00 * len(names),
        (cast.ana, "revenue_share"): 21_00 * len(names),
    }


def test_the_difference_alone_would_pay_by_whatever_came_first(
    vera: Vera, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: as if all terms shared alike."""
    monkeypatch.setattr(settling, "_shared_otherwise", lambda *_: settling.Sold())

    names = told_around_a_close(vera, cast)

    assert len({str(end_of(name)["net"]) for name in names}) > 1
    assert paid_by_terms()[cast.ben, "retail"] != 56_00 * len(names)
