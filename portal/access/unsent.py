"""What a form said when the password was asked for again: kept sealed by the browser, sent on after it.

Files and what must not stand in a page (passwords, tokens, numbers of people and accounts) are not kept.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from flask import request, session
from flask_login import current_user

from portal.access.paths import own_path
from portal.extensions import seal
from portal.kernel.clock import utc_now

KEY = "unsent"
LIVES = timedelta(minutes=10)
# A browser keeps a cookie of four kilobytes; the session's token needs its part of it.
LONGEST = 3_200
SECRET = frozenset({"password", "token", "account", "routing", "tax_number"})
_OWN = "csrf_token"


@dataclass(frozen=True)
class Unsent:
    """A form that waits: where it goes, what it says, and whether something has to be written again."""

    path: str
    fields: list[tuple[str, str]]
    incomplete: bool


def keep() -> None:
    """Keep the form of this request for the person who sent it; one that is too long is not kept."""
    written = [(name, value) for name, value in request.form.items(multi=True) if name != _OWN]
    fields = [(name, value) for name, value in written if name not in SECRET]
    left_out = len(fields) < len(written) or any(file.filename for file in request.files.values())
    said = {
        "user": current_user.get_id(),
        "at": utc_now().isoformat(),
        "path": request.full_path.removesuffix("?"),
        "fields": fields,
        "incomplete": left_out,
    }
    packed = base64.b85encode(zlib.compress(json.dumps(said).encode(), 9)).decode()
    sealed = seal.close(packed)
    if len(sealed) <= LONGEST:
        session[KEY] = sealed
    else:
        forget()


def waiting() -> Unsent | None:
    """The form that waits for this person; None where there is none, or it waited for too long."""
    try:
        packed = seal.open(str(session.get(KEY, "")))
        said = json.loads(zlib.decompress(base64.b85decode(packed)))
    except (InvalidToken, ValueError, zlib.error):
        return None
    late = utc_now() - datetime.fromisoformat(said["at"]) > LIVES
    path = own_path(said["path"], otherwise="")
    if late or said["user"] != current_user.get_id() or not path:
        return None
    return Unsent(path, [(name, value) for name, value in said["fields"]], said["incomplete"])


def forget() -> None:
    """Nothing waits any more."""
    session.pop(KEY, None)
