"""How long the state machine waits for what; one table, so that a test can let it run faster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SAME_KEY_TRIES: Final = 3
_LEAST_TIMEOUT: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Patience:
    """The waits.

    After the last attempt of a payout without answer the provider is asked at each of `looks`, then every
    `day`. A key may be used again for `key_life` and no more often than `SAME_KEY_TRIES`. A new key is made
    when two looks at least `gap` apart found nothing and the last attempt is `quiet` ago: no call of ours can
    still be on its way by then. After `give_up` a person has to look. `lease` is how long a call may take
    before somebody else takes over. What is held back is looked at again after `held_back`, and after
    `untold` where the provider did not say how much money it has.
    """

    timeout: timedelta = timedelta(seconds=15)
    lease: timedelta = timedelta(seconds=60)
    looks: tuple[timedelta, ...] = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1))
    day: timedelta = timedelta(days=1)
    gap: timedelta = timedelta(minutes=10)
    quiet: timedelta = timedelta(minutes=15)
    key_life: timedelta = timedelta(hours=20)
    give_up: timedelta = timedelta(days=7)
    held_back: timedelta = timedelta(hours=1)
    untold: timedelta = timedelta(minutes=5)

    def seconds(self, count: int) -> timedelta:
        """So many seconds of a provider's, at the pace of this table."""
        return self.held_back * count // 3600

    def next_look(self, last_attempt: datetime, *, now: datetime) -> datetime:
        """When to ask again about a payout whose last attempt was then."""
        for wait in self.looks:
            if last_attempt + wait > now:
                return last_attempt + wait
        days = (now - last_attempt) // self.day + 1
        return last_attempt + days * self.day

    def look_again(self, last_attempt: datetime, *, now: datetime) -> datetime:
        """When to ask again where a look had no answer: soon at first, seldom after days."""
        return min(self.next_look(last_attempt, now=now), now + max(self.gap, (now - last_attempt) // 10))


def at_pace(pace: int) -> Patience:
    """The waits divided by `pace`; a call still gets one second, and its lease three."""
    plain = Patience()
    return Patience(
        timeout=max(plain.timeout // pace, _LEAST_TIMEOUT),
        lease=max(plain.lease // pace, 3 * _LEAST_TIMEOUT),
        looks=tuple(wait // pace for wait in plain.looks),
        day=plain.day // pace,
        gap=plain.gap // pace,
        quiet=plain.quiet // pace,
        key_life=plain.key_life // pace,
        give_up=plain.give_up // pace,
        held_back=plain.held_back // pace,
        untold=plain.untold // pace,
    )
