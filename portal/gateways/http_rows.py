"""A described provider's data in our words: what can be used, and rows read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from portal.gateways.errors import ProviderUnavailable

STATES: Final = ("sent", "paid", "returned", "rejected")
NEEDED: Final = ("url", "token", "fields", "ref")
DEFAULT_STATES: Final[Mapping[str, list[str]]] = {
    "sent": ["accepted", "pending", "sent"],
    "paid": ["paid"],
    "returned": ["returned"],
    "rejected": ["rejected", "failed", "declined", "cancelled", "canceled"],
}
# What an address must hold to be about one payout, or about one window.
PLACES: Final = {"lookup_url": ("reference",), "list_url": ("since", "until"), "reverse_url": ("ref",)}
_UNITS = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,2})0*)?")


class BadDescription(Exception):
    """The data that describe a provider cannot be used; the message says why."""


@dataclass(frozen=True)
class Row:
    """One payout as the provider tells of it; `state` is empty for a `word` that is not described."""

    ref: str
    group: str
    amount_cents: int
    currency: str
    state: str
    word: str
    created: datetime | None

    def is_of(self, amount_cents: int, currency: str) -> bool:
        """Whether it carries this amount; a row without currency is not held against it."""
        return self.amount_cents == amount_cents and self.currency in ("", currency.upper())


class Reader:
    """Reads answers of a described provider."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._about = description
        states = description.get("states") or DEFAULT_STATES
        self._states = {str(word).casefold(): state for state, words in states.items() for word in words}

    def state(self, said: Any) -> tuple[str, str]:
        """The state in our words and the provider's word.

        `sent` where neither the description nor the answer tells of states; empty for an unknown word.
        """
        word = at_path(said, str(self._about.get("status") or "status"))
        if word is None and not self._about.get("status"):
            return "sent", ""
        return self._states.get(str(word).casefold(), ""), str(word)[:100]

    def row(self, said: Any) -> Row:
        """A row of a look-up or list. Raises `ProviderUnavailable` for one that cannot be read."""
        fields = self._about["fields"]
        ref, group = at_path(said, str(self._about["ref"])), at_path(said, str(fields["reference"]))
        if not ref or not isinstance(ref, str | int) or isinstance(ref, bool):
            raise ProviderUnavailable("a row without reference")
        amount = at_path(said, str(fields["amount"]))
        state, word = self.state(said)
        return Row(
            ref=str(ref),
            group=str(group or ""),
            amount_cents=_cents(amount, units=self._about.get("amount_in") == "units"),
            currency=str(at_path(said, str(fields.get("currency", "currency"))) or "").upper(),
            state=state,
            word=word,
            created=_moment(at_path(said, str(self._about.get("created") or "created"))),
        )


def check(description: Mapping[str, Any], *, insecure: bool = False) -> None:
    """Whether a provider can be called as described. Raises `BadDescription`."""
    if missing := [name for name in NEEDED if not description.get(name)]:
        raise BadDescription(f"{', '.join(missing)} must be given.")
    fields = description["fields"]
    if not isinstance(fields, Mapping) or not {"reference", "amount", "destination"} <= set(fields):
        raise BadDescription("fields must say where reference, amount and destination go.")
    known = {"reference", "amount", "currency", "destination", "payee", "generation", "statement"}
    if unknown := set(fields) - known - {"routing", "account_type", "account"}:
        raise BadDescription(f"fields has names that we cannot fill: {', '.join(sorted(unknown))}.")
    for name in ("url", *PLACES):
        _check_address(description, name, insecure=insecure)
    if set(description.get("states") or {}) - set(STATES):
        raise BadDescription(f"states may be {', '.join(STATES)}.")


def at_path(said: Any, path: str) -> Any:
    """What lies at a dotted path; None where nothing does."""
    for part in str(path).split("."):
        said = said.get(part) if isinstance(said, dict) else None
    return said


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Lay a value at a dotted path."""
    *parents, last = path.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value


def filled(url: str, **values: str) -> str:
    """An address with its places filled."""
    for name, value in values.items():
        url = url.replace("{" + name + "}", quote(value, safe=""))
    return url


def _check_address(description: Mapping[str, Any], name: str, *, insecure: bool) -> None:
    url = str(description.get(name) or "")
    if not url:
        return
    scheme = urlsplit(url).scheme
    if scheme != "https" and not (insecure and scheme == "http"):
        raise BadDescription(f"{name} must begin with https://.")
    for place in PLACES.get(name, ()):
        if "{" + place + "}" not in url:
            raise BadDescription(f"{name} must say where {{{place}}} goes.")


def _cents(amount: Any, *, units: bool) -> int:
    """An amount in cents. Raises `ProviderUnavailable` for anything but a whole number of them."""
    if units and isinstance(amount, str | int) and not isinstance(amount, bool):
        if read := _UNITS.fullmatch(str(amount)):
            return int(read[1]) * 100 + int((read[2] or "").ljust(2, "0"))
    elif type(amount) is int or (isinstance(amount, str) and re.fullmatch("[0-9]{1,15}", amount)):
        return int(amount)
    raise ProviderUnavailable("an amount that cannot be read")


def _moment(created: Any) -> datetime | None:
    """When a row was made: seconds since 1970 or an ISO moment; None where it says nothing."""
    if created is None:
        return None
    try:
        if type(created) is int or (isinstance(created, str) and created.isdecimal()):
            return datetime.fromtimestamp(int(created), UTC)
        read = datetime.fromisoformat(created)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise ProviderUnavailable("a moment that cannot be read") from error
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
