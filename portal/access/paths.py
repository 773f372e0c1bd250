"""Where a page may send people back to: our own paths, nothing that a browser could read as another host."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

LONGEST = 2000

_PLAIN = re.compile(r"/[A-Za-z0-9/._~%?=&+,:;@!$'()*#-]*")
_LEADS_AWAY = re.compile(r"//|\\|/\.\.|[\x00-\x1f\x7f]|[^\x00-\x7f]|/ ")


def own_path(candidate: str | None, *, otherwise: str) -> str:
    """The candidate when it is a path of this portal, else `otherwise`."""
    return candidate if candidate and _is_own(candidate) else otherwise


def path_of(address: str | None, *, host: str) -> str:
    """Path and query of an address of our own host, such as a Referer; empty for any other."""
    parts = urlsplit(address or "")
    if parts.netloc != host:
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _is_own(candidate: str) -> bool:
    if len(candidate) > LONGEST or not _PLAIN.fullmatch(candidate):
        return False
    path = re.split(r"[?#]", candidate, maxsplit=1)[0]
    for _round in range(4):
        if _LEADS_AWAY.search(path):
            return False
        before, path = path, unquote(path)
        if path == before:
            return True
    return False
