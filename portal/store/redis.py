"""Redis: a server's, or the one inside this process."""

from __future__ import annotations

from redis import Redis


def connect(url: str) -> Redis:
    """A client for `url`; without one, an in-process Redis that lives as long as the process."""
    if url:
        return Redis.from_url(url, socket_connect_timeout=2, health_check_interval=30)
    import fakeredis

    server = _server(fakeredis)
    return fakeredis.FakeRedis(server=server)


_servers: list[object] = []


def _server(fakeredis: object) -> object:
    if not _servers:
        _servers.append(fakeredis.FakeServer())  # type: ignore[attr-defined]
    return _servers[0]
