"""The inputs of a cycle as bytes, so that a close can be repeated and proven at any time."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from portal.engine.cycle import Members, Result
from portal.engine.events import NONE, Events, History, State
from portal.engine.inputs import Inputs
from portal.engine.network import Network
from portal.engine.plan import Plan
from portal.engine.refusal import Refused

FORMAT: Final = "canopy inputs 1"
_COMPRESSION: Final = 1
_NETWORK: Final = ("sponsor", "parent", "leg", "pack", "status")
_IF_ANY: Final = ("matrix_parent", "rank")


def freeze(inputs: Inputs) -> bytes:
    """Write the inputs down, compressed; equal inputs give equal bytes."""
    return zlib.compress(b"".join(_content(inputs)), _COMPRESSION)


def thaw(data: bytes) -> Inputs:
    """Read back what `freeze` wrote. Raises Refused for anything else."""
    try:
        head, body = zlib.decompress(data).split(b"\n", 1)
        header = json.loads(head)
        parts = _parts(header, body)
        return Inputs(
            plan=Plan.parse(header["plan"]),
            network=Network(**parts["network"], packs=tuple(header["packs"])),
            events=Events(**parts["events"]),
            history=History(**parts["history"]),
            state=State(**parts["state"]),
        )
    except (zlib.error, ValueError, KeyError, TypeError):
        raise Refused(["snapshot: this cannot be read"]) from None


def digest(inputs: Inputs) -> str:
    """The SHA-256 of the inputs, whatever the compression."""
    whole = hashlib.sha256()
    for piece in _content(inputs):
        whole.update(piece)
    return whole.hexdigest()


def result_digest(result: Result) -> str:
    """The SHA-256 of all lines, sorted, and of what came out per member."""
    lines = [getattr(result.lines, field.name) for field in fields(result.lines)]
    order = np.lexsort(lines[::-1])
    members = [
        column
        for name, column in ((field.name, getattr(result.members, field.name)) for field in fields(Members))
        if _says_anything(name, column)
    ]
    whole = hashlib.sha256(f"{len(order)} {len(result.members.pv)}\n".encode())
    for column in [line[order] for line in lines] + members:
        whole.update(_bytes(column.astype(np.int64)))
    return whole.hexdigest()


def _says_anything(name: str, column: NDArray[Any]) -> bool:
    """Columns that came later count only where they say anything, so that older digests still hold."""
    return name not in _IF_ANY or bool((column != NONE).any())


def _columns(inputs: Inputs) -> Iterator[tuple[str, str, NDArray[Any]]]:
    """All arrays of the inputs, each with its part and its name, in fixed order."""
    for name in _NETWORK:
        yield "network", name, getattr(inputs.network, name)
    if _says_anything("matrix_parent", inputs.network.matrix_parent):
        yield "network", "matrix_parent", inputs.network.matrix_parent
    for part in ("events", "history", "state"):
        table = getattr(inputs, part)
        for field in fields(table):
            yield part, field.name, getattr(table, field.name)


def _content(inputs: Inputs) -> Iterator[bytes]:
    """A line that says what follows, and the numbers as they are."""
    columns = [(part, name, _kind(column), len(column)) for part, name, column in _columns(inputs)]
    header = {
        "format": FORMAT,
        "plan": inputs.plan.document,
        "packs": inputs.network.packs,
        "columns": columns,
    }
    yield json.dumps(header, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    for _, _, column in _columns(inputs):
        yield _bytes(column)


def _parts(header: dict[str, Any], body: bytes) -> dict[str, dict[str, NDArray[Any]]]:
    if header["format"] != FORMAT:
        raise ValueError(header["format"])
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    start = 0
    for part, name, kind, length in header["columns"]:
        column = np.frombuffer(body, np.dtype(kind), length, start)
        parts.setdefault(part, {})[name] = column
        start += column.nbytes
    return parts


def _kind(column: NDArray[Any]) -> str:
    return column.dtype.newbyteorder("<").str


def _bytes(column: NDArray[Any]) -> bytes:
    return column.astype(_kind(column), copy=False).tobytes()
