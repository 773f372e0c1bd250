"""How large the tests of promises are: a tenth of the table in CI, `CANOPY_SOAK` times that otherwise."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("CANOPY_SOAK", "1"))
SEED = int(os.environ.get("CANOPY_SEED", "20261122"))
