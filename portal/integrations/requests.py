"""What a program sends under a key is done once: the same key brings what came of it, never a second one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import select

from portal.kernel.errors import KeyReused
from portal.models import ApiRequest, Lead
from portal.store import UnitOfWork


def lead_of_key(uow: UnitOfWork, *, user_id: int, key: str, body: dict[str, Any]) -> Lead | None:
    """The lead that a user sent under this key; None for a new key.

    Raises `KeyReused` where the same key came with another body.
    """
    known = select(ApiRequest).where(ApiRequest.user_id == user_id, ApiRequest.key == key)
    found = uow.session.scalar(known)
    if found is None:
        return None
    if found.body_sha256 != _digest(body):
        raise KeyReused("This key came before with another body.", field="Idempotency-Key")
    return uow.session.get_one(Lead, found.lead_id)


def keep_key(uow: UnitOfWork, *, user_id: int, key: str, body: dict[str, Any], lead_id: int) -> None:
    """Remember what came of a key; two at the same moment end in one."""
    uow.session.add(
        ApiRequest(
            user_id=user_id, key=key, body_sha256=_digest(body), lead_id=lead_id, created_at=uow.clock()
        )
    )
    uow.session.flush()


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
