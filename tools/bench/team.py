"""`python -m tools.bench.team`: the list of the team of whoever stands at the top, with everybody in it.

Milliseconds of one page in each order, read at once; with `--recursion` by a recursive question as well.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from portal import live
from portal.extensions import db
from portal.members.team import Viewer
from portal.models import Consultant
from portal.network import listed
from portal.network.listed import Wanted
from tools.bench.close import application, made

TOP: Final = 1
ASKED: Final = {
    "newest": Wanted(),
    "by name": Wanted(order="name"),
    "nearest": Wanted(order="near"),
    "one leg": Wanted(side="left"),
    "sponsored": Wanted(own=True),
    "found by name": Wanted(name="person"),
}
PATIENCE: Final = "SET statement_timeout = '300s'"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    parser.add_argument("--shapes", default="random,chain")
    parser.add_argument("--recursion", action="store_true")
    chosen = parser.parse_args()
    found: dict[str, Any] = {**vars(chosen), "load": round(os.getloadavg()[0], 1)}
    for shape in chosen.shapes.split(","):
        with (
            tempfile.TemporaryDirectory() as folder,
            made(chosen.members, 1, shape) as url,
            application(url, Path(folder)).app_context(),
        ):
            found[shape] = _measured(chosen.members if chosen.recursion else None)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


def _measured(everybody: int | None) -> dict[str, Any]:
    """Each page twice, the second time counts; `everybody` is the bound that makes all teams small."""
    live.legs([TOP])
    found = {"read at once": _pages()}
    if everybody is not None:
        listed.MOST_BY_RECURSION = everybody  # type: ignore[misc]
        found["by recursion"] = _pages()
    return found


def _pages() -> dict[str, int]:
    return {name: min(_milliseconds(wanted) for _ in range(2)) for name, wanted in ASKED.items()}


def _milliseconds(wanted: Wanted) -> int:
    session = db.session()
    session.execute(text(PATIENCE))
    viewer = Viewer(session.get_one(Consultant, TOP), None)
    started = time.perf_counter()
    rows, people = listed.page_of(session, viewer, wanted, start=0, limit=50)
    taken = time.perf_counter() - started
    assert len(rows) == min(people, 50) > 0
    session.rollback()
    return round(taken * 1000)


if __name__ == "__main__":
    sys.exit(main())
