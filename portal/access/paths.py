"""Where a page may send people back to: our own paths, nothing that a browser could read as another host."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

LONGEST = 2000

_PLAIN = re.compile(r"/[A-Za-z0-9/._~%?=&+,:;@!$'()*#-]*")


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
    seen = candidate
    for _round in range(3):
        path = re.split(r"[?#]", seen, maxsplit=1)[0]
        if "//" in path or "\\" in path or "/.." in path or re.search(r"[\x00-\x20\x7f]", path):
            return False
        seen = unquote(seen)
    return "%" not in re.split(r"[?#]", seen, maxsplit=1)[0]
