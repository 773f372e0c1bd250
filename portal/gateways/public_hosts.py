"""Calls to addresses that people wrote: they reach the public network only, whatever a name resolves to."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import urllib3

from portal.gateways.errors import ProviderUnavailable


def pinned(method: str, url: str, options: dict[str, Any]) -> urllib3.BaseHTTPResponse:
    """One HTTPS request to the very address that was found to be public.

    Between the check and the call nobody resolves the name again. Raises `ProviderUnavailable`.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    address = public_address(host, port)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    named = options["headers"] | {"Host": parts.netloc.rpartition("@")[2]}
    with urllib3.HTTPSConnectionPool(address, port, server_hostname=host, assert_hostname=host) as pool:
        return pool.request(method, target, **{**options, "headers": named})


def public_address(host: str, port: int) -> str:
    """An address of the host. Raises `ProviderUnavailable` unless it has some and all of them are public."""
    try:
        found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise ProviderUnavailable("the name of the provider is not known") from error
    if not found or not all(map(is_public, found)):
        raise ProviderUnavailable("the provider is not in the public network")
    return found[0]


def is_public(address: str) -> bool:
    """Whether an address is one of the public network; IPv6 that carries IPv4 inside is not."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(read, ipaddress.IPv6Address) and any(read in each for each in _CARRIERS):
        return False
    return read.is_global and not read.is_multicast


_CARRIERS = [
    ipaddress.IPv6Network(each)
    for each in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "2001::/32")
]
