"""Calls to addresses that people gave us: to the public network alone, five seconds, no redirects."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from portal.gateways.errors import ProviderUnavailable
from portal.gateways.public_hosts import public_address
from portal.kernel.callbacks import callback_fault, is_home

SECONDS: Final = 5.0
MOST_BYTES: Final = 64 * 1024
LONGEST_WORDS: Final = 1_000


@dataclass(frozen=True)
class Said:
    """What came back: the status (0 where no answer came) and its first words, or why there are none."""

    status: int
    words: str

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


def post(url: str, body: bytes, headers: Mapping[str, str], *, loopback: bool = False) -> Said:
    """One POST; whatever goes wrong is an answer with the status 0. `loopback` is for development alone."""
    fault = callback_fault(url, loopback=loopback)
    if fault:
        return Said(0, fault)
    try:
        connection = _connection(url, loopback=loopback)
    except ProviderUnavailable:
        return Said(0, "The host is not known, or it is not in the public network.")
    opened: list[socket.socket] = []
    over = threading.Event()
    watch = threading.Timer(SECONDS, _cut, [opened, over])
    watch.daemon = True
    watch.start()
    try:
        connection.connect()
        # A response that ends with its connection takes the socket away from it.
        opened.append(connection.sock)
        if over.is_set():
            raise TimeoutError
        return _answer(connection, url, body, headers)
    except (HTTPError, OSError, ValueError) as error:
        return Said(
            0, f"No answer within {SECONDS:.0f} seconds, or none that can be read: {type(error).__name__}."
        )
    finally:
        watch.cancel()
        connection.close()


def _connection(url: str, *, loopback: bool) -> HTTPConnection:
    """To the very address that was found to be public: nobody looks the name up again."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if loopback and is_home(url):
        return HTTPConnection("127.0.0.1", parts.port or 80, timeout=SECONDS)
    address = public_address(host, 443)
    return HTTPSConnection(address, 443, timeout=SECONDS, server_hostname=host, assert_hostname=host)


def _answer(connection: HTTPConnection, url: str, body: bytes, headers: Mapping[str, str]) -> Said:
    parts = urlsplit(url)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    named = {**headers, "Host": parts.netloc, "Accept-Encoding": "identity", "Connection": "close"}
    connection.request("POST", target, body=body, headers=named, preload_content=False, decode_content=False)
    response: urllib3.HTTPResponse = connection.getresponse()
    words = response.read(MOST_BYTES, decode_content=False).decode("utf-8", "replace")[:LONGEST_WORDS]
    return Said(response.status, "".join(one if one.isprintable() else " " for one in words).strip())


def _cut(opened: list[socket.socket], over: threading.Event) -> None:
    """Time is over, however slowly the other side still speaks."""
    over.set()
    for each in opened:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
