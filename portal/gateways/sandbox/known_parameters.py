"""Parameters that the installed SDK knows: whatever it does not know, the sandbox refuses.

It guards against parameters that went away or were never there, without asking Stripe.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from portal.gateways.sandbox.stripe_form import BadRequest


def refuse_unknown(parameters: dict[str, Any], known: type) -> None:
    """Raise `BadRequest` for the first name, at any depth, that `known` does not have.

    `known` is one of the SDK's `stripe.params.…Params`; `parameters` is what `read_form` gives.
    """
    for name in unknown(parameters, known):
        raise BadRequest(f"Received unknown parameter: {name}", parameter=name, code="parameter_unknown")


def unknown(parameters: dict[str, Any], known: type) -> Iterator[str]:
    """The names that `known` does not have; options of the SDK's own are no parameters."""
    from stripe import RequestOptions

    options = set(RequestOptions.__annotations__)
    for name, value in parameters.items():
        if name in options or name not in known.__annotations__:
            yield name
        else:
            yield from _within(known, name, value, path=name, root=known.__name__)


def _within(parent: type, name: str, value: Any, *, path: str, root: str) -> Iterator[str]:
    found = re.search(rf"\b({root}\w+)", str(parent.__annotations__[name]))
    inner: type | None = getattr(sys.modules[parent.__module__], found[1], None) if found else None
    if inner is None:
        return
    for place, part in enumerate(value) if isinstance(value, list) else [(None, value)]:
        prefix = path if place is None else f"{path}[{place}]"
        for key, content in part.items() if isinstance(part, dict) else ():
            if key not in inner.__annotations__:
                yield f"{prefix}[{key}]"
            else:
                yield from _within(inner, key, content, path=f"{prefix}[{key}]", root=root)
