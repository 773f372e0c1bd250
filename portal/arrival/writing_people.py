"""Packs, people, sign-ins, consultants and places, as many at once as there are."""

from __future__ import annotations

from portal.arrival.people import NOBODY
from portal.arrival.tables import Table
from portal.kernel.ids import new_ids as public_ids
from portal.members.packs import DEFAULT_PACKS
from portal.models import AccountUser, Consultant, Pack, Person, Placement, RoleGrant
from portal.models.person import NO_PASSWORD
from portal.store import UnitOfWork
from portal.store.copying import new_ids as reserve_ids
from portal.store.rows import add_rows


def write_packs(uow: UnitOfWork, packs: Table) -> None:
    """The company's own packs; each opens what the shipped one opens that it is like."""
    shipped = {str(pack["code"]): pack for pack in DEFAULT_PACKS}
    for position in range(len(packs)):
        row = {name: column[position] for name, column in packs.columns.items()}
        known = uow.session.get(Pack, row["code"]) or Pack(code=row["code"])
        known.name, known.summary = row["name"], row["summary"]
        known.price_cents, known.monthly_cents = row["price"], row["monthly"]
        known.position, known.features = position + 1, dict(shipped[row["like"]]["features"])
        uow.session.add(known)
    uow.session.flush()


def write_people(uow: UnitOfWork, people: Table) -> list[int]:
    """Persons, sign-ins without a password, consultants; the consultants' ids in the order of the file."""
    session, count = uow.session, len(people)
    person_ids = reserve_ids(session, Person, count).tolist()
    add_rows(
        session,
        Person,
        {
            "id": person_ids,
            "public_id": public_ids(count),
            "name": people["name"],
            "email": people["email"],
            "country": people["country"],
            "created_at": people["joined_at"],
        },
    )
    _write_sign_ins(uow, people, person_ids)
    ids = reserve_ids(session, Consultant, count).tolist()
    add_rows(
        session,
        Consultant,
        {
            "id": ids,
            "public_id": public_ids(count),
            "code": people["code"],
            "person_id": person_ids,
            "sponsor_id": [None if at == NOBODY else ids[at] for at in people["sponsor_at"]],
            "pack": people["pack"],
            "status": people["status"],
            "preference": ["weaker"] * count,
            "joined_at": people["joined_at"],
        },
    )
    return ids


def write_placements(uow: UnitOfWork, people: Table, placements: Table, *, ids: list[int]) -> None:
    """Where everybody stands. Who has neither a sponsor nor a line stands at the top of a tree."""
    who, above = list(placements["who"]), list(placements["above"])
    placed = set(who)
    tops = [at for at, sponsor in enumerate(people["sponsor_at"]) if sponsor == NOBODY and at not in placed]
    since = [instant or people["joined_at"][at] for at, instant in zip(who, placements["since"], strict=True)]
    add_rows(
        uow.session,
        Placement,
        {
            "consultant_id": [ids[at] for at in who + tops],
            "parent_id": [None if at == NOBODY else ids[at] for at in above] + [None] * len(tops),
            "leg": [leg or None for leg in placements["leg"]] + [None] * len(tops),
            "valid_from": since + [people["joined_at"][at] for at in tops],
        },
    )


def _write_sign_ins(uow: UnitOfWork, people: Table, person_ids: list[int]) -> None:
    count = len(people)
    user_ids = reserve_ids(uow.session, AccountUser, count).tolist()
    add_rows(
        uow.session,
        AccountUser,
        {
            "id": user_ids,
            "person_id": person_ids,
            "email": people["email"],
            "password_hash": [NO_PASSWORD] * count,
            "created_at": [uow.clock()] * count,
        },
    )
    add_rows(uow.session, RoleGrant, {"user_id": user_ids, "role": ["consultant"] * count})
