"""A file between its upload and the moment it is sent: kept in Redis for half an hour, lost without harm.

And which column means what for a vendor, kept for good.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import date
from typing import cast

from redis.exceptions import RedisError
from sqlalchemy import select

from portal.extensions import redis
from portal.kernel.errors import NotYours
from portal.kernel.ids import new_id
from portal.models import StatementMapping
from portal.store import UnitOfWork

LIVES_SECONDS = 30 * 60
USUAL = "usual"


@dataclass(frozen=True)
class Upload:
    """A file that waits for its mapping; `key` finds it again, for this vendor alone."""

    key: str
    file_name: str
    day: date
    content: bytes


def keep(vendor_id: int, *, file_name: str, day: date, content: bytes) -> str:
    """Keep a file for half an hour; gives its key."""
    key = new_id()
    said = {"name": file_name, "day": day.isoformat(), "content": b64encode(content).decode()}
    redis.client.set(_place(vendor_id, key), json.dumps(said), ex=LIVES_SECONDS)
    return key


def kept(vendor_id: int, key: str) -> Upload:
    """A file that was kept. Raises `NotYours` where it is none of this vendor, or was forgotten."""
    try:
        found = cast("bytes | None", redis.client.get(_place(vendor_id, key)))
    except RedisError:
        found = None
    if found is None:
        raise NotYours("This file is not here any more. Please choose it again.")
    said = json.loads(found)
    day = date.fromisoformat(said["day"])
    return Upload(key, str(said["name"]), day, b64decode(said["content"]))


def forget(vendor_id: int, key: str) -> None:
    """It was sent."""
    redis.client.delete(_place(vendor_id, key))


def save_mapping(uow: UnitOfWork, *, vendor_id: int, columns: dict[str, str], actor_id: int | None) -> None:
    """Remember which column means what, for the vendor's next file."""
    known = select(StatementMapping).where(
        StatementMapping.vendor_id == vendor_id, StatementMapping.name == USUAL
    )
    row = uow.session.scalars(known).one_or_none()
    if row is None:
        row = StatementMapping(vendor_id=vendor_id, name=USUAL)
        uow.session.add(row)
    row.columns, row.changed_by, row.changed_at = columns, actor_id, uow.clock()
    uow.session.flush()


def _place(vendor_id: int, key: str) -> str:
    return f"canopy:statement-upload:{vendor_id}:{key}"
