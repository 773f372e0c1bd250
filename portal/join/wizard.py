"""How far somebody has come in joining: kept in the session cookie, everything else in the registration."""

from __future__ import annotations

from typing import Any

from flask import session

from portal.extensions import db
from portal.members import queries, service
from portal.members.service import Applicant, Invitation
from portal.models import Pack, Registration
from portal.store import UnitOfWork, perform

_KEY = "join"


def chosen_pack() -> Pack | None:
    """The plan chosen so far."""
    code = _kept().get("pack")
    return db.session.get(Pack, code) if isinstance(code, str) else None


def choose_pack(code: str) -> None:
    """Keep the plan."""
    session[_KEY] = {**_kept(), "pack": code}


def own_registration() -> Registration | None:
    """The registration that this browser began."""
    public_id = _kept().get("registration")
    return queries.registration(db.session(), public_id) if isinstance(public_id, str) else None


def keep_answers(applicant: Applicant, pack: str, invited: Invitation) -> None:
    """Keep the answers in a registration, and which one it is in the cookie."""
    known = own_registration()
    public_id = known.public_id if known else ""

    def work(uow: UnitOfWork) -> str:
        return service.change_registration(
            uow, public_id=public_id, applicant=applicant, pack=pack, invitation=invited
        ).public_id

    _keep_registration(perform(work))


def begin_again(public_id: str) -> Registration:
    """A fresh registration with the same answers, whose payment page is still to be opened."""
    _keep_registration(perform(lambda uow: service.begin_again(uow, public_id=public_id).public_id))
    fresh = own_registration()
    assert fresh is not None
    return fresh


def _keep_registration(public_id: str) -> None:
    session[_KEY] = {**_kept(), "registration": public_id}


def _kept() -> dict[str, Any]:
    kept = session.get(_KEY)
    return kept if isinstance(kept, dict) else {}
