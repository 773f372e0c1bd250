"""Five closed weeks under a plan with everything in it, and drafts to try on them."""

from __future__ import annotations

import copy
import random
from functools import partial

from sqlalchemy import func, select

from portal.commissions.plans.drafts import make_draft
from portal.extensions import db
from portal.models import CommissionLine, Cycle, PlanDraft, PlanVersion, Sale
from portal.store import perform
from tests.commissions.closes import approve, close, end
from tests.people import PLAN, Cast, add_consultant, invite_cast
from tests.shop import add_sale, reverse_sale

WEEKS = 5
RICH = PLAN | {
    "activity": {"personal_volume": "10.00", "window_cycles": 2},
    "unilevel": {"rates": ["0.03", "0.02"]},
    "matching": {"rates": ["0.20", "0.10"], "depth": {"pack": 1, "plus": 2}},
    "ranks": [{"name": "bronze", "requires": {"weak_leg_volume": "100.00"}, "pool_shares": 1}],
    "pool": {"rate": "0.01"},
    "payout_limit": "0.20",
    "binary": PLAN["binary"] | {"cap": {"money": {"plus": "30.00"}}, "carry_cycles": 3},
}


def close_five(app) -> Cast:
    """Random sales in five weeks; later weeks reverse sales of earlier ones, in parts and whole."""
    cast, rng = invite_cast(app), random.Random(7)
    with app.app_context():
        db.session.get_one(PlanVersion, 1).document = RICH
        db.session.commit()
        people = [cast.ana, cast.ben, cast.cem]
        for name, sponsor, leg in (
            ("Eve", cast.ben, "L"),
            ("Fay", cast.ben, "R"),
            ("Gus", cast.cem, "L"),
            ("Hal", cast.cem, "R"),
        ):
            people.append(perform(partial(add_consultant, name=name, sponsor=sponsor, under=(sponsor, leg))))
        sales: list[int] = []
        for _ in range(WEEKS):
            for sale in rng.sample(sales, min(3, len(sales))):
                perform(partial(undo_some, sale_id=sale))
            sales += [perform(partial(sell, seller=rng.choice(people), rng=rng)) for _ in range(9)]
            cycle_id = db.session.scalar(select(Cycle.id).where(Cycle.state == "open"))
            end(cast)
            approve(cycle_id, cast.ada, cast.fin)
            close(cycle_id)
        kinds = set(db.session.scalars(select(CommissionLine.kind)))
        assert kinds >= {"retail", "direct", "unilevel", "binary", "matching", "pool"}
    return cast


def sell(uow, *, seller, rng):
    return add_sale(uow, seller, rng.randint(20_00, 400_00), revenue=rng.randint(100_00, 900_00))


def undo_some(uow, *, sale_id):
    """A third of what is left of a sale, or all of it."""
    volume, revenue = uow.session.execute(
        select(func.sum(Sale.volume), func.sum(Sale.revenue_cents)).where(
            (Sale.id == sale_id) | (Sale.reverses_id == sale_id)
        )
    ).one()
    part = 1 if sale_id % 2 else 3
    reverse_sale(uow, sale_id, volume=int(volume) // part, revenue=int(revenue) // part)


def drafted(cast, **changed):
    draft = perform(lambda uow: make_draft(uow, version_id=1, actor_id=cast.ada).id)
    db.session.get_one(PlanDraft, draft).document = copy.deepcopy(RICH) | changed
    db.session.commit()
    return draft
