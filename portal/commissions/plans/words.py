"""A plan in words, field by field, and two plans beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.commissions.plans.fields import PARTS
from portal.commissions.plans.forms import shown
from portal.commissions.plans.shape import CELLS, TABLES, Field, Part
from portal.engine.fields import number_in
from portal.kernel.money import format_money, format_volume

NOT_THERE: Final = ""
_LARGEST: Final = 10**18


@dataclass(frozen=True)
class Said:
    """One field of a plan in words; `about` names the rank, service, pack or level it speaks of."""

    part: str
    about: str
    label: str
    words: str


@dataclass(frozen=True)
class Difference:
    """One field that two plans say differently; nothing where a plan does not have it."""

    part: str
    about: str
    label: str
    before: str
    after: str


def in_words(document: Mapping[str, Any]) -> list[Said]:
    """Everything that a plan says, in the order of its form."""
    return [Said(*key, " · ".join(words)) for key, words in _said(document).items()]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What two plans say differently, in the order of the form."""
    old, new = _each(before), _each(after)
    order = list(dict.fromkeys([*new, *old]))
    parts = [part.title for part in PARTS]
    order.sort(key=lambda key: parts.index(key[0]))
    return [
        Difference(*key, old.get(key, NOT_THERE), new.get(key, NOT_THERE))
        for key in order
        if old.get(key) != new.get(key)
    ]


Key = tuple[str, str, str]


def _said(document: Mapping[str, Any]) -> dict[Key, list[str]]:
    """Words by field; those of a table or list stand in one row."""
    together: dict[Key, list[str]] = {}
    for part, about, field, item, words in _values(document):
        together.setdefault((part.title, about, field.label), []).append(f"{item} {words}" if item else words)
    return together


def _each(document: Mapping[str, Any]) -> dict[Key, str]:
    """Words by field, pack and level."""
    return {
        (part.title, " ".join(filter(None, (about, item))), field.label): words
        for part, about, field, item, words in _values(document)
    }


def _values(document: Mapping[str, Any]) -> Iterator[tuple[Part, str, Field, str, str]]:
    """Part, rank or service, field, pack or level, and the value in words."""
    currency = str(document.get("currency", "USD"))
    for part in PARTS:
        for about, holder in _holders(document, part):
            for field in part.fields:
                for item, value in _of_field(holder, field):
                    kind = CELLS.get(field.kind, "rate" if field.kind == "rates" else field.kind)
                    yield part, about, field, item, _in_words(value, field, kind, currency=currency)


def _holders(document: Mapping[str, Any], part: Part) -> list[tuple[str, Any]]:
    value = document.get(part.key) if part.key else document
    if part.rows == "names":
        return list(value.items()) if isinstance(value, dict) else []
    if part.rows == "list":
        items = value if isinstance(value, list) else []
        return [
            (str(item.get("name", at)) if isinstance(item, dict) else str(at), item)
            for at, item in enumerate(items)
        ]
    return [("", value)]


def _of_field(holder: Any, field: Field) -> Iterator[tuple[str, Any]]:
    for step in field.path.split("."):
        if not isinstance(holder, Mapping) or step not in holder:
            return
        holder = holder[step]
    if field.kind in TABLES and isinstance(holder, Mapping):
        yield from holder.items()
    elif field.kind in ("rates", "tiers") and isinstance(holder, list):
        yield from ((f"{at}.", value) for at, value in enumerate(holder, 1))
    else:
        yield "", holder


def _in_words(value: Any, field: Field, kind: str, *, currency: str) -> str:
    if kind == "tiers" and isinstance(value, list) and len(value) == 2:
        volume, pay = (
            _number(one, each, currency) for one, each in zip(value, ("volume", "money"), strict=True)
        )
        return f"{volume}: {pay}"
    if kind == "choice":
        return dict(field.choices).get(str(value), shown(value))
    return _number(value, kind, currency)


def _number(value: Any, kind: str, currency: str) -> str:
    """A number as people read it; whatever is none, as it stands."""
    places = {"rate": 4, "money": 2, "volume": 2}.get(kind)
    number = None if places is None else number_in(value, places, -_LARGEST, _LARGEST)
    if not isinstance(number, int):
        return shown(value)
    if kind == "money":
        return format_money(number, currency)
    return percent(number) if kind == "rate" else f"{format_volume(number)} points"


def percent(ten_thousandths: int) -> str:
    """A rate as people read it: `8%`, `12.5%`."""
    whole, rest = divmod(ten_thousandths, 100)
    return f"{whole:,}{f'.{rest:02d}'.rstrip('0') if rest else ''}%"
