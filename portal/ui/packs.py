"""What the registration plan of the person who asks opens: read once for each request."""

from __future__ import annotations

from flask import g
from flask_login import current_user
from sqlalchemy import select

from portal.extensions import db
from portal.models import Consultant, Pack


def has_feature(name: str) -> bool:
    """Whether the plan of the consultant who asks has a feature; whoever has no plan has none."""
    if not current_user.is_authenticated:
        return False
    if "pack_features" not in g:
        mine = select(Pack.features).join(Consultant, Consultant.pack == Pack.code)
        found = db.session.scalar(mine.where(Consultant.person_id == current_user.person_id))
        g.pack_features = found or {}
    return bool(g.pack_features.get(name))


def pack_name(code: str) -> str:
    """What a registration plan is called; its code where there is none such."""
    if "pack_names" not in g:
        g.pack_names = {row.code: row.name for row in db.session.execute(select(Pack.code, Pack.name))}
    return str(g.pack_names.get(code, code))
