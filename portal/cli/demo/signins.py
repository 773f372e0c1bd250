"""Who can sign in to the demo: passwords made for this installation, printed, and kept for its owner only."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from portal.access.passwords import hash_password
from portal.cli.demo.names import Invented
from portal.cli.demo.network import MAYA, THEO
from portal.cli.demo.offers import OFFERS, Stored
from portal.cli.demo.rows import insert_people, insert_rows
from portal.cli.demo.weeks import Staff
from portal.cli.users import made_up_password
from portal.models import AccountUser, Consultant, Person, RoleGrant
from portal.store import UnitOfWork

STAFF = (
    ("Sam Reyes", "sam@example.com", "admin"),
    ("Priya Shah", "priya@example.com", "admin"),
    ("Fiona Marsh", "fin@example.com", "finance"),
)


@dataclass(frozen=True)
class SignIn:
    """A line of the printed table."""

    role: str
    email: str
    password: str


@dataclass(frozen=True)
class VendorKey:
    """What a vendor's developer needs to post events."""

    vendor: str
    path: str
    key: str


def insert_staff(uow: UnitOfWork, *, invented: Invented) -> tuple[Staff, list[SignIn]]:
    """Two admins and finance, each with a fresh password."""
    since = uow.clock()
    people = insert_people(uow, [(name, email, since) for name, email, _ in STAFF], invented=invented)
    sign_ins = [SignIn(role, invented.reserve(email), made_up_password()) for _, email, role in STAFF]
    rows = [
        {
            "person_id": person_id,
            "email": sign_in.email,
            "password_hash": hash_password(sign_in.password),
            "created_at": since,
        }
        for person_id, sign_in in zip(people, sign_ins, strict=True)
    ]
    users = insert_rows(uow, AccountUser, rows, by="email")
    grants = [{"user_id": user_id, "role": role} for user_id, (_, _, role) in zip(users, STAFF, strict=True)]
    uow.session.execute(insert(RoleGrant), grants)
    return Staff(*users), sign_ins


def let_consultants_in(uow: UnitOfWork, consultant_ids: Sequence[int]) -> list[SignIn]:
    """Fresh passwords for Maya and Theo."""
    return [_let_in(uow, consultant_ids[at]) for at in (MAYA, THEO)]


def vendor_keys(offers: Sequence[Stored]) -> list[VendorKey]:
    """The keys that are shown this once."""
    return [
        VendorKey(offered.vendor, f"/api/v1/vendors/{stored.vendor_public_id}/events", stored.key)
        for offered, stored in zip(OFFERS, offers, strict=True)
    ]


def keep(folder: Path, name: str, rows: Sequence[Any]) -> None:
    """Write rows as JSON into a file that only its owner reads."""
    file = folder / name
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        json.dump([asdict(row) for row in rows], new, indent=1)


def _let_in(uow: UnitOfWork, consultant_id: int) -> SignIn:
    consultant = uow.session.get_one(Consultant, consultant_id)
    person = uow.session.get_one(Person, consultant.person_id)
    user = uow.session.query(AccountUser).filter(AccountUser.person_id == person.id).one()
    password = made_up_password()
    user.password_hash = hash_password(password)
    return SignIn("consultant" if consultant.pack != "smart" else "smart", person.email, password)
