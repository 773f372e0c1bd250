"""What a provider over HTTP, or the bank behind a bank file, needs to know: written by an admin, sealed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from portal.kernel.errors import BadInput
from portal.payouts.payees.numbers import routing_number

# Ours on the left; an admin writes where the provider wants each of them.
HTTP_FIELDS = ("reference", "amount", "currency", "destination", "routing", "payee", "account", "generation")
NEEDED_FIELDS = ("reference", "amount", "currency", "destination")
ADDRESSES = ("url", "lookup_url", "list_url", "reverse_url")
_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def http_settings(written: dict[str, Any], *, before: dict[str, Any], insecure: bool) -> dict[str, Any]:
    """The settings of an HTTP provider; an empty token keeps the one that is there.

    `insecure` lets plain http through, in development only. Raises `BadInput` naming the field.
    """
    settings = {name: str(value).strip() for name, value in written.items() if name != "fields" and value}
    settings["token"] = settings.get("token") or str(before.get("token", ""))
    if not settings["token"]:
        raise BadInput("Please write the token that the provider gave you.", field="token")
    for name in ADDRESSES:
        if name in settings or name == "url":
            _check_address(settings.get(name, ""), name=name, insecure=insecure)
    fields = {name: str(path).strip() for name, path in written["fields"].items() if path}
    for name in NEEDED_FIELDS:
        if name not in fields:
            raise BadInput("The provider needs this in every order.", field=f"field_{name}")
    for name, path in [*((f"field_{ours}", path) for ours, path in fields.items()), *_answer_paths(settings)]:
        if not _PATH.fullmatch(path):
            raise BadInput(
                "Please write a name like amount, or to.account for one inside another.", field=name
            )
    return {**before, **settings, "fields": fields}


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


def _answer_paths(settings: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, settings[name]) for name in ("ref", "status") if name in settings] or [("ref", "")]


def _check_address(address: str, *, name: str, insecure: bool) -> None:
    parts = urlsplit(address)
    schemes = ("https", "http") if insecure else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username or parts.password:
        raise BadInput("Please write a whole address that begins with https://.", field=name)
