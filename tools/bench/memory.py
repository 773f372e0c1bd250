"""Whether the process keeps the memory that arrays gave back, or returns it at once.

The C library returns every large array to the kernel, and a virtual machine may return it to its host.
Touching it anew can then cost more than all the arithmetic: a matter of the machine, not of the engine. So
the benchmark keeps it, as a worker that computes the same again and again should, and measures the other way
beside it.
"""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MOST_MAPPED: Final = -4
_NEVER: Final = -1


def keep() -> None:
    """From now on keep what is given back, where the C library can."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_MOST_MAPPED, 0)
        library.mallopt(_TRIM_THRESHOLD, _NEVER)


def give_back() -> None:
    """Return all that is kept."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)
