"""Addresses that people write so that we call them: what may be one, before any name is looked up."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST_URL = 500
HOME = ("localhost", "127.0.0.1")


def callback_fault(url: str, *, loopback: bool = False) -> str:
    """What is wrong with an address; empty for a good one. With `loopback` this machine is allowed too."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > LONGEST_URL:
        return f"Please write an address of at most {LONGEST_URL} plain letters."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "This is not an address."
    if loopback and is_home(url):
        return ""
    if parts.scheme != "https" or not host or "@" in parts.netloc:
        return "The address must begin with https:// and a host, without a name to sign in."
    if port not in (None, 443):
        return "The address must use the usual port of https."
    return "" if "." in host or ":" in host else "The address must name a host in the public network."


def is_home(url: str) -> bool:
    """Whether an address names this machine, for systems under development."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in HOME and "@" not in parts.netloc
