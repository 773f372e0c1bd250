"""Words of licences, and how the file of one is handed out: as a download, never shown or run."""

from __future__ import annotations

from flask import Response, make_response
from flask_babel import lazy_gettext as _l

from portal.models import Licence, LicenceDocument

STANDINGS = {
    "submitted": (_l("waits to be verified"), "sun"),
    "coming": (_l("verified, not begun"), "ok"),
    "running": (_l("verified"), "ok"),
    "ending": (_l("expires soon"), "sun"),
    "expired": (_l("expired"), "bad"),
    "rejected": (_l("not verified"), "bad"),
    "ended": (_l("taken back"), "bad"),
}


def kind_words(kind: str) -> str:
    """A kind of licence as people read it: `home-security` as `Home security`."""
    return kind.replace("-", " ").replace("_", " ").capitalize()


def handed_out(licence: Licence, document: LicenceDocument, *, ending: str) -> Response:
    """The file under a name of ours, with the type that its first bytes have, to be saved and not opened."""
    response = make_response(document.content)
    response.headers["Content-Type"] = document.media_type
    name = f"licence-{licence.region}-{licence.public_id}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "no-store"
    return response
