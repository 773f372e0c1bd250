"""The cast: Ana sponsors Ben (left) and Cem (right); Dia is a stranger; Fin and Ada keep the company."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import select

from portal.commissions.cycles import open_first_cycle
from portal.commissions.plans.versions import add_plan
from portal.commissions.weeks import week_of
from portal.kernel.ids import new_code, new_id
from portal.models import AccountUser, Consultant, Destination, Pack, Person, Placement, RoleGrant, TaxForm
from portal.payouts.payees.methods import method_by_code
from portal.payouts.payees.shipped import BANK_FILE, ensure_methods
from portal.store import UnitOfWork, perform

PASSWORD = "correct horse battery"

PLAN: dict[str, object] = {
    "name": "Test plan",
    "currency": "USD",
    "cycle": "weekly",
    "point_value": "1.00",
    "activity": {"personal_volume": "0.00", "window_cycles": 4},
    "retail": {"rate": {"pack": "0.05", "plus": "0.05", "smart": "0.05"}},
    "direct": {"rate": {"pack": "0.04", "plus": "0.04", "smart": "0.04"}},
    "binary": {
        "mode": "percent",
        "rate": {"pack": "0.10", "plus": "0.10"},
        "qualify": {"active": True, "each_leg": 1},
        "debt": "clawback",
    },
}


@dataclass(frozen=True)
class Cast:
    """Consultant ids of the cast, user ids of the staff; sign in as `<name>@example.com` with `PASSWORD`."""

    ana: int
    ben: int
    cem: int
    dia: int
    fin: int
    ada: int
    cycle: int


def invite_cast(app: Flask) -> Cast:
    """Write the cast, three packs, a plan and an open week into an empty database."""
    with app.app_context():
        return perform(_write)


def add_consultant(
    uow: UnitOfWork,
    name: str,
    *,
    sponsor: int | None = None,
    under: tuple[int, str] | None = None,
    pack: str = "plus",
) -> int:
    """A consultant called `name` who can be paid, placed at `under` = (parent, leg), or not placed."""
    user = add_user(uow, name, role="consultant")
    consultant = Consultant(
        public_id=new_id(),
        code=new_code(),
        person_id=user.person_id,
        sponsor_id=sponsor,
        pack=pack,
        status="active",
        preference="weaker",
        joined_at=uow.clock(),
    )
    uow.session.add(consultant)
    uow.session.flush()
    if under is not None or sponsor is None:
        parent, leg = under or (None, None)
        uow.session.add(
            Placement(consultant_id=consultant.id, parent_id=parent, leg=leg, valid_from=uow.clock())
        )
        uow.session.flush()
    let_be_paid(uow, consultant.id)
    return consultant.id


def let_be_paid(uow: UnitOfWork, consultant_id: int, *, withhold: bool = False) -> Destination:
    """A signed tax form, and a bank account that has rested long enough."""
    ensure_methods(uow)
    long_ago = uow.clock() - timedelta(days=30)
    uow.session.add(
        TaxForm(
            public_id=new_id(),
            consultant_id=consultant_id,
            legal_name="Somebody",
            classification="individual",
            tax_number="123-45-6789",
            last_four="6789",
            backup_withholding=withhold,
            state="valid",
            signed_at=long_ago,
        )
    )
    made = Destination(
        public_id=new_id(),
        consultant_id=consultant_id,
        method_id=method_by_code(uow.session, BANK_FILE).id,
        label="••6789",
        details=json.dumps(
            {"holder": "Somebody", "routing": "021000021", "account": "123456789", "type": "checking"}
        ),
        country="US",
        ready=True,
        created_at=long_ago,
        usable_at=long_ago,
    )
    uow.session.add(made)
    uow.session.flush()
    return made


def add_user(uow: UnitOfWork, name: str, *, role: str) -> AccountUser:
    """A person with a sign-in and one role."""
    now = uow.clock()
    person = Person(public_id=new_id(), name=name, email=f"{name.lower()}@example.com", created_at=now)
    uow.session.add(person)
    uow.session.flush()
    user = AccountUser(
        person_id=person.id, email=person.email, password_hash=_password_hash(), created_at=now
    )
    user.grants = [RoleGrant(role=role)]
    uow.session.add(user)
    uow.session.flush()
    return user


def open_week(uow: UnitOfWork) -> int:
    """The open cycle around now, with the test plan."""
    week = week_of(uow.clock(), ZoneInfo("America/Denver"))
    add_plan(uow, PLAN, valid_from=week.starts_at)
    return open_first_cycle(uow, at=uow.clock(), zone=ZoneInfo("America/Denver")).id


def _write(uow: UnitOfWork) -> Cast:
    for position, (code, name, price, monthly) in enumerate(
        [
            ("pack", "Consultant Pack", 4900, 0),
            ("plus", "Consultant Plus+", 14900, 1900),
            ("smart", "Smart", 0, 0),
        ]
    ):
        known = uow.session.scalar(select(Pack).where(Pack.code == code))
        if known is None:
            uow.session.add(
                Pack(
                    code=code,
                    name=name,
                    summary=name,
                    price_cents=price,
                    monthly_cents=monthly,
                    position=position,
                    features={"lead_desk": code == "plus"},
                )
            )
    uow.session.flush()
    ana = add_consultant(uow, "Ana")
    ben = add_consultant(uow, "Ben", sponsor=ana, under=(ana, "L"))
    cem = add_consultant(uow, "Cem", sponsor=ana, under=(ana, "R"))
    dia = add_consultant(uow, "Dia")
    fin = add_user(uow, "Fin", role="finance").id
    ada = add_user(uow, "Ada", role="admin").id
    return Cast(ana=ana, ben=ben, cem=cem, dia=dia, fin=fin, ada=ada, cycle=open_week(uow))


_hashes: list[str] = []


def _password_hash() -> str:
    if not _hashes:
        from argon2 import PasswordHasher

        _hashes.append(PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD))
    return _hashes[0]
