"""Redis: a server's, or the one inside this process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from redis import Redis

if TYPE_CHECKING:
    from fakeredis import FakeServer


def connect(url: str) -> Redis:
    """A client for `url`; without one, an in-process Redis that lives as long as the process."""
    if url:
        return Redis.from_url(url, socket_connect_timeout=2, health_check_interval=30)
    import fakeredis

    return fakeredis.FakeRedis(server=_server())


@cache
def _server() -> FakeServer:
    """One for the whole process, so that its threads meet in it."""
    from fakeredis import FakeServer

    return FakeServer()
