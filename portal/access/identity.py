"""Flask-Login says who is here; Flask-Principal asks what they may do. Read afresh for each request."""

from __future__ import annotations

from flask_login import current_user
from flask_principal import ActionNeed, AnonymousIdentity, Identity

from portal.access.permissions import granted
from portal.extensions import principal


@principal.identity_loader
def load_identity() -> Identity:
    """The identity of this request: nothing is kept in the session, so a change counts at once."""
    if not current_user.is_authenticated:
        return AnonymousIdentity()
    identity = Identity(current_user.id)
    identity.provides |= {ActionNeed(name) for name in granted(current_user.roles)}
    return identity
