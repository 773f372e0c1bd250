"""Where a consultant's people go who join from now on."""

from __future__ import annotations

from portal.kernel.errors import BadInput
from portal.models import Consultant
from portal.models.consultant import PREFERENCES
from portal.store import UnitOfWork
from portal.store.locks import lock_row


def set_preference(uow: UnitOfWork, *, consultant_id: int, preference: str) -> None:
    """Keep the preference: `weaker`, `left`, `right` or `hand`. Raises `BadInput` for another word."""
    if preference not in PREFERENCES:
        raise BadInput("Please choose where people go.", field="preference")
    lock_row(uow, Consultant, consultant_id).preference = preference
    uow.session.flush()
