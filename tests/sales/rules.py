"""Terms with rules, licences, and events told straight to the service."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

from sqlalchemy import func, select

from portal.extensions import db
from portal.kernel.ids import new_id
from portal.kernel.vendor_events import VendorEvent
from portal.models import HeldSale, Licence, OwnUseRule, Sale, TermsVersion
from portal.sales import service
from portal.sales.refusals import NothingToDo
from portal.store import UnitOfWork, perform
from tests.vendors import Vera


def rule(**rules: Any) -> None:
    """Give the one version of the terms these rules."""

    def write(uow: UnitOfWork) -> None:
        terms = uow.session.scalars(select(TermsVersion)).one()
        for name, value in rules.items():
            setattr(terms, name, value)

    perform(write)


def tell(vera: Vera, *events: VendorEvent) -> None:
    for event in events:
        known = event.type == "customer.registered"
        work = service.register_customer if known else service.take_event
        with suppress(NothingToDo):
            perform(
                lambda uow, event=event, work=work: work(uow, vendor_id=vera.vendor_id, event=event) and None
            )


def add_licence(consultant_id: int, *, region: str = "CA", **more: Any) -> None:
    about = {
        "state": "verified",
        "kind": "solar",
        "number": "HIS 1234",
        "valid_from": date(2026, 1, 1),
        "expires_on": date(2026, 12, 31),
    }

    def write(uow: UnitOfWork) -> None:
        row = {**about, **more}
        uow.session.add(
            Licence(
                public_id=new_id(),
                consultant_id=consultant_id,
                region=region,
                submitted_at=uow.clock(),
                **row,
            )
        )

    perform(write)


def limit_own_use(volume: int) -> None:
    def write(uow: UnitOfWork) -> None:
        uow.session.add(
            OwnUseRule(valid_from=date(2026, 1, 1), monthly_volume=volume, decided_at=uow.clock())
        )

    perform(write)


def net() -> tuple[int, int]:
    sums = select(func.coalesce(func.sum(Sale.volume), 0), func.coalesce(func.sum(Sale.revenue_cents), 0))
    volume, revenue = db.session.execute(sums).one()
    return int(volume), int(revenue)


def held() -> list[tuple[str, int, list[Any]]]:
    """State, volume and the codes of the reasons of everything that was ever held."""
    db.session.rollback()
    rows = db.session.scalars(select(HeldSale).order_by(HeldSale.id)).unique()
    return [(row.state, row.volume, [reason["code"] for reason in row.reasons]) for row in rows]
