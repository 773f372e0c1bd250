"""What a provider over HTTP, or the bank behind a bank file, needs to know: written by an admin, sealed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from portal.kernel.errors import BadInput
from portal.ledger.accounts import CURRENCY
from portal.payouts.payees.numbers import routing_number

# Ours on the left; an admin writes where the provider wants each of them.
HTTP_FIELDS = ("reference", "amount", "currency", "destination", "routing", "payee", "account", "generation")
NEEDED_FIELDS = ("reference", "amount", "currency", "destination")
ADDRESSES = ("url", "lookup_url", "list_url", "reverse_url")
# What each address must hold, so that it is about one payout, or about one window.
PLACES = {"lookup_url": ("reference",), "list_url": ("since", "until"), "reverse_url": ("ref",)}
# Our words for a state; an admin writes the provider's beside them.
HTTP_STATES = ("sent", "paid", "returned", "rejected")
WRITTEN = (
    *ADDRESSES,
    "token",
    "account",
    "amount_in",
    "ref",
    "status",
    "rows",
    "created",
    "key_header",
    "keeps_keys",
)
# What the provider itself takes, beside the terms of the method: cents, or currencies as three letters.
HTTP_LIMITS = ("minimum_cents", "maximum_cents")
_PATHS = ("ref", "status", "rows", "created")
_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def http_settings(written: dict[str, Any], *, before: dict[str, Any], insecure: bool) -> dict[str, Any]:
    """The settings of an HTTP provider: what was written, and nothing else of what a form can say.

    An empty token keeps the one that is there, for the hosts that know it already. `insecure` lets plain http
    through, in development only. Raises `BadInput` naming the field.
    """
    settings: dict[str, Any] = {
        name: str(written[name]).strip() for name in WRITTEN if str(written.get(name) or "").strip()
    }
    for name in ADDRESSES:
        if name in settings or name == "url":
            _check_address(settings.get(name, ""), name=name, insecure=insecure)
    if not settings.get("token"):
        settings["token"] = _kept_token(settings, before)
    fields = {name: str(path).strip() for name, path in written["fields"].items() if path}
    for name in NEEDED_FIELDS:
        if name not in fields:
            raise BadInput("The provider needs this in every order.", field=f"field_{name}")
    _check_paths(settings, fields)
    settings |= _limits(written)
    ours = {*WRITTEN, *HTTP_LIMITS, "currencies", "fields", "states"} & {*WRITTEN, *written}
    kept = {name: value for name, value in before.items() if name not in ours}
    return kept | settings | {"fields": fields} | _states(written.get("states") or {})


def changed(before: dict[str, Any], after: dict[str, Any] | None) -> list[str]:
    """The names of the settings that are not what they were; never what they hold."""
    if after is None:
        return []
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def nacha_settings(written: dict[str, Any]) -> dict[str, Any]:
    """What stands in the head of a bank file; raises `BadInput` naming the field."""
    settings = {name: str(value or "").strip() for name, value in written.items()}
    try:
        settings["bank_routing"] = routing_number(settings["bank_routing"])
    except BadInput as refusal:
        raise BadInput(refusal.message, field="bank_routing") from refusal
    if not re.fullmatch("[0-9A-Za-z]{10}", settings["company_id"]):
        raise BadInput(
            "The company id has ten characters: 1 and the nine digits of the EIN.", field="company_id"
        )
    for name, longest in (("bank_name", 23), ("company_name", 16), ("description", 10)):
        if not re.fullmatch(rf"[A-Za-z0-9 .,&/'-]{{1,{longest}}}", settings[name]):
            raise BadInput(f"The bank takes up to {longest} plain letters and digits.", field=name)
    return settings


def _kept_token(settings: dict[str, Any], before: dict[str, Any]) -> str:
    """The token that is there; it was given for its hosts, and goes to no other."""
    if not before.get("token"):
        raise BadInput("Please write the token that the provider gave you.", field="token")
    known = {_origin(str(before[name])) for name in ADDRESSES if before.get(name)}
    if {_origin(settings[name]) for name in ADDRESSES if name in settings} - known:
        raise BadInput("An address leads to another host. Please write the token again.", field="token")
    return str(before["token"])


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port


def _states(written: dict[str, str]) -> dict[str, dict[str, list[str]]]:
    """The provider's words by our state; one word means one thing."""
    states: dict[str, list[str]] = {}
    for name in HTTP_STATES:
        words = [word.strip() for word in str(written.get(name) or "").split(",") if word.strip()]
        if repeated := {word.casefold() for word in words} & {
            known.casefold() for others in states.values() for known in others
        }:
            raise BadInput(f"{min(repeated)} stands for something else already.", field=f"state_{name}")
        if words:
            states[name] = words
    if states and "sent" not in states and "paid" not in states:
        raise BadInput("Please write what the provider calls an order that it took.", field="state_sent")
    return {"states": states} if states else {}


def _limits(written: dict[str, Any]) -> dict[str, Any]:
    """The currencies and amounts in cents that the provider takes; what is left out is not limited here."""
    currencies = re.split(r"[\s,]+", str(written.get("currencies") or "").strip().upper())
    currencies = list(dict.fromkeys(filter(None, currencies)))
    if not all(re.fullmatch("[A-Z]{3}", currency) for currency in currencies):
        raise BadInput("Please write currencies as three letters, such as USD.", field="currencies")
    if currencies and CURRENCY not in currencies:
        raise BadInput(f"The books keep {CURRENCY}; a provider has to pay in it.", field="currencies")
    limits = {name: int(written[name]) for name in HTTP_LIMITS if written.get(name)}
    if limits.get("maximum_cents", limits.get("minimum_cents", 0)) < limits.get("minimum_cents", 0):
        raise BadInput("The largest amount is below the smallest.", field="provider_maximum")
    return ({"currencies": currencies} if currencies else {}) | limits


def _check_paths(settings: dict[str, Any], fields: dict[str, str]) -> None:
    paths = [(f"field_{ours}", path) for ours, path in fields.items()]
    paths += [(name, settings.get(name, "")) for name in _PATHS if name in settings or name == "ref"]
    for name, path in paths:
        if not _PATH.fullmatch(path):
            raise BadInput(
                "Please write a name like amount, or to.account for one inside another.", field=name
            )
    if not re.fullmatch("[A-Za-z0-9-]*", settings.get("key_header", "")):
        raise BadInput("The name of a header has letters, digits and dashes.", field="key_header")


def _check_address(address: str, *, name: str, insecure: bool) -> None:
    try:
        parts = urlsplit(address)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_right = urlsplit(""), False
    schemes = ("https", "http") if insecure else ("https",)
    named = parts.hostname and not parts.username and not parts.password and "{" not in parts.netloc
    if parts.scheme not in schemes or not named or not port_is_right:
        raise BadInput("Please write a whole address that begins with https://.", field=name)
    for place in PLACES.get(name, ()):
        if "{" + place + "}" not in address:
            raise BadInput(f"Please write {{{place}}} where that goes.", field=name)
