"""`make bench`: every size and shape, each in a process of its own, and the ratios with their targets."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any, Final

from tools import ROOT
from tools.bench.networks import SHAPES

SIZES: Final = (50_000, 500_000, 5_000_000, 10_000_000)
SLOW: Final = {(50_000, "chain"), (500_000, "random"), (500_000, "power")}
TIMES: Final = (
    "legs",
    "legs by tour",
    "order",
    "order with 1 % joins",
    "cycle",
    "cycle in fresh memory",
    "cycle with lines as one table",
)


def main() -> int:
    """Print a row for every network; return 1 if any two ways differ."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--quick", action="store_true", help="without the slow ways")
    chosen = parser.parse_args()
    rows = [
        _row(int(size), shape, slow=not chosen.quick and (int(size), shape) in SLOW)
        for size in chosen.sizes.split(",")
        for shape in chosen.shapes.split(",")
    ]
    for line in _across(rows):
        print(line)
    return 0 if all(all(row["agree"].values()) for row in rows) else 1


def _row(size: int, shape: str, *, slow: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "comp", "bench", "--json"]
    command += ["--members", str(size), "--shape", shape, *(["--slow-ways"] if slow else [])]
    row: dict[str, Any] = json.loads(subprocess.check_output(command, cwd=ROOT))
    seconds = ", ".join(f"{name} {row['seconds'][name] * 1000:.1f} ms" for name in TIMES)
    ratios = ", ".join(f"{name} {value}" for name, value in row["ratios"].items())
    agree = "agree" if all(row["agree"].values()) else f"DIFFER: {row['agree']}"
    print(
        f"{size:>10,} {shape:9} load {row['load']}: {seconds}; {row['ns per member']} ns/member,"
        f" peak {row['peak MiB']} MiB; {ratios}; all {agree}",
        flush=True,
    )
    return row


def _across(rows: list[dict[str, Any]]) -> list[str]:
    """What only several networks together can say."""
    cycle, fresh = (
        {(row["members"], row["shape"]): row["seconds"][name] for row in rows}
        for name in ("cycle", "cycle in fresh memory")
    )
    lines = []
    for size in sorted({size for size, _ in cycle}):
        seconds = [value for (members, _), value in cycle.items() if members == size]
        lines.append(f"{size:>10,} slowest shape / fastest: {max(seconds) / min(seconds):.2f}")
    for (size, shape), value in cycle.items():
        if size == 10_000_000 and (500_000, shape) in cycle:
            in_fresh = fresh[size, shape] / fresh[500_000, shape]
            ratio = value / cycle[500_000, shape]
            lines.append(f"10,000,000 / 500,000 {shape}: {ratio:.1f}, in fresh memory {in_fresh:.1f}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
