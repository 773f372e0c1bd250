"""The steps of a preview, a close and an undo: told as progress while they last, timed for the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from portal.models import Run
from portal.store import progress

STEPS: Final = {
    "preview": ("read", "keep", "calculate", "write", "prove"),
    "close": ("read", "calculate", "book", "hold", "finish"),
    "undo": ("reverse", "finish"),
}


class Stages:
    """What `run.stages` will hold for one work on it: milliseconds for each step that was gone through."""

    def __init__(self, cycle_id: int, work: str) -> None:
        self._subject, self._work = f"cycle-{cycle_id}", work
        self._took: dict[str, int] = {}

    @contextmanager
    def at(self, step: str, *, total: int = 0) -> Iterator[Callable[[int], None]]:
        """The step that is gone through within this, over `total` things where that is known.

        Gives what tells how many of them are done.
        """

        def told(done: int) -> None:
            progress.report(self._subject, step=step, steps=STEPS[self._work], done=done, total=total)

        told(0)
        began = time.perf_counter_ns()
        yield told
        self._took[step] = (time.perf_counter_ns() - began) // 1_000_000

    def write_down(self, run: Run) -> None:
        """Keep the times with the run, beside those of its earlier steps."""
        before = run.stages or {}
        mine = before.get(self._work)
        run.stages = before | {self._work: (mine if isinstance(mine, dict) else {}) | self._took}
