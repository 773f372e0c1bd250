"""Whose wallet it is: nobody decides on money of their own."""

from __future__ import annotations

from sqlalchemy import Select, select

from portal.models import AccountUser, Consultant


def own_consultants(actor_id: int) -> Select[int]:
    """The question for the ids of the consultants who are the person who acts."""
    joined = select(Consultant.id).join(AccountUser, AccountUser.person_id == Consultant.person_id)
    return joined.where(AccountUser.id == actor_id)
