"""What a door of the API says of itself, beside its view; the OpenAPI document is made of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

View = TypeVar("View", bound=Callable[..., Any])
Schema = Mapping[str, Any]

PROBLEM: Final = "Problem"
MAYBE: Final[Schema] = {"type": ["string", "null"]}


@dataclass(frozen=True)
class Parameter:
    """A parameter in the query, or in the path where `place` says so; always text on the wire."""

    name: str
    words: str
    schema: Schema
    place: str = "query"
    required: bool = False
    example: Any = None


@dataclass(frozen=True)
class Body:
    """What a door takes: JSON of this schema, at most so many bytes; `examples` by their title."""

    words: str
    schema: Schema
    most_bytes: int
    examples: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """An answer in words; of a problem where it has no schema of its own."""

    words: str
    schema: Schema | None = None
    example: Any = None


@dataclass(frozen=True)
class Operation:
    """One method of one address.

    `name` is unique, `group` the heading it stands under, `sign_in` the name of a way to sign in
    (`signature`, `token`, `nobody` where none is needed). `schemas` are those its body and answers refer to
    by name.
    """

    name: str
    title: str
    words: str
    group: str
    sign_in: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    schemas: Mapping[str, Schema] = field(default_factory=dict)


def documented(operation: Operation) -> Callable[[View], View]:
    """Say what a view does, for the document that `/api/v1/openapi.json` answers."""

    def say(view: View) -> View:
        view.operation = operation  # type: ignore[attr-defined]
        return view

    return say


def ref(name: str) -> dict[str, str]:
    """A reference to a schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def whole(**properties: Any) -> Schema:
    """An object with exactly these properties, all of them required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def page_of(name: str, schema: str) -> Schema:
    """One page of a list under `name`, and the cursor of the next one where there is more."""
    return whole(**{name: {"type": "array", "items": ref(schema)}, "next": MAYBE})
