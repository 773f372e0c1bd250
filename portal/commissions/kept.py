"""What a run keeps beside its result: who and which sale stands behind each index, and what computed it."""

from __future__ import annotations

import hashlib
import zlib
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import portal.engine
from portal.commissions.gathering import Gathered
from portal.engine import Refused, snapshot
from portal.models import Run

Ints = NDArray[np.int64]

FORMAT: Final = b"canopy ids 1"
_COMPRESSION: Final = 1


def kept(run: Run) -> Gathered:
    """The frozen inputs of a run, with the consultant and sale ids behind their indices.

    Raises `LookupError` for a run without inputs, `Refused` for bytes that nobody wrote like that.
    """
    if not run.inputs or run.ids is None:
        raise LookupError(f"run {run.id} holds no inputs")
    inputs = snapshot.thaw(run.inputs)
    consultants, sales = thaw_ids(run.ids)
    if len(consultants) != len(inputs.network) or len(sales) != len(inputs.events):
        raise Refused(["ids: these do not belong to the inputs"])
    return Gathered(inputs, consultants, sales)


def freeze_ids(consultants: Ints, sales: Ints) -> bytes:
    """Both columns of ids as bytes; equal ids give equal bytes."""
    steps = b"".join(np.diff(column, prepend=0).astype("<i8").tobytes() for column in (consultants, sales))
    head = b"%s %d %d\n" % (FORMAT, len(consultants), len(sales))
    return zlib.compress(head + steps, _COMPRESSION)


def thaw_ids(data: bytes) -> tuple[Ints, Ints]:
    """Consultant and sale ids from what `freeze_ids` wrote. Raises `Refused` for anything else."""
    try:
        head, body = zlib.decompress(data).split(b"\n", 1)
        name, _, counts = head.rpartition(FORMAT)
        consultants, sales = (int(count) for count in counts.split())
        steps = np.frombuffer(body, "<i8").astype(np.int64)
        if name or len(steps) != consultants + sales:
            raise ValueError(head)
    except (zlib.error, ValueError):
        raise Refused(["ids: these cannot be read"]) from None
    return np.cumsum(steps[:consultants]), np.cumsum(steps[consultants:])


@cache
def code_version() -> str:
    """`engine-` and 40 hex digits of the SHA-256 over the source of the engine that is running."""
    folder = Path(portal.engine.__file__).parent
    whole = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        whole.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return f"engine-{whole.hexdigest()[:40]}"
