"""The body of an event as a page shows it: laid out, and without what tells who a customer is."""

from __future__ import annotations

import json
from typing import Any

PERSONAL = frozenset({"name", "email", "phone", "address"})
HIDDEN = "•••"


def readable(body: bytes) -> str:
    """The JSON on several lines, personal data hidden; what is no JSON is said to be none."""
    try:
        document = json.loads(body)
    except ValueError:
        return f"({len(body)} bytes that are not JSON)"
    return json.dumps(_masked(document), indent=2, ensure_ascii=False)


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _masked(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, name) for inner in value]
    if name in PERSONAL and isinstance(value, str) and value:
        return value[0] + HIDDEN
    return value
