"""The events of a case file, and what it tells of earlier cycles."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from portal.engine.arithmetic import MAX
from portal.engine.events import EVENT_KINDS, KINDS, NONE, Events, History, reversal_faults
from portal.engine.fields import LARGEST, Fields
from portal.engine.refusal import Refused
from portal.engine.rows import Rows

_INSTANT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?)"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00")
_MICROSECOND: Final = timedelta(microseconds=1)


class Sales:
    """Events and history of a case. A row with a fault counts for nothing, so that no fault is told twice."""

    def __init__(self, case: Fields, people: Rows, services: tuple[str, ...]) -> None:
        self.people, self.services = people, services
        self.events, self.past, self.past_lines = Rows(), Rows(), Rows()
        events, history = case.items("events", []), case.part("history", None)
        past = history.items("events", []) if history else []
        past_lines = history.items("lines", []) if history else []
        if history:
            history.close()
        for item in past:
            self.past.identify(item)
        for item in events:
            self.events.identify(item, self.past)
        self.past.numbers = [self._past_event(item) for item in past]
        self.past_lines.numbers = [self._past_line(item) for item in past_lines]
        self._read_events(events)

    def build(self, faults: list[str]) -> tuple[Events, History]:
        """The arrays; notes what is wrong between the rows."""
        try:
            events = Events(*[*self.events.columns(6), self._order()])
            history = History(*self.past.columns(5), *self.past_lines.columns(5))
            faults += reversal_faults(events, history, self.events.places.__getitem__)
        except Refused as refused:
            faults += refused.faults
            return Events.none(), History.none()
        return events, history

    def _order(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The place of each event among the ids in alphabetical order."""
        order = np.zeros(len(self.events.places), np.int64)
        for rank, name in enumerate(sorted(self.events.ids)):
            order[self.events.ids[name]] = rank
        return order

    def _read_events(self, items: list[Fields]) -> None:
        rows = [self._event(item) for item in items]
        sound = [item.sound for item in items] + [numbers[0] != NONE for numbers in self.past.numbers]
        for row, numbers in enumerate(rows):
            reverses = numbers[-1]
            counts = sound[row] and (reverses == NONE or sound[reverses])
            self.events.numbers.append(numbers if counts else (0, 0, 0, 0, NONE, NONE))

    def _event(self, item: Fields) -> tuple[int, ...]:
        numbers = (
            self.people.find(item, "member"),
            _instant(item),
            item.amount("volume", least=-LARGEST),
            item.amount("revenue", least=-LARGEST),
            self._service(item),
            self._reversed(item),
        )
        item.close()
        return numbers

    def _service(self, item: Fields) -> int:
        service = item.text_or_nothing("service")
        return self.services.index(service) if service in self.services else NONE

    def _reversed(self, item: Fields) -> int:
        """The event that is reversed: by its row in this cycle, or behind those by its row in history."""
        wanted = item.text_or_nothing("reverses")
        if wanted is not None and wanted in self.past.ids:
            return len(self.events.places) + self.past.ids[wanted]
        return self.events.find_if_named(item, "reverses") if wanted is not None else NONE

    def _past_event(self, item: Fields) -> tuple[int, ...]:
        member = self.people.find(item, "member")
        worth = [item.amount(name) for name in ("volume", "revenue")]
        earlier = [item.amount(name, 0) for name in ("reversed_volume", "reversed_revenue")]
        for name, whole, part in zip(("volume", "revenue"), worth, earlier, strict=True):
            if item.sound and part > whole:
                item.fault(f"reversed_{name}", "is more than there was")
        item.close()
        return (member if item.sound else NONE, *worth, *earlier)

    def _past_line(self, item: Fields) -> tuple[int, ...]:
        member = self.people.find(item, "member")
        kind = KINDS.index(item.choice("kind", KINDS))
        amount, level = item.amount("amount", most=MAX), item.count("level")
        if item.value.get("kind") == KINDS[kind] and kind in EVENT_KINDS:
            source = self.past.find(item, "source")
        else:
            item.text("source")
            source = NONE
        item.close()
        return member, kind, amount, source, level


def _instant(item: Fields) -> int:
    """A time with its offset, as microseconds UTC."""
    written = item.text("at")
    found = _INSTANT.fullmatch(written)
    try:
        if found is None:
            raise ValueError
        instant = (datetime.fromisoformat(found[1]) - _EPOCH) // _MICROSECOND
    except ValueError:
        if isinstance(item.value.get("at"), str):
            item.fault("at", 'must be a time with its offset, like "2026-11-16T10:00:00Z"')
        return 0
    minutes = int(found[3] or 0) * 60 + int(found[4] or 0)
    return instant + (minutes if found[2] == "-" else -minutes) * 60_000_000
