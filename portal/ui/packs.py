"""The consultant who asks and what their registration plan opens: read once for each request."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_login import current_user
from sqlalchemy import select

from portal.extensions import db
from portal.models import Consultant, Pack


def own_consultant() -> Consultant | None:
    """The consultant who asks; None for whoever is none."""
    found: Consultant | None = _own()[0]
    return found


def own_features() -> dict[str, Any]:
    """What the plan of the consultant who asks opens; nothing for whoever has none."""
    pack: Pack | None = _own()[1]
    return pack.features if pack else {}


def has_feature(name: str) -> bool:
    """Whether the plan of the consultant who asks has a feature."""
    return bool(own_features().get(name))


def pack_name(code: str) -> str:
    """What a registration plan is called; its code where there is none such."""
    if "pack_names" not in g:
        g.pack_names = {row.code: row.name for row in db.session.execute(select(Pack.code, Pack.name))}
    return str(g.pack_names.get(code, code))


def _own() -> tuple[Any, Any]:
    if not current_user.is_authenticated:
        return None, None
    if "own_consultant" not in g:
        mine = select(Consultant, Pack).join(Pack, Pack.code == Consultant.pack)
        found = db.session.execute(mine.where(Consultant.person_id == current_user.person_id)).one_or_none()
        g.own_consultant = (None, None) if found is None else (found[0], found[1])
    own: tuple[Any, Any] = g.own_consultant
    return own
