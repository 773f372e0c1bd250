"""How much a program may send in a minute, over all web processes; each answer says what is left."""

from __future__ import annotations

from typing import Final, NamedTuple

from flask import Response, abort, current_app, g
from limits.storage import MemoryStorage, Storage
from redis.exceptions import RedisError

from portal.extensions import limiter
from portal.kernel.clock import utc_now
from portal.ui.problems import problem

_SECONDS: Final = 60

_spare = MemoryStorage()


class Allowance(NamedTuple):
    """So much of something in a minute; `setting` is where the application may be configured otherwise."""

    name: str
    a_minute: int
    setting: str


class Spent(NamedTuple):
    """What was used of one allowance in this minute, and for how many seconds the minute still lasts."""

    name: str
    allowed: int
    used: int
    seconds: int


def spend(of: Allowance, who: str, *, cost: int = 1) -> None:
    """Use a part of an allowance; answers 429 where it is used up."""
    if not limiter.enabled:
        return
    spent = _spent(of, who, cost)
    g.setdefault("rates", []).append(spent)
    if spent.used > spent.allowed:
        wait = {"Retry-After": str(spent.seconds)}
        abort(problem(429, f"More than {spent.allowed} {of.name} in a minute.", headers=wait))


def count(of: Allowance, who: str) -> None:
    """Use a part of an allowance that nobody is told of."""
    if limiter.enabled:
        _spent(of, who, 1)


def wait_for(of: Allowance, who: str) -> int:
    """The seconds until an allowance that is used up begins anew; 0 where something is left of it."""
    if not limiter.enabled:
        return 0
    spent = _spent(of, who, 0)
    return spent.seconds if spent.used >= spent.allowed else 0


def tell_rates(response: Response) -> Response:
    """Name each allowance and what is left, as draft-ietf-httpapi-ratelimit-headers writes it."""
    rates: list[Spent] = g.get("rates", [])
    if rates:
        policies = (f'"{rate.name}";q={rate.allowed};w={_SECONDS}' for rate in rates)
        left = (f'"{rate.name}";r={max(rate.allowed - rate.used, 0)};t={rate.seconds}' for rate in rates)
        response.headers["RateLimit-Policy"] = ", ".join(policies)
        response.headers["RateLimit"] = ", ".join(left)
    return response


def _spent(of: Allowance, who: str, cost: int) -> Spent:
    minute, second = divmod(int(utc_now().timestamp()), _SECONDS)
    allowed = int(current_app.config.get(of.setting, of.a_minute))
    key = f"canopy:{of.name}:{who}:{minute}"
    try:
        used = _count(limiter.storage, key, cost)
    except RedisError:
        # Without Redis each process counts for itself.
        used = _count(_spare, key, cost)
    return Spent(of.name, allowed, used, _SECONDS - second)


def _count(storage: Storage, key: str, cost: int) -> int:
    return storage.incr(key, _SECONDS, amount=cost) if cost else storage.get(key)
