"""Speaks to the vendors' doors as a vendor's program does: every request signed, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import urllib3

from portal.gateways.vendor_signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from portal.kernel.clock import utc_now

_EVENTS: Final = "/events"


@dataclass(frozen=True)
class Key:
    """Who signs: the id in the address (the vendor's, or of one of its keys) and the secret."""

    public_id: str
    secret: str


class Sender:
    """One vendor's line to the portal; `url` is the portal's address, or that of the vendor's events."""

    def __init__(self, url: str, key: Key, *, pool: urllib3.PoolManager | None = None) -> None:
        base = url.rstrip("/").removesuffix(_EVENTS)
        self._base = base if base != url.rstrip("/") else f"{base}/api/v1/vendors/{key.public_id}"
        self._key = key
        self._pool = pool or urllib3.PoolManager(timeout=30, retries=False)

    def post(self, path: str, *, message_id: str, body: bytes) -> urllib3.BaseHTTPResponse | None:
        """Send a body; None where nobody answered."""
        return self._knock("POST", path, message_id, body)

    def get(self, path: str, *, message_id: str) -> urllib3.BaseHTTPResponse | None:
        """Ask for something; None where nobody answered."""
        return self._knock("GET", path, message_id, b"")

    def _knock(self, method: str, path: str, message_id: str, body: bytes) -> urllib3.BaseHTTPResponse | None:
        timestamp = int(utc_now().timestamp())
        headers = {
            "content-type": "application/json",
            ID_HEADER: message_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(self._key.secret, message_id, timestamp, body),
        }
        try:
            return self._pool.request(method, f"{self._base}/{path}", body=body or None, headers=headers)
        except urllib3.exceptions.HTTPError:
            return None
