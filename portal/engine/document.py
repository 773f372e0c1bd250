"""From the bytes of a file to a JSON document, without ever stumbling."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from portal.engine.fields import LONGEST, inside
from portal.engine.refusal import Refused

_BEYOND: Final[int] = 10 ** (LONGEST + 1)


class _Repeated(dict[str, Any]):
    """An object in which a key stood more than once."""

    keys_again: tuple[str, ...] = ()


class _Objects:
    """Makes the objects of a document, and remembers whether a key stood more than once in any of them."""

    any_repeated = False

    def read(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """One object from its keys and values."""
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        self.any_repeated = True
        repeated = _Repeated(value)
        times = Counter(name for name, _ in pairs)
        repeated.keys_again = tuple(name for name in value if times[name] > 1)
        return repeated


def load(data: bytes, faults: list[str]) -> dict[str, Any]:
    """Read one JSON object, noting keys that stand there twice. Raises Refused for all that is not one."""
    objects = _Objects()
    document = _parsed(_text(data), objects)
    if not isinstance(document, dict):
        raise Refused(["the file must hold one JSON object"])
    if objects.any_repeated:
        faults += _repeated_keys(document)
    return document


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused([f"byte {error.start}: this is not UTF-8"]) from None


def _parsed(text: str, objects: _Objects) -> object:
    try:
        return json.loads(text, object_pairs_hook=objects.read, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        raise Refused(
            [f"line {error.lineno}, column {error.colno}: this is not JSON ({error.msg})"]
        ) from None
    except RecursionError:
        raise Refused(["the file is nested too deeply"]) from None


def _whole_number(digits: str) -> int:
    """A number with more digits than any that is allowed is only known to be beyond them all."""
    if len(digits) <= LONGEST + 1:
        return int(digits)
    return -_BEYOND if digits.startswith("-") else _BEYOND


def _repeated_keys(document: dict[str, Any]) -> list[str]:
    faults = []
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, _Repeated):
            faults += [
                f"{inside(place, name)}: this key stands there more than once" for name in value.keys_again
            ]
        if isinstance(value, dict):
            waiting += [(inside(place, name), part) for name, part in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(f"{place}[{number}]", part) for number, part in reversed(list(enumerate(value)))]
    return faults
