"""Where a page stands: scheme, host and port, as a browser writes them in the header `Origin`."""

from __future__ import annotations

from urllib.parse import urlsplit

from portal.kernel.callbacks import HOME

USUAL_PORTS = {"https": 443, "http": 80}
LONGEST_ORIGIN = 200


def origin_of(url: str) -> str:
    """The origin of an address, such as `https://example.com`; empty where it has none that we take.

    Pages stand on https; on the machine of somebody who tries it out they may stand on http.
    """
    if not url.isascii() or not url.isprintable() or any(letter in url for letter in ' \\"<>'):
        return ""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        return ""
    fits = scheme == "https" or (scheme == "http" and host in HOME)
    if not fits or not host or "@" in parts.netloc:
        return ""
    named = f"[{host}]" if ":" in host else host
    return f"{scheme}://{named}" + ("" if port in (None, USUAL_PORTS[scheme]) else f":{port}")


def is_origin(url: str) -> bool:
    """Whether an address is an origin and nothing more."""
    found = origin_of(url)
    return (
        bool(found) and urlsplit(url).path in ("", "/") and not urlsplit(url).query + urlsplit(url).fragment
    )
