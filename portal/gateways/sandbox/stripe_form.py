"""Stripe's requests: forms with brackets in their names, checked against what the SDK knows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_NAME = re.compile(r"([a-z0-9_]+)((?:\[[A-Za-z0-9_-]*\])*)")
_PART = re.compile(r"\[([A-Za-z0-9_-]*)\]")
_CENTS = re.compile(r"[0-9]{1,8}")
_LEAST_CENTS = 50


class BadRequest(Exception):
    """Stripe would refuse this request; `parameter` is the name it would point at."""

    def __init__(self, message: str, *, parameter: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.parameter = parameter
        self.code = code


def read_form(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[0][b]=c` and so on as nested dictionaries and lists. Raises `BadRequest`."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        found = _NAME.fullmatch(name)
        if not found:
            raise BadRequest(f"Received unknown parameter: {name}", parameter=name, code="parameter_unknown")
        path = [found[1], *_PART.findall(found[2])]
        branch = tree
        for part in path[:-1]:
            branch = branch.setdefault(part, {})
            if not isinstance(branch, dict):
                raise BadRequest(f"Invalid parameter: {name}", parameter=name)
        branch[path[-1]] = value
    return {name: _with_lists(value) for name, value in tree.items()}


def checked_session(parameters: dict[str, Any], *, now: int) -> dict[str, Any]:
    """The parameters of a Checkout session, as they are. Raises `BadRequest` for what Stripe refuses."""
    mode = parameters.get("mode")
    if mode not in ("payment", "subscription"):
        raise BadRequest("Invalid mode: must be one of payment or subscription", parameter="mode")
    if not str(parameters.get("success_url", "")).startswith(("http://", "https://")):
        raise BadRequest("Not a valid URL", parameter="success_url", code="url_invalid")
    _check_sizes(parameters)
    _check_expiry(parameters, now)
    _check_lines(parameters.get("line_items"), mode)
    return parameters


def _check_sizes(parameters: dict[str, Any]) -> None:
    if len(str(parameters.get("client_reference_id", ""))) > 200:
        raise BadRequest("Invalid string: at most 200 characters", parameter="client_reference_id")
    email = parameters.get("customer_email")
    if email is not None and "@" not in email:
        raise BadRequest(f"Invalid email address: {email}", parameter="customer_email", code="email_invalid")
    metadata = parameters.get("metadata") or {}
    if len(metadata) > 50 or any(len(name) > 40 or len(value) > 500 for name, value in metadata.items()):
        raise BadRequest("Invalid metadata: too many or too long", parameter="metadata")


def _check_expiry(parameters: dict[str, Any], now: int) -> None:
    if "expires_at" not in parameters:
        return
    if not now + 1800 <= int(parameters["expires_at"]) <= now + 86_400:
        raise BadRequest(
            "The `expires_at` timestamp must be from 30 minutes to 24 hours after Checkout Session creation.",
            parameter="expires_at",
        )


def _check_lines(lines: Any, mode: str) -> None:
    if not isinstance(lines, list) or not lines:
        raise BadRequest(
            "Missing required param: line_items.", parameter="line_items", code="parameter_missing"
        )
    prices = [_checked_price(line, place) for place, line in enumerate(lines)]
    if len({price["currency"] for price in prices}) > 1:
        raise BadRequest("All line items must have the same currency", parameter="line_items")
    recurring = [price for price in prices if price.get("recurring")]
    if mode == "payment" and recurring:
        raise BadRequest("You specified `payment` mode but passed a recurring price.", parameter="line_items")
    if mode == "subscription" and not recurring:
        raise BadRequest(
            "You must provide at least one recurring price in `subscription` mode.", parameter="mode"
        )
    if mode == "payment" and sum(int(price["unit_amount"]) for price in prices) < _LEAST_CENTS:
        raise BadRequest("The total amount must convert to at least 50 cents.", code="amount_too_small")


def _checked_price(line: Any, place: int) -> dict[str, Any]:
    name = f"line_items[{place}]"
    price = line.get("price_data") if isinstance(line, dict) else None
    if not isinstance(price, dict):
        raise BadRequest("The sandbox needs price_data.", parameter=f"{name}[price_data]")
    if not _CENTS.fullmatch(str(line.get("quantity", ""))) or int(line["quantity"]) < 1:
        raise BadRequest("Invalid integer", parameter=f"{name}[quantity]", code="parameter_invalid_integer")
    if not _CENTS.fullmatch(str(price.get("unit_amount", ""))):
        raise BadRequest(
            "Invalid integer", parameter=f"{name}[price_data][unit_amount]", code="parameter_invalid_integer"
        )
    if not re.fullmatch(r"[a-z]{3}", str(price.get("currency", ""))):
        raise BadRequest("Invalid currency", parameter=f"{name}[price_data][currency]")
    product = price.get("product_data")
    if not isinstance(product, dict) or not product.get("name"):
        raise BadRequest("Missing required param: name.", parameter=f"{name}[price_data][product_data][name]")
    return price


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_with_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _with_lists(inner) for name, inner in value.items()}
