"""The quick checks: format, lint, templates, types, import contracts, migrations. No server is needed."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import ROOT

PROGRAMS = Path(sys.executable).parent
STEPS = {
    "types": ["mypy"],
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "import contracts": ["lint-imports", "--cache-dir", ".cache/import-linter"],
    "templates": ["djlint", "templates", "--lint", "--quiet"],
}
MIGRATIONS = {"migrations": ["pytest", "-m", "not postgres", "tests/house/test_migrations.py"]}


def main() -> int:
    """Run every check and say which failed; the migrations on SQLite only."""
    return report(STEPS | MIGRATIONS)


def report(steps: dict[str, list[str]]) -> int:
    """Run steps two at a time, print a line for each and the words of those that fail; return how many."""
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        failed = sum(pool.map(_step, steps, steps.values()))
    print(
        f"checks: {len(steps) - failed} passed, {failed} failed in {time.monotonic() - began:.1f} s",
        flush=True,
    )
    return failed


def _step(name: str, command: list[str]) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        [PROGRAMS / command[0], *command[1:]],
        cwd=ROOT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    failed = done.returncode != 0
    words = f"\n{done.stdout}" if failed else ""
    print(f"{name}: {'FAILED' if failed else 'ok'} ({time.monotonic() - began:.1f} s){words}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
