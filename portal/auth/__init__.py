"""The room at the door: the first page, signing in and out, the password once more, the look."""

from portal.auth import first_password  # noqa: F401
from portal.auth.routes import auth

__all__ = ["auth"]
