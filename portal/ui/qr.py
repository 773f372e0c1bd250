"""A link as a QR code: what a phone's camera reads off a screen or a sheet of paper."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Final

import segno

# The white edge that readers need around a code, in modules (ISO/IEC 18004).
EDGE: Final = 4


@dataclass(frozen=True)
class Code:
    """The side of a code in modules, with its edge, and its dark modules as the path of an SVG."""

    side: int
    path: str


def qr_code(text: str) -> Code:
    """The QR code of a text, which is read with a seventh of it covered."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=EDGE)]
    return Code(len(rows), "".join(_runs(y, row) for y, row in enumerate(rows)))


def _runs(y: int, row: list[int]) -> str:
    """The dark modules of a row, each run of them one bar."""
    path, x = "", 0
    for dark, modules in groupby(row, bool):
        length = len(list(modules))
        path += f"M{x} {y}h{length}v1h-{length}z" if dark else ""
        x += length
    return path
