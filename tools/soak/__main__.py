"""`make soak`: one of the scenarios, on servers started for it; prints its figures as JSON."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests import servers
from tools.soak import deliveries, payouts, webhooks
from tools.soak.stage import own_servers


def main() -> int:
    """Run a scenario; 1 when its judge found a fault."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    scenarios = parser.add_subparsers(dest="scenario", required=True)
    payouts.add_arguments(scenarios.add_parser("payouts", help=payouts.__doc__))
    deliveries.add_arguments(scenarios.add_parser("deliveries", help=deliveries.__doc__))
    webhooks.add_arguments(scenarios.add_parser("webhooks", help=webhooks.__doc__))
    chosen = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="canopy-soak-") as folder:
            figures = chosen.run(chosen, own_servers(Path(folder)), Path(folder))
    finally:
        servers.end_own()
    print(json.dumps(asdict(figures), indent=1))
    return 1 if figures.faults else 0


if __name__ == "__main__":
    sys.exit(main())
