"""What a lost webhook would have told, found by asking: lists of events and charges, pages open too long.

What is found goes into the inbox like any webhook, so that nothing has a way of its own to take effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Protocol

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.extensions import db
from portal.kernel.clock import Clock, utc_now
from portal.kernel.provider_events import FoundEvent
from portal.models import EventSweep, Inbox, Order, Payment, Registration
from portal.store import UnitOfWork, perform
from portal.store.inbox import STRIPE, Arrival, receive

HORIZON = timedelta(days=30)
OVERLAP = timedelta(hours=2)
OPEN_TOO_LONG = timedelta(hours=25)
UNTOLD_TOO_LONG = timedelta(hours=1)
CHARGES_OF = timedelta(days=3)
ROWS_AT_ONCE = 100
MOST_PAGES = 500


class Provider(Protocol):
    """Whom is asked."""

    def events_since(self, since: datetime, account: str = "") -> Iterator[FoundEvent]: ...

    def charges_since(self, since: datetime) -> Iterator[FoundEvent]: ...

    def page_event(self, session_id: str) -> FoundEvent | None: ...


def sweep_events(
    provider: Provider, *, live_only: bool, account: str = "", clock: Clock = utc_now
) -> EventSweep:
    """Store every event since the last whole sweep that is not in the inbox; again finds nothing new.

    Asks outside any unit of work, for our own events or those of a connected `account`. The last two hours
    are looked at once more, 30 days at most. A provider that goes away meanwhile raises, and the next sweep
    begins where this one did.
    """
    until = clock()
    since = _begin(db.session(), until, account)
    db.session.rollback()
    listed = found = 0
    for some in _by_hundred(provider.events_since(since, account)):
        listed += len(some)
        found += perform(partial(_store, events=some, live_only=live_only), clock)
    sweep = EventSweep(account=account or None, since=since, until=until, listed=listed, found=found)
    return perform(lambda uow: _note(uow, sweep), clock)


def sweep_pages(provider: Provider, *, live_only: bool, clock: Clock = utc_now) -> int:
    """Ask for each payment page opened a day ago of which nothing was heard; how many told news.

    What was told before a provider goes away is kept.
    """
    sessions = _open_pages(db.session(), clock() - OPEN_TOO_LONG)
    db.session.rollback()
    news = (found for session_id in sessions if (found := provider.page_event(session_id)))
    return sum(
        perform(partial(_store, events=some, live_only=live_only), clock) for some in _by_hundred(news)
    )


def put_behind(uow: UnitOfWork, *, account: str) -> None:
    """Events of an account could not be listed: others have their turn first, and nothing counts as seen."""
    known = last_sweep(uow.session, account)
    if known is not None:
        known.finished_at = uow.clock()
        return
    start = uow.clock() - HORIZON
    _note(uow, EventSweep(account=account, since=start, until=start, listed=0, found=0))


def sweep_charges(provider: Provider, *, live_only: bool, clock: Clock = utc_now) -> int:
    """Store what was charged in the last days and an hour later is paid for nothing of ours; how many.

    Such money takes effect like an event that is not understood yet: it waits for the one that explains it,
    is given up, and then stands before people.
    """
    now = clock()
    found = 0
    for some in _by_hundred(provider.charges_since(now - CHARGES_OF)):
        strange = [each for each in some if each.created < now - UNTOLD_TOO_LONG]
        found += perform(partial(_store_strange, events=strange, live_only=live_only), clock)
    return found


def last_sweep(session: Session, account: str = "") -> EventSweep | None:
    """The newest whole sweep of our own events, or of those of a connected account."""
    whose = EventSweep.account == account if account else EventSweep.account.is_(None)
    return session.scalar(select(EventSweep).where(whose).order_by(EventSweep.id.desc()).limit(1))


def _by_hundred(events: Iterable[FoundEvent]) -> Iterator[list[FoundEvent]]:
    rest = iter(events)
    while some := list(islice(rest, ROWS_AT_ONCE)):
        yield some


def _begin(session: Session, now: datetime, account: str) -> datetime:
    last = last_sweep(session, account)
    return max(now - HORIZON, last.until - OVERLAP) if last else now - HORIZON


def _store_strange(uow: UnitOfWork, *, events: list[FoundEvent], live_only: bool) -> int:
    intents = {event.object_ref for event in events}
    refs = (Payment.provider_ref, Payment.charge_ref)
    known: set[str | None] = set()
    for ref in refs:
        known |= set(uow.session.scalars(select(ref).where(ref.in_(intents))))
    strange = [event for event in events if event.object_ref not in known]
    return _store(uow, events=strange, live_only=live_only)


def _store(uow: UnitOfWork, *, events: Iterable[FoundEvent], live_only: bool) -> int:
    wanted = {event.id: event for event in events if event.live or not live_only}
    known = select(Inbox.event_id).where(Inbox.source == STRIPE, Inbox.event_id.in_(wanted))
    missed = [wanted[name] for name in wanted.keys() - set(uow.session.scalars(known))]
    new = 0
    for event in sorted(missed, key=lambda each: (each.created, each.id)):
        new += receive(uow, arrival=_arrival(event)).is_new
    uow.published = uow.published or bool(new)
    return new


def _arrival(event: FoundEvent) -> Arrival:
    return Arrival(
        source=STRIPE,
        event_id=event.id,
        kind=event.type,
        body=event.body,
        object_ref=event.object_ref,
        account=event.account,
        found_by="sweep",
    )


def _note(uow: UnitOfWork, sweep: EventSweep) -> EventSweep:
    """Keep every sweep of our own events; of a connected account only the newest is of use."""
    sweep.finished_at = uow.clock()
    if sweep.account:
        uow.session.execute(delete(EventSweep).where(EventSweep.account == sweep.account))
    uow.session.add(sweep)
    uow.session.flush()
    return sweep


def _open_pages(session: Session, before: datetime) -> list[str]:
    joining = select(Registration.checkout_session).where(
        Registration.state == "started",
        Registration.checkout_session.is_not(None),
        Registration.started_at < before,
    )
    buying = select(Order.checkout_session).where(
        Order.state == "open", Order.checkout_session.is_not(None), Order.created_at < before
    )
    found = chain(
        session.scalars(joining.order_by(Registration.id.desc()).limit(MOST_PAGES)),
        session.scalars(buying.order_by(Order.id.desc()).limit(MOST_PAGES)),
    )
    return [name for name in found if name]
