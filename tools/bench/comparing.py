"""`python -m tools.bench.comparing`: another system's lines beside a whole cycle of so many, in memory.

Every tenth of their sums differs from ours; the file has one line for each person and kind.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

import numpy as np

from portal.arrival import Faults
from portal.arrival.comparing.details import details_of
from portal.arrival.comparing.old_lines import read_old_lines
from portal.arrival.comparing.reasons import REASONS, explained
from portal.arrival.comparing.sides import WIDTH, Gaps, ours_of, theirs_of
from portal.engine import KINDS, calculate
from tools.bench.networks import inputs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    members = parser.parse_args().members
    result = calculate(inputs(members, "random"))
    ours = ours_of(result)
    place = np.nonzero(ours.cents)[0]
    cents = ours.cents[place] + np.where(np.arange(len(place)) % 10 == 0, 731, 0)
    rows = zip((place // WIDTH).tolist(), (place % WIDTH).tolist(), cents.tolist(), strict=True)
    lines = (
        f"M{who},{KINDS[kind]},{'-' * (c < 0)}{abs(c) // 100}.{abs(c) % 100:02d}" for who, kind, c in rows
    )
    content = "\n".join(["code,kind,amount", *lines]).encode()
    codes = {f"M{at}": at for at in range(members)}
    times, faults = [time.process_time()], Faults()
    old = read_old_lines("old.csv", content, faults)
    times.append(time.process_time())
    theirs, _strangers = theirs_of(old, codes, np.arange(members), {kind: kind for kind in KINDS})
    ours = ours_of(result)
    times.append(time.process_time())
    found = explained(result, Gaps.between(ours, theirs))
    times.append(time.process_time())
    details_of(found)
    times.append(time.process_time())
    steps = ("read", "put side by side", "explained", "put into numbers")
    seconds = {step: round(times[at + 1] - times[at], 1) for at, step in enumerate(steps)}
    counts = np.bincount(found.reason, minlength=len(REASONS)).tolist()
    told = {
        "lines": len(old),
        "differences": len(found.gaps),
        "CPU seconds": seconds,
        "reasons": {reason: count for reason, count in zip(REASONS, counts, strict=True) if count},
        "load": round(os.getloadavg()[0], 1),
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 1 if faults.count else 0


if __name__ == "__main__":
    sys.exit(main())
